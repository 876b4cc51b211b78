/** Waiting for what must become true, in real time or by moving the server's. */

import { AssertionError } from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'

/** Moves the server's time; may be asynchronous. */
export type Advance = (ms: number) => void | Promise<void>

const WITHIN_MS = 10_000
const LOOK_EVERY_MS = 20

/**
 * Waits until `condition` returns something other than `undefined` or `false`, and returns that.
 *
 * @throws AssertionError naming `what` after ten seconds.
 */
export async function eventually<Result>(
  what: string,
  condition: () => Result | Promise<Result>,
  advance: Advance = (ms) => delay(ms),
): Promise<Exclude<Result, undefined | false>> {
  for (let waitedMs = 0; waitedMs < WITHIN_MS; waitedMs += LOOK_EVERY_MS) {
    const result = await condition()
    // A cast, because the compiler does not narrow type parameters.
    if (result !== undefined && result !== false)
      return result as Exclude<Result, undefined | false>
    await advance(LOOK_EVERY_MS)
  }
  throw new AssertionError({ message: `Waited in vain until ${what}` })
}

/** Rejects when a promise does not settle in ten seconds: a case must fail, not hang. */
export async function settled<Result>(what: string, promise: Promise<Result>): Promise<Result> {
  const end = new AbortController()
  const patience = delay(WITHIN_MS, undefined, { signal: end.signal, ref: false }).then(() => {
    throw new AssertionError({ message: `Waited in vain until ${what}` })
  })
  patience.catch(() => undefined)
  try {
    return await Promise.race([promise, patience])
  } finally {
    end.abort()
  }
}
