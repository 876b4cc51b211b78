/**
 * A clock on which everything takes a part of the time that it takes in fact: for tests on a real server that are about what
 * happens and not about how soon, so that no deadline ends on a machine that has other things to do.
 */

import { type Clock, startTimer } from '@larder/core/store'

/** @example createCacheManager({ clock: slowClock(10), … }) // a deadline of 1 s ends after 10 s */
export function slowClock(times: number): Clock {
  return {
    now: () => performance.now() / times,
    schedule: (delayMs, task, waiter) => startTimer(delayMs * times, task, waiter),
    afterArrivals: setImmediate,
  }
}
