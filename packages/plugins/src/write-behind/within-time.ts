/** Waits for a writer as long as it may take. */

import type { Clock } from '@larder/core/store'
import type { HeldQueue } from './held-queue.ts'

export interface TimeLimit {
  readonly clock: Clock
  readonly timeoutMs: number
}

/**
 * Rejects when the hold is lost, or the time is over, which gives up the hold. The writer may go on: it is not waited for.
 *
 * @throws what the writer rejects with, or what its signal was aborted with
 */
export function withinTime(
  writing: Promise<unknown>,
  held: HeldQueue,
  { clock, timeoutMs }: TimeLimit,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { signal } = held
    const onAbort = (): void => end(() => reject(signal.reason))
    const cancel = clock.schedule(timeoutMs, () => held.lose(tooSlow(timeoutMs)), 'caller')
    const end = (settle: () => void): void => {
      cancel()
      signal.removeEventListener('abort', onAbort)
      settle()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    writing.then(
      () => end(resolve),
      (error: unknown) => end(() => reject(error)),
    )
  })
}

export function tooSlow(timeoutMs: number): Error {
  return new DOMException(`The writer took longer than ${timeoutMs} ms.`, 'TimeoutError')
}
