/**
 * The only place where real timers are started.
 *
 * Bare timers have two faults. A timer that does not hold the process lets a script end silently while its author awaits a
 * promise that depends on the timer; a timer that holds the process keeps a finished program from ending. So each timer says
 * who waits for it. And Node runs a timer above 2^31 - 1 ms at once; here such a delay is waited for in parts.
 */

import type { CancelTimer, Waiter } from '../contracts/clock.ts'

/** The longest delay Node's timers take, ms: about 24.8 days. */
const LONGEST_STRETCH_MS = 2 ** 31 - 1

/**
 * Runs `task` once after `delayMs`, however long that is; `Infinity` never runs it. Returns the function that cancels it.
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
