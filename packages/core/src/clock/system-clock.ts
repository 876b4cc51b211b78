/**
 * Real time and real timers.
 *
 * The clock is read at most once per task of the event loop and every 64 readings.
 * A reading of the monotonic clock costs about as much as a whole local hit, so readings within one task (a callback, and
 * all the promises that settle because of it) share one. The shared reading never outlives its task: the next tick, which
 * comes before the loop may wait for anything, forgets it. (An immediate would not do: one that is set by a timer runs
 * only after the loop has waited for the network.) A process that is stopped in the middle of a task continues with the
 * time it had, as it would with any value it had just checked.
 *
 * Where a test has replaced `performance` by a fake, nothing is shared: fakes move within one task.
 */

import type { CancelTimer, Clock, Waiter } from '../contracts/clock.ts'

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

/**
 * Creates a clock that is read anew every time, for code that must notice that the event loop stood still: locks and permits, which
 * a reading from the beginning of a long turn would show as held for too long.
 */
export function createPreciseClock(): Clock {
  return {
    now: () => performance.now(),
    schedule: startTimer,
    afterArrivals: setImmediate,
  }
}

/** The longest delay that Node's timers take, ms: about 24.8 days. */
const LONGEST_STRETCH_MS = 2 ** 31 - 1

/**
 * Starts a real timer; nothing else does.
 *
 * Bare timers have two faults. A timer that does not hold the process lets a script end silently while its author awaits a
 * promise that depends on the timer; a timer that holds the process keeps a finished program from ending. So each timer says
 * who waits for it. And Node runs a timer above 2^31 - 1 ms at once; here such a delay is waited for in parts.
 *
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
