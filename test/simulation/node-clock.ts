/** One node's clock: its own origin, and timers that only run when the node's process gets to them. */

import type { CancelTimer, Clock, Waiter } from '@larder/core/store'
import type { ManualClock } from '@larder/core/testing'
import type { LineName, Scheduler, Task } from './scheduler.ts'

/** How late a due timer may run, ms: the event loop of a busy process. */
const LATEST_MS = 20

export class NodeClock implements Clock {
  readonly #clock: ManualClock
  readonly #scheduler: Scheduler
  readonly #line: LineName
  /** Monotonic clocks start anywhere: readings of different nodes mean nothing to each other (I8). */
  readonly #origin: number
  #waiting = 0

  constructor(clock: ManualClock, scheduler: Scheduler, node: number) {
    this.#clock = clock
    this.#scheduler = scheduler
    this.#line = { channel: 'timers', node, needsProcess: true }
    this.#origin = node * 1_000_003
  }

  /** Timers that neither ran nor were called off. */
  get waiting(): number {
    return this.#waiting
  }

  now(): number {
    return this.#origin + this.#clock.now()
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
    const comeDue = (): void => {
      due = this.#scheduler.add(this.#line, {
        dueBy: this.#clock.now() + LATEST_MS,
        run: () => {
          end()
          task()
        },
      })
    }
    const cancel = this.#clock.schedule(delayMs, comeDue, waiter)
    return () => {
      end()
      cancel()
      if (due !== undefined) due.isCancelled = true
    }
  }
}
