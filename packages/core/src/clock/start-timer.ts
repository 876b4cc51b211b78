/**
 * The only place where real timers are started.
 *
 * Two things go wrong with bare timers. One that does not hold the process lets a script end, without a word, while its
 * author awaits a promise that hangs on the timer; one that holds it keeps a finished program from ending. So each timer
 * says who waits for it. And Node runs a timer above 2^31 - 1 ms at once; here it is waited for in stretches.
 */

import type { CancelTimer, Waiter } from '../contracts/clock.ts'

/** The longest delay Node's timers take, ms: about 24.8 days. */
const LONGEST_STRETCH_MS = 2 ** 31 - 1

/**
 * Runs `task` once after `delayMs`, however long that is; `Infinity` waits for ever. Returns what cancels it.
 *
 * @example const cancel = startTimer(30_000, ping, 'background')
 */
export function startTimer(delayMs: number, task: () => void, waiter: Waiter): CancelTimer {
  let leftMs = delayMs
  let timer: NodeJS.Timeout
  const begin = (): void => {
    const stretchMs = Math.min(leftMs, LONGEST_STRETCH_MS)
    leftMs -= stretchMs
    timer = setTimeout(leftMs > 0 ? begin : task, stretchMs)
    if (waiter === 'background') timer.unref()
  }
  begin()
  return () => clearTimeout(timer)
}
