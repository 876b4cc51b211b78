/**
 * Real time, read at most once per turn of the event loop and every 64 readings.
 *
 * A reading of the monotonic clock costs about as much as a whole local hit, so readings within one turn share one. The
 * shared reading never outlives its turn: an immediate, which runs at the end of every turn, forgets it. A process that is
 * stopped in the middle of a turn continues with the time it had, as it would with any value it had just checked.
 */

import type { CancelTimer, Clock } from '../contracts/clock.ts'

const READINGS_PER_LOOK = 64

/** Creates the clock of a running process. */
export function createSystemClock(): Clock {
  let shared = 0
  let readingsLeft = 0
  let isArmed = false
  const forget = (): void => {
    readingsLeft = 0
    isArmed = false
  }

  return {
    now(): number {
      if (readingsLeft > 0) {
        readingsLeft -= 1
        return shared
      }
      shared = performance.now()
      readingsLeft = READINGS_PER_LOOK
      if (!isArmed) {
        isArmed = true
        setImmediate(forget).unref()
      }
      return shared
    },
    schedule(delayMs: number, task: () => void): CancelTimer {
      const timer = setTimeout(task, delayMs)
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}
