/** Time as the engine sees it: a monotonic reading and timers that never keep the process alive. */

/** Cancels a scheduled run; calling it again, or after the run, does nothing. */
export type CancelTimer = () => void

/**
 * The only source of time in the engine, so that a test can own it.
 *
 * Readings order nothing between nodes (invariant I8); they only measure how long ago something happened here.
 */
export interface Clock {
  /** Returns milliseconds on a monotonic scale with an arbitrary origin. */
  now(): number
  /** Runs `task` once after `delayMs`, without keeping the process alive. */
  schedule(delayMs: number, task: () => void): CancelTimer
}
