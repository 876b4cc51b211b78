/**
 * Keeps a reaction from feeding itself: whatever makes it come back again and again, the pauses between grow.
 *
 * Repeating what a lost history contained publishes messages. Should these ever make somebody find another loss, two nodes
 * could keep each other busy for ever.
 */

import { INTERVALS } from './intervals.ts'

/** Reactions in a row that need not wait. */
const FREE = 30

export class Fuse {
  #inARow = 0
  #lastAt = Number.NEGATIVE_INFINITY

  /** Tells whether to react now (monotonic ms), and counts it if so. */
  admits(now: number): boolean {
    if (now - this.#lastAt >= INTERVALS.calmMs) this.#inARow = 0
    const beyond = this.#inARow - FREE
    const pauseMs =
      beyond < 0 ? 0 : Math.min(INTERVALS.longestPauseMs, INTERVALS.firstPauseMs * 2 ** beyond)
    if (now - this.#lastAt < pauseMs) return false
    this.#inARow += 1
    this.#lastAt = now
    return true
  }
}
