/** Deadlines by their length. Few lengths are in use, and each takes one timer, however many calls it bounds. */

import type { Clock, Waiter } from '../contracts/clock.ts'
import { Deadlines } from './deadlines.ts'

/** Options may be worked out anew for each cache: past so many lengths, the one made first is made anew when it is asked for. */
const CAP = 1_000

export class DeadlineLengths {
  readonly #clock: Clock
  readonly #waiter: Waiter
  readonly #lengths = new Map<number, Deadlines>()

  /** `waiter`: who waits for what is bounded by them. */
  constructor(clock: Clock, waiter: Waiter) {
    this.#clock = clock
    this.#waiter = waiter
  }

  /** How many lengths are remembered. */
  get size(): number {
    return this.#lengths.size
  }

  of(ms: number): Deadlines {
    const known = this.#lengths.get(ms)
    if (known !== undefined) return known
    if (this.#lengths.size >= CAP) {
      const [first] = this.#lengths.keys()
      // What it still bounds goes on; its timer ends with that.
      if (first !== undefined) this.#lengths.delete(first)
    }
    const deadlines = new Deadlines(this.#clock, ms, this.#waiter)
    this.#lengths.set(ms, deadlines)
    return deadlines
  }

  /** Drops the timers; for when all calls have ended. */
  close(): void {
    for (const deadlines of this.#lengths.values()) deadlines.close()
  }
}
