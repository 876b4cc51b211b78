/**
 * Real time, read at most once per task of the event loop and every 64 readings.
 *
 * A reading of the monotonic clock costs about as much as a whole local hit, so readings within one task (a callback, and
 * all the promises that settle because of it) share one. The shared reading never outlives its task: the next tick, which
 * comes before the loop may wait for anything, forgets it. (An immediate would not do: one that is set by a timer runs
 * only after the loop has waited for the network.) A process that is stopped in the middle of a task continues with the
 * time it had, as it would with any value it had just checked.
 *
 * Where a test has replaced `performance` by a fake, nothing is shared: fakes move within one task.
 */

import type { Clock } from '../contracts/clock.ts'
import { startTimer } from './start-timer.ts'

const READINGS_PER_LOOK = 64
/** A fake hides it, as a property of the object. */
const { now: realNow } = Object.getPrototypeOf(performance) as typeof performance

/** Creates the clock of a running process. */
export function createSystemClock(): Clock {
  let shared = 0
  let readingsLeft = 0
  let isArmed = false
  const forget = (): void => {
    readingsLeft = 0
    isArmed = false
  }

  const now = (): number => {
    if (readingsLeft > 0) {
      readingsLeft -= 1
      return shared
    }
    shared = performance.now()
    if (performance.now !== realNow) return shared
    readingsLeft = READINGS_PER_LOOK
    if (!isArmed) {
      isArmed = true
      process.nextTick(forget)
    }
    return shared
  }

  return {
    now,
    // The shared reading may be slightly old by now; that must not look like sleep.
    wall: () => Date.now() - performance.now() + now(),
    schedule: startTimer,
    afterArrivals: setImmediate,
  }
}
