/**
 * Notices that the machine slept: a laptop that was closed, a virtual machine that was frozen or restored from a snapshot.
 *
 * The monotonic clock stands still meanwhile, so everything looks as fresh as it was before, however long ago that is. The
 * wall clock goes on, or is set right afterwards. It is trusted with nothing but doubts: one that an administrator sets
 * forward costs a comparison with the store, and one that is set back costs nothing.
 */

import type { Clock } from '../contracts/clock.ts'
import { INTERVALS } from './intervals.ts'

export class SleepWatch {
  readonly #clock: Clock
  /** By how much the wall clock was ahead of the monotonic one at the last look, ms. */
  #aheadMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Tells whether the machine seems to have slept since the last look; false at the first, and for a clock without a wall. */
  hasSlept(): boolean {
    const wall = this.#clock.wall?.()
    if (wall === undefined) return false
    const before = this.#aheadMs
    const aheadMs = wall - this.#clock.now()
    this.#aheadMs = aheadMs
    return before !== undefined && aheadMs - before > INTERVALS.unrestMs
  }
}
