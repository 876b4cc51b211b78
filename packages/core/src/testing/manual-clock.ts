/** Time under a test's control. */

import type { CancelTimer, Clock } from '../contracts/clock.ts'

interface Timer {
  readonly at: number
  readonly task: () => void
}

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #now: number
  readonly #timers = new Set<Timer>()

  constructor(startAt = 0) {
    this.#now = startAt
  }

  now(): number {
    return this.#now
  }

  schedule(delayMs: number, task: () => void): CancelTimer {
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), task }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** How many timers are waiting. */
  get pending(): number {
    return this.#timers.size
  }

  /** When the next timer is due; `undefined` when none waits. */
  get nextAt(): number | undefined {
    return this.#next(Number.POSITIVE_INFINITY)?.at
  }

  /** Moves on, running what becomes due in order, timers that those set included. */
  advance(ms: number): void {
    const until = this.#now + ms
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#run(timer)
    }
    this.#now = until
  }

  /** Like `advance`, but lets promises settle after every timer. */
  async advanceAsync(ms: number): Promise<void> {
    const until = this.#now + ms
    await settle()
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#run(timer)
      await settle()
    }
    this.#now = until
    await settle()
  }

  #run(timer: Timer): void {
    this.#timers.delete(timer)
    this.#now = timer.at
    timer.task()
  }

  /** The earliest timer due by then; of equals, the one set first. */
  #next(until: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at <= until && (next === undefined || timer.at < next.at)) next = timer
    }
    return next
  }
}

/** Lets microtasks, ticks and immediates run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
