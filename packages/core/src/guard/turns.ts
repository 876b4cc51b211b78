/**
 * Bounds how much is under way at the store: calls beyond that wait for their turn.
 *
 * Ten thousand keys requested at once are more than any store answers within a deadline that is meant for one call. Sent all
 * at once, the last of them would time out on a store that works at full speed, and their deadlines would measure our own
 * queue. So a deadline begins when its call does, and calls begin as others end. The exception is a store that does not answer:
 * a call that has waited for as long as an answer may take is then given up.
 *
 * How much a store answers in time depends on the store, and on how busy this machine is. So the amount is small at first,
 * grows with each quick answer, as in TCP, and is halved when answers begin to take half of the time they may take.
 */

import { type KeptContext, keepContext, runIn } from '../lifecycle/call-context.ts'

/** Begins a call; `isOverdue`: it must not be tried any more. */
export type Start = (isOverdue: boolean) => void

interface WaitingCall {
  readonly weight: number
  readonly start: Start
  /** When it was asked for, monotonic ms. */
  readonly since: number
  /** That of the caller: its turn comes when the call of another caller ends. */
  readonly context: KeptContext
}

/** The weight that may be under way before the first answer, and the smallest value later. */
const AT_FIRST = 64
const LEAST = 8

/** How many started calls may stay at the beginning of the list. */
const MOST_STARTED = 256

export class Turns {
  readonly #most: number
  readonly #patienceMs: number
  readonly #now: () => number
  #underWay = 0
  /** The weight that may be under way now. */
  #room: number
  #shrunkAt = Number.NEGATIVE_INFINITY
  #waiting: WaitingCall[] = []
  /** Calls before this index have started. */
  #first = 0
  #isStarting = false

  /** `most`: the largest weight that may ever be under way; a heavier call goes alone. `patienceMs`: how long an answer may take. */
  constructor(most: number, now: () => number, patienceMs = Number.POSITIVE_INFINITY) {
    this.#most = most
    this.#patienceMs = patienceMs
    this.#room = Math.min(most, AT_FIRST)
    this.#now = now
  }

  /** Runs `start` now or when there is room, in the order of the calls. Each start needs an `end`, also when it fails. */
  take(weight: number, start: Start): void {
    if (this.#first === this.#waiting.length && this.#hasRoomFor(weight)) {
      this.#underWay += weight
      start(false)
    } else {
      this.#waiting.push({ weight, start, since: this.#now(), context: keepContext() })
    }
  }

  /** `tookMs`: how long the answer took; absent where no answer came. */
  end(weight: number, tookMs?: number): void {
    this.#underWay -= weight
    if (tookMs !== undefined) this.#adapt(weight, tookMs)
    if (this.#first < this.#waiting.length)
      this.#startWhile((next) => this.#hasRoomFor(next.weight))
  }

  /** The store does not answer: calls that have waited for `waitedMs` are told that they are overdue. */
  giveUp(waitedMs: number): void {
    const since = this.#now() - waitedMs
    this.#startWhile((next) => next.since <= since, true)
  }

  #startWhile(isNext: (next: WaitingCall) => boolean, isOverdue = false): void {
    // A start that fails at once ends at once; it must not begin the next call from inside.
    if (this.#isStarting) return
    this.#isStarting = true
    try {
      this.#startEach(isNext, isOverdue)
    } finally {
      this.#isStarting = false
    }
  }

  #startEach(isNext: (next: WaitingCall) => boolean, isOverdue: boolean): void {
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
    // Once for all calls that were sent together.
    if (tookMs < this.#patienceMs / 2 || now - this.#shrunkAt < tookMs) return
    this.#shrunkAt = now
    this.#room = Math.max(LEAST, Math.floor(this.#room / 2))
  }

  #hasRoomFor(weight: number): boolean {
    return this.#underWay === 0 || this.#underWay + weight <= this.#room
  }
}
