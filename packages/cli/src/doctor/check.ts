/** What a check of the doctor says. */

/** `unknown`: it cannot be found out on this server, which is not a fault. */
export type CheckState = 'ok' | 'warn' | 'fail' | 'unknown'

export interface Check {
  /** What was looked at: `version`, `writes`. */
  readonly check: string
  readonly state: CheckState
  /** What was found. */
  readonly found: string
  /** Why it matters, where something is wrong. */
  readonly why?: string
  /** What to do about it. */
  readonly fix?: string
}

export function ok(check: string, found: string): Check {
  return { check, state: 'ok', found }
}

export interface Trouble {
  readonly found: string
  readonly why: string
  readonly fix: string
}

export function warn(check: string, trouble: Trouble): Check {
  return { check, state: 'warn', ...trouble }
}

export function fail(check: string, trouble: Trouble): Check {
  return { check, state: 'fail', ...trouble }
}

export function unknown(check: string, found: string): Check {
  return { check, state: 'unknown', found }
}

/** The worst of several, which is what one check says of several servers. */
export function worstOf(checks: readonly Check[]): Check {
  const order: readonly CheckState[] = ['fail', 'warn', 'unknown', 'ok']
  const sorted = [...checks].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
  return sorted[0] as Check
}
