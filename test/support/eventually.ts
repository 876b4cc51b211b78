/** Waiting for conditions, never for time. */

/**
 * Resolves to the first truthy result of `condition`; a falsy result or a throw means "not yet".
 *
 * @param what what is awaited, for the message: "the replica follows its master"
 * @param withinMs bound in milliseconds
 * @throws Error naming `what` and the last error or result, when the bound passes first
 * @example await eventually('node B forgets it', () => nodeB.call('isEmpty', '42'));
 */
export async function eventually<Value>(
  what: string,
  condition: () => Value | Promise<Value>,
  withinMs = 15_000,
): Promise<NonNullable<Value>> {
  const startedAt = performance.now()
  let last: NotYet = { kind: 'not yet', why: 'it was never answered' }
  const timer = deadline(withinMs)
  try {
    for (let turn = 0; ; turn++) {
      // Raced, because a condition that asks a hung server would outlast the bound.
      const outcome = await Promise.race([attempt(condition), timer.passed])
      if (outcome.kind === 'reached') return outcome.value as NonNullable<Value>
      if (outcome.kind === 'passed') break
      last = outcome
      if (performance.now() - startedAt >= withinMs) break
      await pause(turn)
    }
  } finally {
    timer.clear()
  }
  throw new Error(`Waited ${withinMs} ms in vain until ${what}; last: ${last.why}`, {
    cause: last.error,
  })
}

/** A promise together with the functions that settle it. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>
  resolve(value: Value): void
  reject(error: unknown): void
}

/** Makes a promise that is settled from outside, to hold a loader still until the test says so. */
export function deferred<Value = void>(): Deferred<Value> {
  let resolve!: (value: Value) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<Value>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

interface NotYet {
  readonly kind: 'not yet'
  readonly why: string
  readonly error?: unknown
}

type Outcome =
  | NotYet
  | { readonly kind: 'reached'; readonly value: unknown }
  | { readonly kind: 'passed' }

async function attempt(condition: () => unknown): Promise<Outcome> {
  try {
    const value = await condition()
    return value ? { kind: 'reached', value } : { kind: 'not yet', why: `result ${String(value)}` }
  } catch (error) {
    return { kind: 'not yet', why: String(error), error }
  }
}

function deadline(ms: number): { readonly passed: Promise<Outcome>; clear(): void } {
  const { promise, resolve } = deferred<Outcome>()
  const timer = setTimeout(() => resolve({ kind: 'passed' }), ms)
  return { passed: promise, clear: () => clearTimeout(timer) }
}

/** The first turns cost nothing, later ones leave the processor to what is awaited. */
function pause(turn: number): Promise<void> {
  if (turn < 10) return new Promise((resolve) => setImmediate(resolve))
  return new Promise((resolve) => setTimeout(resolve, Math.min(turn - 9, 20)))
}
