/**
 * Calls to a provider of locks or limits, behind our own deadline and a breaker.
 *
 * A client library queues and retries on its own terms: a call that hangs inside one would hang the caller, and an outage
 * would cost every caller the whole deadline. So the deadline is ours, what comes after it is ignored, and after some
 * failures in a row nothing is tried for a while.
 *
 * Three things are told apart, because only the last says something about the store:
 * - the store answered, with a result or with an error that concerns one key (`StoreKeyError`): it is well;
 * - the time was over, but this process stood still meanwhile: nobody knows;
 * - it did not answer in time, or refused for a reason that concerns everybody: a failure.
 */

import type { Clock, Waiter } from '../contracts/clock.ts'
import { isStoreKeyError, StoreTimeoutError, StoreUnavailableError } from '../errors/store-error.ts'
import { Breaker, type BreakerState } from './breaker.ts'
import { Deadlines } from './deadlines.ts'

export interface GuardedCallsParts {
  readonly clock: Clock
  /** The provider's: until the first attempt to connect has ended, a process that starts is slow, and no deadline runs. */
  whenTried?(): Promise<void>
  /** Told when the breaker opens, half-opens or closes. */
  onBreaker?(state: BreakerState): void
  /** Told of every call that failed. `skipped`: it was not tried. */
  onFailure?(operation: string, error: unknown, skipped: boolean): void
}

/** How long the first calls of a process wait for the first attempt to connect before their own time begins, ms. */
const FIRST_ATTEMPT_MS = 1_000

/** What is said about a call; mostly a constant. */
export interface CallTerms {
  readonly operation: string
  /** How long the call may take. */
  readonly timeoutMs: number
  /** `background` where nobody's promise hangs on the answer: it must not keep a finished program alive. */
  readonly waiter: Waiter
}

/** Deadlines of so many lengths share their timers; few are in use, and any other length has one of its own. */
const MOST_LENGTHS = 16

export class GuardedCalls {
  readonly #parts: GuardedCallsParts
  readonly #breaker: Breaker
  readonly #deadlines: Readonly<Record<Waiter, Map<number, Deadlines>>> = {
    caller: new Map(),
    background: new Map(),
  }
  #answeredAt = Number.NEGATIVE_INFINITY
  #failingSince: number | undefined
  /** Shared by the calls that came before the first attempt had ended. */
  #firstAttempt: Promise<void> | undefined
  #isTried: boolean

  constructor(parts: GuardedCallsParts) {
    this.#parts = parts
    this.#isTried = parts.whenTried === undefined
    this.#breaker = new Breaker(
      () => parts.clock.now(),
      (state) => parts.onBreaker?.(state),
    )
  }

  /** Since when nothing has been answered, ms: when the first call that failed was begun. Undefined while all is well. */
  get failingSince(): number | undefined {
    return this.#failingSince
  }

  /** True once the breaker keeps calls away. */
  get isOpen(): boolean {
    return this.#breaker.state !== 'closed'
  }

  /**
   * Calls unless the breaker is open.
   *
   * @throws StoreUnavailableError without trying, StoreTimeoutError, or what the call rejects with
   */
  ask<Result>(terms: CallTerms, call: () => Promise<Result>): Promise<Result> {
    if (this.#breaker.admits()) return this.insist(terms, call)
    const error = new StoreUnavailableError(terms.operation)
    this.#parts.onFailure?.(terms.operation, error, true)
    return Promise.reject(error)
  }

  /**
   * Calls whatever the breaker says: for what is not to be lost because others' calls failed.
   *
   * @throws StoreTimeoutError, or what the call rejects with
   */
  insist<Result>(terms: CallTerms, call: () => Promise<Result>): Promise<Result> {
    if (this.#isTried) return this.#call(terms, call)
    return this.#untilTried().then(() => this.#call(terms, call))
  }

  #call<Result>(terms: CallTerms, call: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const { operation, timeoutMs } = terms
      const begunAt = this.#parts.clock.now()
      const fail = (error: unknown): void => {
        this.#parts.onFailure?.(operation, error, false)
        reject(error)
      }
      const { deadlines, isShared } = this.#deadlinesFor(terms)
      const deadline = deadlines.begin((wasHeldUp) => {
        if (wasHeldUp) this.#breaker.toldNothing()
        else this.#failed(begunAt)
        fail(new StoreTimeoutError(operation, timeoutMs, wasHeldUp))
      })
      const isInTime = (): boolean => {
        if (!isShared) deadlines.close()
        return deadlines.end(deadline)
      }
      begin(call).then(
        (result) => {
          if (!isInTime()) return
          this.#answered()
          resolve(result)
        },
        (error: unknown) => {
          if (!isInTime()) return
          if (isStoreKeyError(error)) this.#answered()
          else this.#failed(begunAt)
          fail(error)
        },
      )
    })
  }

  /** Drops the timers; for when all calls have ended. */
  close(): void {
    for (const lengths of Object.values(this.#deadlines)) {
      for (const deadlines of lengths.values()) deadlines.close()
      lengths.clear()
    }
  }

  #untilTried(): Promise<void> {
    this.#firstAttempt ??= new Promise((resolve) => {
      const end = (): void => {
        cancel()
        this.#isTried = true
        resolve()
      }
      const cancel = this.#parts.clock.schedule(FIRST_ATTEMPT_MS, end, 'caller')
      // It never rejects by its contract; one that does has ended too.
      begin(async () => this.#parts.whenTried?.()).then(end, end)
    })
    return this.#firstAttempt
  }

  #answered(): void {
    this.#answeredAt = this.#parts.clock.now()
    this.#failingSince = undefined
    this.#breaker.succeeded()
  }

  #failed(begunAt: number): void {
    // Others' calls may have been answered while this one was under way.
    this.#failingSince ??= Math.max(begunAt, this.#answeredAt)
    this.#breaker.failed()
  }

  #deadlinesFor({ timeoutMs, waiter }: CallTerms): { deadlines: Deadlines; isShared: boolean } {
    const lengths = this.#deadlines[waiter]
    const known = lengths.get(timeoutMs)
    if (known !== undefined) return { deadlines: known, isShared: true }
    const deadlines = new Deadlines(this.#parts.clock, timeoutMs, waiter)
    const isShared = lengths.size < MOST_LENGTHS
    if (isShared) lengths.set(timeoutMs, deadlines)
    return { deadlines, isShared }
  }
}

/** A provider that throws instead of rejecting is no reason to lose the deadline. */
function begin<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return call()
  } catch (error) {
    return Promise.reject(error)
  }
}
