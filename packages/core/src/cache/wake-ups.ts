/** Waiting for the end of somebody else's lease: by message, or after a while without one. */

import type { Clock } from '../contracts/clock.ts'

export class WakeUps {
  readonly #clock: Clock
  readonly #waiting = new Map<string, Set<() => void>>()
  #size = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many wait. */
  get size(): number {
    return this.#size
  }

  /** Resolves at the next `wake(key)`, or after `atMostMs`: messages can be lost. */
  wait(key: string, atMostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiters = this.#waiting.get(key) ?? new Set()
      this.#waiting.set(key, waiters)
      const end = (): void => {
        cancel()
        if (waiters.delete(end)) this.#size -= 1
        if (waiters.size === 0 && this.#waiting.get(key) === waiters) this.#waiting.delete(key)
        resolve()
      }
      const cancel = this.#clock.schedule(atMostMs, end, 'caller')
      waiters.add(end)
      this.#size += 1
    })
  }

  wake(key: string): void {
    for (const end of [...(this.#waiting.get(key) ?? [])]) end()
  }

  /** Wakes everybody, at the end. */
  wakeAll(): void {
    for (const key of [...this.#waiting.keys()]) this.wake(key)
  }
}
