/** Time as the engine sees it: a monotonic reading, and timers that say who waits for them. */

/** Cancels a scheduled run; calling it again, or after the run, does nothing. */
export type CancelTimer = () => void

/**
 * Who waits for a timer. `caller`: a caller's promise depends on it, so it keeps the process alive until it has run or was
 * cancelled. `background`: housekeeping (polls, renewals, pings), which must not keep a finished program from ending.
 */
export type Waiter = 'caller' | 'background'

/**
 * The only source of time in the engine, so that a test can replace it.
 *
 * Readings do not order anything between nodes (invariant I8); they only measure how long ago something happened here.
 */
export interface Clock {
  /** Returns milliseconds on a monotonic scale with an arbitrary origin. */
  now(): number
  /** Runs `task` once after `delayMs`, which may be longer than Node's timers take. */
  schedule(delayMs: number, task: () => void, waiter: Waiter): CancelTimer
  /**
   * Returns what the wall clock shows at the instant of `now()`, ms. It goes on while the machine sleeps and the monotonic
   * clock stands still; it only ever causes doubt. Without it, sleep is not noticed.
   */
  wall?(): number
  /**
   * Runs `task` after everything that has already arrived from outside was handed out: timers run before sockets are read, so
   * a process that stood still finds its timers due and the replies still unread. The clock of a test has no outside: it
   * leaves this out, and the task runs at once.
   */
  afterArrivals?(task: () => void): void
}
