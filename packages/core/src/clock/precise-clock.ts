/** Real time, read anew every time: for locks and permits, which a reading from the beginning of a long turn would show as held for too long. */

import type { Clock } from '../contracts/clock.ts'
import { startTimer } from './start-timer.ts'

/** Creates a clock for code that must notice that the event loop stood still. */
export function createPreciseClock(): Clock {
  return {
    now: () => performance.now(),
    schedule: startTimer,
    afterArrivals: setImmediate,
  }
}
