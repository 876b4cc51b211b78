/**
 * One node's clock: its own origin, and timers that only run when the node's process gets to them. While the machine sleeps
 * it stands still, and the wall clock goes on.
 */

import type { CancelTimer, Clock, Waiter } from '@larder/core/store'
import type { ManualClock } from '@larder/core/testing'
import type { LineName, Scheduler, Task } from './scheduler.ts'

/** How late a due timer may run, ms: the event loop of a busy process. */
const LATEST_MS = 20
/** What sums of instants may be off by, ms. */
const LEAST_MS = 0.001
/** What the wall clocks show at the beginning, and how far each is from the next, ms. */
const WALL_MS = Date.UTC(2030, 0, 1)
const WALLS_APART_MS = 37_000

interface Sleep {
  readonly from: number
  /** `undefined` while it lasts. */
  to: number | undefined
}

export class NodeClock implements Clock {
  readonly #clock: ManualClock
  readonly #scheduler: Scheduler
  readonly #line: LineName
  /** Monotonic clocks start anywhere: readings of different nodes mean nothing to each other (I8). */
  readonly #origin: number
  readonly #wallOrigin: number
  readonly #sleeps: Sleep[] = []
  /** Timers that would have come due while it sleeps. */
  readonly #waking: (() => void)[] = []
  #waiting = 0

  constructor(clock: ManualClock, scheduler: Scheduler, node: number) {
    this.#clock = clock
    this.#scheduler = scheduler
    this.#line = { channel: 'timers', node, needsProcess: true }
    this.#origin = node * 1_000_003
    this.#wallOrigin = WALL_MS + node * WALLS_APART_MS
  }

  /** Timers that neither ran nor were called off. */
  get waiting(): number {
    return this.#waiting
  }

  now(): number {
    return this.#origin + this.#clock.now() - this.sleptSince(Number.NEGATIVE_INFINITY)
  }

  wall(): number {
    return this.#wallOrigin + this.#clock.now()
  }

  fallAsleep(): void {
    this.#sleeps.push({ from: this.#clock.now(), to: undefined })
  }

  /** Ends a sleep; does nothing for whoever is awake. */
  wake(): void {
    const last = this.#sleeps.at(-1)
    if (last === undefined || !this.#isAsleep) return
    last.to = this.#clock.now()
    for (const again of this.#waking.splice(0)) again()
  }

  get #isAsleep(): boolean {
    const last = this.#sleeps.at(-1)
    return last !== undefined && last.to === undefined
  }

  /** How long it has slept since a moment of the common clock, ms. */
  sleptSince(time: number): number {
    let ms = 0
    for (const { from, to = this.#clock.now() } of this.#sleeps) {
      ms += Math.max(0, to - Math.max(from, time))
    }
    return ms
  }

  /** Replies that had arrived while the process stood still are handed out first. */
  afterArrivals(task: () => void): void {
    this.#scheduler.addAfterArrived({ ...this.#line, channel: 'replies' }, this.#line, task)
  }

  schedule(delayMs: number, task: () => void, waiter: Waiter): CancelTimer {
    let due: Task | undefined
    let isOver = false
    const end = (): void => {
      if (!isOver) this.#waiting -= 1
      isOver = true
    }
    this.#waiting += 1
    const dueAt = this.now() + delayMs
    const comeDue = (): void => {
      const again = (): void => {
        if (!isOver) cancel = this.#clock.schedule(dueAt - this.now(), comeDue, waiter)
      }
      if (this.#isAsleep) {
        this.#waking.push(again)
        return
      }
      if (dueAt - this.now() > LEAST_MS) {
        again()
        return
      }
      due = this.#scheduler.add(this.#line, {
        dueBy: this.#clock.now() + LATEST_MS,
        run: () => {
          end()
          task()
        },
      })
    }
    let cancel = this.#clock.schedule(delayMs, comeDue, waiter)
    return () => {
      end()
      cancel()
      if (due !== undefined) due.isCancelled = true
    }
  }
}
