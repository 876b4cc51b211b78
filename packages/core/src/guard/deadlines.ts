/**
 * Deadlines of one length: the call that begins first is due first, so one timer serves all of them.
 *
 * One timer per call would cost more than the rest of the call. Calls mostly end in the order they began, so the list is
 * rarely longer than the number of calls under way.
 *
 * A delay of this process is not the other side's fault. When the event loop stood still, the timer is due although the answers
 * may lie in the socket, unread. So a deadline only ends after what has arrived was handed out; and if the timer itself was
 * late, the lost time is added, once, for calls that could not even be sent meanwhile.
 *
 * The other side is also not away while it works off earlier calls: as long as answers come to calls that are as old as the one
 * that is due, that one gets the same time again, once.
 */

import type { CancelTimer, Clock, Waiter } from '../contracts/clock.ts'
import { PassingQueue } from '../lifecycle/passing.ts'

/**
 * Called when the time is over. `wasHeldUp`: this process stood still meanwhile, or answers to calls as old as this one still
 * come, so the other side is not known to be away.
 */
export type OnOver = (wasHeldUp: boolean) => void

/** One call under way. */
export interface Deadline {
  readonly begunAt: number
  dueAt: number
  /** Cleared at the end: the list may keep the deadline for longer, and this refers to everything about the call. */
  onOver: OnOver | undefined
  /** True once lost time was added. */
  isExtended: boolean
}

/** A timer that is later than this was held up, ms; less is the usual variation of an event loop. */
const HELD_UP_MS = 20

export class Deadlines {
  readonly #clock: Clock
  readonly #ms: number
  readonly #waiter: Waiter
  /** The first one has not ended. */
  readonly #waiting = new PassingQueue<Deadline>()
  #cancel: CancelTimer | undefined
  #timerDueAt = 0
  #isClosed = false
  /** When the call that ended last was begun, and when it ended. */
  readonly #last = { begunAt: Number.POSITIVE_INFINITY, endedAt: Number.NEGATIVE_INFINITY }

  /** `ms`: how long each call may take. `waiter`: who waits for the calls. */
  constructor(clock: Clock, ms: number, waiter: Waiter) {
    this.#clock = clock
    this.#ms = ms
    this.#waiter = waiter
  }

  /** Begins a deadline; `onOver` is called once unless `end` comes first. */
  begin(onOver: OnOver): Deadline {
    const begunAt = this.#clock.now()
    const dueAt = begunAt + this.#ms
    const deadline: Deadline = { begunAt, dueAt, onOver, isExtended: false }
    this.#waiting.push(deadline)
    if (this.#cancel === undefined) this.#startTimer(this.#ms, dueAt)
    return deadline
  }

  /** Ends a deadline because the answer has come; false when the time was over before. */
  end(deadline: Deadline): boolean {
    if (deadline.onOver === undefined) return false
    deadline.onOver = undefined
    this.#last.begunAt = deadline.begunAt
    this.#last.endedAt = this.#clock.now()
    this.#forgetEnded()
    return true
  }

  /** Drops the timer; for after all calls have ended. */
  close(): void {
    this.#isClosed = true
    this.#stopTimer()
  }

  /** For the end: no answer is waited for any longer, and the other side is not to blame for that. */
  endAll(): void {
    this.close()
    for (let next = this.#waiting.first; next !== undefined; next = this.#waiting.first) {
      this.#waiting.dropFirst()
      const { onOver } = next
      next.onOver = undefined
      onOver?.(true)
    }
  }

  #startTimer(delayMs: number, dueAt: number): void {
    this.#timerDueAt = dueAt
    this.#cancel = this.#clock.schedule(delayMs, this.#look, this.#waiter)
  }

  #stopTimer(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  readonly #look = (): void => {
    const lateMs = this.#clock.now() - this.#timerDueAt
    const end = (): void => this.#endDue(lateMs)
    if (this.#clock.afterArrivals === undefined) end()
    else this.#clock.afterArrivals(end)
  }

  /** `lateMs`: by how much the timer was late. */
  #endDue(lateMs: number): void {
    if (this.#isClosed) return
    this.#stopTimer()
    const wasHeldUp = lateMs > HELD_UP_MS
    const now = this.#clock.now()
    if (wasHeldUp) this.#extend(now, Math.min(lateMs, this.#ms))
    const isMoving = this.#isMoving(now)
    if (isMoving) this.#extend(now, this.#ms)
    for (let next = this.#waiting.first; next !== undefined && next.dueAt <= now; ) {
      const { onOver } = next
      next.onOver = undefined
      this.#forgetEnded()
      onOver?.(wasHeldUp || isMoving)
      next = this.#waiting.first
    }
    const next = this.#waiting.first
    if (next === undefined || this.#cancel !== undefined) return
    this.#startTimer(Math.max(1, next.dueAt - now), next.dueAt)
  }

  /** Tells whether calls as old as the one that is due are being answered, one after the other. */
  #isMoving(now: number): boolean {
    const { begunAt, endedAt } = this.#last
    const due = this.#waiting.first
    return due !== undefined && begunAt <= due.begunAt && now - endedAt <= this.#ms / 2
  }

  /** Gives `byMs` more to each deadline that has not been extended yet, counted from `now` if it is due. The order stays the same. */
  #extend(now: number, byMs: number): void {
    for (let i = 0; i < this.#waiting.size; i++) {
      const deadline = this.#waiting.at(i)
      if (deadline === undefined || deadline.isExtended) continue
      deadline.isExtended = true
      deadline.dueAt = Math.max(deadline.dueAt, now) + byMs
    }
  }

  #forgetEnded(): void {
    const waiting = this.#waiting
    while (waiting.size > 0 && waiting.first?.onOver === undefined) waiting.dropFirst()
    // A timer that is left running would keep a finished program alive.
    if (waiting.size === 0 && this.#waiter === 'caller') this.#stopTimer()
  }
}

/** An application may compute new options for each cache. Above this number, the oldest length is dropped, and made again when needed. */
const MOST_LENGTHS = 1_000

/** Deadlines by their length. Few lengths are in use, and each takes one timer, however many calls it bounds. */
export class DeadlineLengths {
  readonly #clock: Clock
  readonly #waiter: Waiter
  readonly #lengths = new Map<number, Deadlines>()

  /** `waiter`: who waits for the calls that are bounded. */
  constructor(clock: Clock, waiter: Waiter) {
    this.#clock = clock
    this.#waiter = waiter
  }

  /** How many lengths are remembered. */
  get size(): number {
    return this.#lengths.size
  }

  of(ms: number): Deadlines {
    const known = this.#lengths.get(ms)
    if (known !== undefined) return known
    if (this.#lengths.size >= MOST_LENGTHS) {
      const [first] = this.#lengths.keys()
      // The calls that it still bounds go on; its timer ends with them.
      if (first !== undefined) this.#lengths.delete(first)
    }
    const deadlines = new Deadlines(this.#clock, ms, this.#waiter)
    this.#lengths.set(ms, deadlines)
    return deadlines
  }

  /** Drops the timers; for after all calls have ended. */
  close(): void {
    for (const deadlines of this.#lengths.values()) deadlines.close()
  }

  /** For the end: no answer is waited for any longer. */
  endAll(): void {
    for (const deadlines of this.#lengths.values()) deadlines.endAll()
  }
}
