/**
 * Calls to a provider of locks or limits, behind our own deadline and a breaker.
 *
 * A client library queues and retries by its own rules: a call that hangs inside one would hang the caller, and an outage
 * would cost every caller the whole deadline. So the deadline is ours, an answer after it is ignored, and after some failures
 * in a row nothing is tried for a while.
 *
 * Three cases are distinguished, because only the last says that the store has trouble:
 * - the store answered, with a result or with an error that concerns one key (`StoreKeyError`): the store works;
 * - the time was over, but this process stood still meanwhile: nothing is known;
 * - the store did not answer in time, or refused for a reason that concerns every key: a failure.
 */

import type { Clock, Waiter } from '../contracts/clock.ts'
import { isStoreKeyError, StoreTimeoutError, StoreUnavailableError } from '../errors/store-error.ts'
import { Breaker, type BreakerState } from './breaker.ts'
import { Deadlines } from './deadlines.ts'

export interface GuardedCallsParts {
  readonly clock: Clock
  /** That of the provider. A process that starts is slow, so no deadline runs until the first attempt to connect has ended. */
  whenTried?(): Promise<void>
  /** Whether an error says that the store works. Beside those that concern one key */
  isAnswer?(error: unknown): boolean
  /** Called when the breaker opens, half-opens or closes. */
  onBreaker?(state: BreakerState): void
  /** Called for every call that failed. `skipped`: it was not tried. */
  onFailure?(operation: string, error: unknown, skipped: boolean): void
}

/** How long the first calls of a process wait for the first attempt to connect before their own time begins, ms. */
const FIRST_ATTEMPT_MS = 1_000

/** What the guard must know about a call; usually a constant. */
export interface CallBounds {
  readonly operation: string
  /** How long the call may take. */
  readonly timeoutMs: number
  /** `background` where no caller waits for the answer: then it must not keep a finished program alive. */
  readonly waiter: Waiter
}

/** Deadlines of so many lengths share their timers; few lengths are in use, and further ones get their own timers. */
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

  /** Since when nothing has been answered, ms: when the first failed call was begun. Undefined while calls succeed. */
  get failingSince(): number | undefined {
    return this.#failingSince
  }

  get breaker(): BreakerState {
    return this.#breaker.state
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
  ask<Result>(bounds: CallBounds, call: () => Promise<Result>): Promise<Result> {
    if (this.#breaker.admits()) return this.insist(bounds, call)
    const error = new StoreUnavailableError(bounds.operation)
    this.#parts.onFailure?.(bounds.operation, error, true)
    return Promise.reject(error)
  }

  /**
   * Calls even when the breaker is open: for calls that must not be lost because other calls failed.
   *
   * @throws StoreTimeoutError, or what the call rejects with
   */
  insist<Result>(bounds: CallBounds, call: () => Promise<Result>): Promise<Result> {
    if (this.#isTried) return this.#call(bounds, call)
    return this.#untilTried().then(() => this.#call(bounds, call))
  }

  #call<Result>(bounds: CallBounds, call: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const { operation, timeoutMs } = bounds
      const begunAt = this.#parts.clock.now()
      const fail = (error: unknown): void => {
        this.#parts.onFailure?.(operation, error, false)
        reject(error)
      }
      const { deadlines, isShared } = this.#deadlinesFor(bounds)
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
          if (this.#isAnswer(error)) this.#answered()
          else this.#failed(begunAt)
          fail(error)
        },
      )
    })
  }

  /** Ends the calls that were not answered, and drops the timers. */
  close(): void {
    for (const lengths of Object.values(this.#deadlines)) {
      for (const deadlines of lengths.values()) deadlines.endAll()
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
      // By its contract it never rejects; if it does, it has ended too.
      begin(async () => this.#parts.whenTried?.()).then(end, end)
    })
    return this.#firstAttempt
  }

  #isAnswer(error: unknown): boolean {
    return isStoreKeyError(error) || this.#parts.isAnswer?.(error) === true
  }

  #answered(): void {
    this.#answeredAt = this.#parts.clock.now()
    this.#failingSince = undefined
    this.#breaker.succeeded()
  }

  #failed(begunAt: number): void {
    // Other calls may have been answered while this one was under way.
    this.#failingSince ??= Math.max(begunAt, this.#answeredAt)
    this.#breaker.failed()
  }

  #deadlinesFor({ timeoutMs, waiter }: CallBounds): { deadlines: Deadlines; isShared: boolean } {
    const lengths = this.#deadlines[waiter]
    const known = lengths.get(timeoutMs)
    if (known !== undefined) return { deadlines: known, isShared: true }
    const deadlines = new Deadlines(this.#parts.clock, timeoutMs, waiter)
    const isShared = lengths.size < MOST_LENGTHS
    if (isShared) lengths.set(timeoutMs, deadlines)
    return { deadlines, isShared }
  }
}

/** The deadline also holds for a provider that throws instead of rejecting. */
function begin<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return call()
  } catch (error) {
    return Promise.reject(error)
  }
}
