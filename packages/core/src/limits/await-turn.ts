/** Waits until a reserved turn comes. */

import type { Clock } from '../contracts/clock.ts'
import { onAbort } from '../lifecycle/on-abort.ts'

/**
 * Resolves after at least `ms` on the clock; where a timer fires a little early, it waits on.
 *
 * @throws the signal's reason when it aborts first
 */
export async function awaitTurn(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const turnAt = clock.now() + ms
  for (let left = ms; left > 0; left = turnAt - clock.now()) {
    signal.throwIfAborted()
    await sleep(clock, Math.ceil(left), signal)
  }
}

function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => {
      cancel()
      reject(signal.reason)
    })
    const cancel = clock.schedule(
      ms,
      () => {
        forget()
        resolve()
      },
      'caller',
    )
  })
}
