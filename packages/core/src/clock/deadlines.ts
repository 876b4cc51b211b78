/**
 * Deadlines of one length: what begins first is due first, so one timer does for all of them.
 *
 * A timer of its own for each call to the store would cost more than the rest of making the call. Calls mostly end in the
 * order they began, so the list is hardly ever longer than what is under way.
 */

import type { CancelTimer, Clock } from '../contracts/clock.ts'

/** One call under way. */
export interface Deadline {
  readonly dueAt: number
  /** Let go of at the end: the list may hold the deadline for longer, and this knows everything about the call. */
  onOver: (() => void) | undefined
}

/** Ended deadlines that the list may hold at its beginning. */
const MOST_ENDED = 64

export class Deadlines {
  readonly #clock: Clock
  readonly #ms: number
  #waiting: Deadline[] = []
  /** Those before it have ended. */
  #first = 0
  #cancel: CancelTimer | undefined

  /** `ms`: how long each call may take. */
  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  /** Begins a deadline; `onOver` is called once unless `end` comes first. */
  begin(onOver: () => void): Deadline {
    const deadline: Deadline = { dueAt: this.#clock.now() + this.#ms, onOver }
    this.#waiting.push(deadline)
    this.#cancel ??= this.#clock.schedule(this.#ms, this.#look)
    return deadline
  }

  /** Ends a deadline; false when it was over already. */
  end(deadline: Deadline): boolean {
    if (deadline.onOver === undefined) return false
    deadline.onOver = undefined
    this.#forgetEnded()
    return true
  }

  /** Drops the timer; for `close()`. */
  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  readonly #look = (): void => {
    this.#cancel = undefined
    const now = this.#clock.now()
    for (let next = this.#waiting[this.#first]; next !== undefined && next.dueAt <= now; ) {
      const { onOver } = next
      next.onOver = undefined
      this.#forgetEnded()
      onOver?.()
      next = this.#waiting[this.#first]
    }
    const next = this.#waiting[this.#first]
    if (next === undefined) return
    this.#cancel ??= this.#clock.schedule(Math.max(1, next.dueAt - now), this.#look)
  }

  #forgetEnded(): void {
    const waiting = this.#waiting
    while (this.#first < waiting.length && waiting[this.#first]?.onOver === undefined) {
      this.#first += 1
    }
    if (this.#first === waiting.length) {
      waiting.length = 0
      this.#first = 0
    } else if (this.#first > MOST_ENDED && this.#first > waiting.length / 2) {
      this.#waiting = waiting.slice(this.#first)
      this.#first = 0
    }
  }
}
