/**
 * A limit provider behind our own deadline and a breaker: a slow store is worse than none, because every call of the
 * application would wait for it.
 */

import type { Clock } from '../contracts/clock.ts'
import type {
  Admission,
  LimitReply,
  LimitRequest,
  LimitRule,
  RateLimitProvider,
} from '../contracts/rate-limit-provider.ts'
import { StoreTimeoutError, StoreUnavailableError } from '../errors/store-error.ts'
import type { Emitter } from '../events/events.ts'
import { Breaker } from '../remote/breaker.ts'

/** How long giving back, renewing and resetting may take; nobody's request waits for them. */
const ASIDE_TIMEOUT_MS = 1_000

export class LimitStore {
  readonly provider: RateLimitProvider
  readonly #clock: Clock
  readonly #events: Emitter
  readonly #breaker: Breaker

  constructor(provider: RateLimitProvider, clock: Clock, events: Emitter) {
    this.provider = provider
    this.#clock = clock
    this.#events = events
    this.#breaker = new Breaker(
      () => clock.now(),
      (state) => events.emit('limit-breaker', { state, provider: provider.name }),
    )
  }

  /** @throws StoreUnavailableError without trying, or StoreTimeoutError, or what the provider rejects with. */
  async decide(
    rule: LimitRule,
    requests: readonly LimitRequest[],
    timeoutMs: number,
  ): Promise<readonly LimitReply[]> {
    const operation = 'limits.decide'
    if (!this.#breaker.admits()) {
      const error = new StoreUnavailableError(operation)
      this.#events.emit('store-error', { operation, error, skipped: true })
      throw error
    }
    return this.#within(operation, timeoutMs, () => this.provider.decide(rule, requests))
  }

  refund(rule: LimitRule, admission: Admission): Promise<boolean> {
    return this.#aside('limits.refund', () => this.provider.refund(rule, admission))
  }

  renew(rule: LimitRule, admissions: readonly Admission[]): Promise<readonly boolean[]> {
    return this.#aside('limits.renew', () => this.provider.renew(rule, admissions))
  }

  reset(rule: LimitRule, key: string): Promise<void> {
    return this.#aside('limits.reset', () => this.provider.reset(rule, key))
  }

  #aside<Result>(operation: string, call: () => Promise<Result>): Promise<Result> {
    return this.#within(operation, ASIDE_TIMEOUT_MS, call)
  }

  async #within<Result>(
    operation: string,
    timeoutMs: number,
    call: () => Promise<Result>,
  ): Promise<Result> {
    try {
      const result = await new Promise<Result>((resolve, reject) => {
        const fail = (): void => {
          // A process that was held up may find the answer waiting in the socket: sockets are looked at before this runs.
          setImmediate(() => reject(new StoreTimeoutError(operation, timeoutMs)))
        }
        const cancel = this.#clock.schedule(timeoutMs, fail, 'caller')
        // A late rejection lands in a settled promise and is dropped.
        call().then(resolve, reject).finally(cancel)
      })
      this.#breaker.succeeded()
      return result
    } catch (error) {
      this.#breaker.failed()
      this.#events.emit('store-error', { operation, error, skipped: false })
      throw error
    }
  }
}
