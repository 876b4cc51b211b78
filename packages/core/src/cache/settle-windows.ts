/**
 * Keys evicted with a settle window: until it ends, what is loaded is handed out but kept no longer than the window.
 *
 * For evictions issued before their transaction commits, or in front of a lagging replica: a load in the window may read
 * the old value, and must not outlive it. Bounded: past the cap, the older half of the windows is replaced by one for all
 * keys, which lasts as long as the longest of them.
 */

import type { Clock } from '../contracts/clock.ts'

const CAP = 10_000
const NONE = Number.NEGATIVE_INFINITY

export class SettleWindows {
  readonly #clock: Clock
  readonly #cap: number
  /** The window opened last comes last. */
  readonly #until = new Map<string, number>()
  #allUntil = NONE

  constructor(clock: Clock, cap = CAP) {
    this.#clock = clock
    this.#cap = cap
  }

  /** How many windows are remembered, ended ones included. */
  get size(): number {
    return this.#until.size
  }

  /** Opens a window. An earlier one that ends later still holds: its reason to distrust the source is not over. */
  open(key: string, settleMs: number): void {
    const until = Math.max(this.#clock.now() + settleMs, this.#until.get(key) ?? NONE)
    this.#until.delete(key)
    this.#until.set(key, until)
    if (this.#until.size > this.#cap) this.#makeRoom()
  }

  /** Ends the window of a key whose value is known to be true. */
  close(key: string): void {
    this.#until.delete(key)
  }

  /** When the key's window ends, monotonic ms; `Infinity` when it has none. */
  endOf(key: string): number {
    if (this.#until.size === 0 && this.#allUntil === NONE) return Number.POSITIVE_INFINITY
    const end = Math.max(this.#until.get(key) ?? NONE, this.#allUntil)
    return end > this.#clock.now() ? end : Number.POSITIVE_INFINITY
  }

  clear(): void {
    this.#until.clear()
    this.#allUntil = NONE
  }

  #makeRoom(): void {
    const now = this.#clock.now()
    for (const [key, until] of this.#until) {
      if (until <= now) this.#until.delete(key)
    }
    if (this.#until.size <= this.#cap) return
    for (const [key, until] of this.#until) {
      if (this.#until.size <= this.#cap / 2) return
      this.#until.delete(key)
      this.#allUntil = Math.max(this.#allUntil, until)
    }
  }
}
