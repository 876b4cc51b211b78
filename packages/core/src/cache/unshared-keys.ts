/** Keys whose loads are not shared for a while, because a result was for one caller alone; see not-shared.ts. */

import type { Clock } from '../contracts/clock.ts'

/** How long loads of a key are not waited for, unless `unshared` says so itself, ms. */
export const UNSHARED_MS = 120_000

/** How many keys are remembered; the oldest are forgotten. */
const MOST_MARKS = 10_000

/** The keys whose loads are not waited for on this node. */
export class UnsharedKeys {
  readonly #clock: Clock
  /** Until when, monotonic ms; the oldest first. */
  readonly #marks = new Map<string, number>()
  /** To be read only; empty on most nodes, where there is nothing to ask. */
  readonly marks: ReadonlyMap<string, number> = this.#marks

  constructor(clock: Clock) {
    this.#clock = clock
  }

  has(fullKey: string): boolean {
    const until = this.#marks.get(fullKey)
    if (until === undefined) return false
    if (this.#clock.now() < until) return true
    this.#marks.delete(fullKey)
    return false
  }

  mark(fullKey: string, forMs: number): void {
    this.#marks.delete(fullKey)
    if (this.#marks.size >= MOST_MARKS) {
      for (const [oldest] of this.#marks) {
        this.#marks.delete(oldest)
        break
      }
    }
    this.#marks.set(fullKey, this.#clock.now() + forMs)
  }

  unmark(fullKey: string): void {
    this.#marks.delete(fullKey)
  }
}
