/**
 * Bounds what is under way at the store: what is beyond it waits for its turn.
 *
 * Ten thousand keys that are asked for at once are more than any store answers within a deadline that is meant for one
 * call. Sent all at once, the last of them would time out on a store that works at full speed, and their deadlines would
 * measure our own queue. So a deadline begins when its call does, and calls begin as others end. Unless the store turns out not
 * to answer: then who has waited for as long as an answer may take has waited enough.
 *
 * How much a store answers in time depends on it, and on how busy this machine is. So it begins with little, is more with each
 * quick answer, as in TCP, and is halved when answers come to take half of what they may.
 */

import { type KeptContext, keepContext, runIn } from '../lifecycle/kept-context.ts'

/** Begins a call; `isOverdue`: it is not to be tried any more. */
export type Start = (isOverdue: boolean) => void

interface Waiting {
  readonly weight: number
  readonly start: Start
  /** When it was asked for, monotonic ms. */
  readonly since: number
  /** Of the caller: it is others whose calls end, and let it go on. */
  readonly context: KeptContext
}

/** The weight that may be under way before there was an answer, and the least it becomes. */
const AT_FIRST = 64
const LEAST = 8

/** Started ones that the list may hold at its beginning. */
const MOST_STARTED = 256

export class Turns {
  readonly #most: number
  readonly #patienceMs: number
  readonly #now: () => number
  #underWay = 0
  /** The weight that may be under way now. */
  #room: number
  #shrunkAt = Number.NEGATIVE_INFINITY
  #waiting: Waiting[] = []
  /** Those before it have started. */
  #first = 0
  #isStarting = false

  /** `most`: the weight that may ever be under way; one that is heavier goes alone. `patienceMs`: what an answer may take. */
  constructor(most: number, now: () => number, patienceMs = Number.POSITIVE_INFINITY) {
    this.#most = most
    this.#patienceMs = patienceMs
    this.#room = Math.min(most, AT_FIRST)
    this.#now = now
  }

  /** Runs `start` now or when there is room, in the order asked. Each needs an `end`, whatever becomes of it. */
  take(weight: number, start: Start): void {
    if (this.#first === this.#waiting.length && this.#hasRoomFor(weight)) {
      this.#underWay += weight
      start(false)
    } else {
      this.#waiting.push({ weight, start, since: this.#now(), context: keepContext() })
    }
  }

  /** `tookMs`: how long the answer took; absent where there was none. */
  end(weight: number, tookMs?: number): void {
    this.#underWay -= weight
    if (tookMs !== undefined) this.#adapt(weight, tookMs)
    if (this.#first < this.#waiting.length)
      this.#startWhile((next) => this.#hasRoomFor(next.weight))
  }

  /** The store does not answer: who has waited for `waitedMs` is told that it is overdue. */
  giveUp(waitedMs: number): void {
    const since = this.#now() - waitedMs
    this.#startWhile((next) => next.since <= since, true)
  }

  #startWhile(isNext: (next: Waiting) => boolean, isOverdue = false): void {
    // A start that fails at once ends at once; it must not begin the next from inside.
    if (this.#isStarting) return
    this.#isStarting = true
    try {
      this.#startEach(isNext, isOverdue)
    } finally {
      this.#isStarting = false
    }
  }

  #startEach(isNext: (next: Waiting) => boolean, isOverdue: boolean): void {
    for (let next = this.#waiting[this.#first]; next !== undefined && isNext(next); ) {
      const { start, weight, context } = next
      this.#first += 1
      this.#underWay += weight
      runIn(context, () => start(isOverdue))
      next = this.#waiting[this.#first]
    }
    const isLong = this.#first > MOST_STARTED && this.#first > this.#waiting.length / 2
    if (!isLong && this.#first < this.#waiting.length) return
    this.#waiting = this.#waiting.slice(this.#first)
    this.#first = 0
  }

  #adapt(weight: number, tookMs: number): void {
    if (tookMs < this.#patienceMs / 4) {
      if (this.#room < this.#most) this.#room = Math.min(this.#most, this.#room + weight)
      return
    }
    const now = this.#now()
    // Once for all that were sent together.
    if (tookMs < this.#patienceMs / 2 || now - this.#shrunkAt < tookMs) return
    this.#shrunkAt = now
    this.#room = Math.max(LEAST, Math.floor(this.#room / 2))
  }

  #hasRoomFor(weight: number): boolean {
    return this.#underWay === 0 || this.#underWay + weight <= this.#room
  }
}
