/**
 * Keys evicted with a settle window: until it ends, what is loaded is handed out but kept no longer than the window.
 *
 * For evictions issued before their transaction commits, or in front of a lagging replica: a load in the window may read
 * the old value, and must not outlive it.
 */

import type { Clock } from '../contracts/clock.ts'

export class SettleWindows {
  readonly #clock: Clock
  readonly #until = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  open(key: string, settleMs: number): void {
    const until = this.#clock.now() + settleMs
    this.#until.set(key, until)
    // One timer a window; it removes only its own, as a later eviction may have extended the key's.
    const close = (): void => {
      if (this.#until.get(key) === until) this.#until.delete(key)
    }
    this.#clock.schedule(settleMs, close, 'background')
  }

  /** When the key's window ends, monotonic ms; `Infinity` when it has none. */
  endOf(key: string): number {
    return this.#until.size === 0
      ? Number.POSITIVE_INFINITY
      : (this.#until.get(key) ?? Number.POSITIVE_INFINITY)
  }

  clear(): void {
    this.#until.clear()
  }
}
