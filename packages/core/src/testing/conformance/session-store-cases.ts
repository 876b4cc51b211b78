/** The conformance suite of session providers: on the provider's own time, with lives either long, or so short that they end meanwhile. */

import { type ConformanceCase, PASSED } from './conformance-case.ts'
import { LIFE_CASES } from './session-life-cases.ts'
import type { Ends } from './session-steps.ts'
import { USER_CASES } from './session-user-cases.ts'

/** Two ends of one store; the same one twice where it is not shared. */
export interface SessionsUnderTest {
  /** Not open yet; the suite opens and closes them. */
  readonly sessions: Ends
  /** Nobody else's. */
  readonly namespace: string
  /** Called after the providers were closed. */
  cleanup?(): void | Promise<void>
}

export type MakeSessions = () => SessionsUnderTest | Promise<SessionsUnderTest>

/**
 * Lists what every session provider must do, each on providers of its own.
 *
 * @example
 * runCases(sessionStoreCases(() => ({ sessions: [make(), make()], namespace: 'test' })), { test })
 */
export function sessionStoreCases(make: MakeSessions): readonly ConformanceCase[] {
  return [...LIFE_CASES, ...USER_CASES].map(([name, run]) => ({
    name,
    async run() {
      const { sessions, namespace, cleanup } = await make()
      try {
        for (const end of sessions) end.open(namespace)
        await run(sessions)
        return PASSED
      } finally {
        await Promise.all(sessions.map((end) => end.close()))
        await cleanup?.()
      }
    },
  }))
}
