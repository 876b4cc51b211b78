/** Real time, read anew every time: for leases, where a reading from the beginning of a long turn would be too kind. */

import type { Clock } from '../contracts/clock.ts'
import { startTimer } from './start-timer.ts'

/** Creates a clock for those who must notice that the event loop stood still. */
export function createPreciseClock(): Clock {
  return {
    now: () => performance.now(),
    schedule: startTimer,
    afterArrivals: setImmediate,
  }
}
