/** Deadlines by their length. Few lengths are in use, and each takes one timer, however many calls it bounds. */

import type { Clock, Waiter } from '../contracts/clock.ts'
import { Deadlines } from './deadlines.ts'

/** An application may compute new options for each cache. Above this number, the oldest length is dropped, and made again when needed. */
const CAP = 1_000

export class DeadlineLengths {
  readonly #clock: Clock
  readonly #waiter: Waiter
  readonly #lengths = new Map<number, Deadlines>()

  /** `waiter`: who waits for the calls that are bounded. */
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
      // The calls that it still bounds go on; its timer ends with them.
      if (first !== undefined) this.#lengths.delete(first)
    }
    const deadlines = new Deadlines(this.#clock, ms, this.#waiter)
    this.#lengths.set(ms, deadlines)
    return deadlines
  }

  /** Drops the timers; for after all calls have ended. */
  close(): void {
    for (const deadlines of this.#lengths.values()) deadlines.close()
  }
}
