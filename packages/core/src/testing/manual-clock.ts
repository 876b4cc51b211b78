/** A clock that stands still until a test moves it. */

import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { CancelTimer, Clock, Waiter } from '../contracts/clock.ts'

interface Timer {
  readonly dueAt: number
  readonly task: () => void
  readonly waiter: Waiter
}

/**
 * A clock in a test's hands: time passes only in `advance`, and timers run there, in order of their due time.
 *
 * @example
 * const clock = new ManualClock()
 * clock.schedule(1_000, () => console.log('a second later'), 'caller')
 * clock.advance(1_000)
 */
export class ManualClock implements Clock {
  #now: number
  #sleptMs = 0
  /** In the order they were scheduled, which decides between timers due at the same time. */
  readonly #timers = new Set<Timer>()

  /** `startsAt`: the first reading, ms. @default 0 */
  constructor(startsAt = 0) {
    this.#now = startsAt
  }

  now(): number {
    return this.#now
  }

  schedule(delayMs: number, task: () => void, waiter: Waiter = 'background'): CancelTimer {
    const timer: Timer = { dueAt: this.#now + Math.max(0, delayMs), task, waiter }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  wall(): number {
    return this.#now + this.#sleptMs
  }

  /** Lets the machine sleep for `ms`: the wall clock goes on, the monotonic one and its timers stand still. */
  sleep(ms: number): void {
    this.#sleptMs += ms
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size
  }

  /** How many timers wait that would keep a process alive. */
  get held(): number {
    let held = 0
    for (const { waiter } of this.#timers) if (waiter === 'caller') held += 1
    return held
  }

  /** When the next timer is due, on this clock; `undefined` when none waits. */
  get nextAt(): number | undefined {
    return this.#next(Number.POSITIVE_INFINITY)?.dueAt
  }

  /**
   * Lets `ms` pass, running what comes due, also what is scheduled meanwhile. What a timer throws stops the clock there.
   *
   * @throws RangeError when `ms` is negative or not a number.
   */
  advance(ms: number): void {
    const end = this.#endOf(ms)
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) this.#run(timer)
    this.#goTo(end)
  }

  /**
   * Lets `ms` pass like `advance`, and lets everything that already can run (microtasks and one turn of the event loop)
   * do so before each timer and at the end, so that awaiting code sees time as it would in real life.
   *
   * @throws RangeError when `ms` is negative or not a number.
   */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#endOf(ms)
    await turnOfTheLoop()
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#run(timer)
      await turnOfTheLoop()
    }
    this.#goTo(end)
    await turnOfTheLoop()
  }

  #endOf(ms: number): number {
    if (ms >= 0) return this.#now + ms
    throw new RangeError(`A clock advances by 0 ms or more, not by ${ms}`)
  }

  /** The earliest timer due by then; of equals, the one scheduled first. */
  #next(end: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueAt <= end && (next === undefined || timer.dueAt < next.dueAt)) next = timer
    }
    return next
  }

  #run(timer: Timer): void {
    this.#timers.delete(timer)
    this.#goTo(timer.dueAt)
    timer.task()
  }

  /** Never back: a timer may have moved the clock itself. */
  #goTo(at: number): void {
    this.#now = Math.max(this.#now, at)
  }
}
