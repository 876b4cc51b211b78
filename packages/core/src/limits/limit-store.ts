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
import { InvalidOptionError } from '../errors/option-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BreakerState } from '../guard/breaker.ts'
import { type CallBounds, GuardedCalls } from '../guard/guarded-calls.ts'
import { Refunds } from './refunds.ts'

/** How long giving back, renewing and resetting may take; no request waits for them. */
const ASIDE_TIMEOUT_MS = 1_000
const DECIDE = 'limits.decide'
const REFUND = aside('limits.refund')
const RENEW: CallBounds = { ...aside('limits.renew'), waiter: 'background' }
const RESET = aside('limits.reset')
const ADJUST = aside('limits.adjust')
const BLOCK = aside('limits.block')

/** A change of what a key has counted: points given back, or the count set to so many. */
export interface Adjustment {
  readonly how: 'reward' | 'set'
  readonly points: number
}

export class LimitStore {
  readonly provider: RateLimitProvider
  readonly #calls: GuardedCalls
  readonly #refunds: Refunds

  constructor(provider: RateLimitProvider, clock: Clock, events: Emitter) {
    this.provider = provider
    const whenTried = provider.whenTried?.bind(provider)
    this.#calls = new GuardedCalls({
      clock,
      ...(whenTried === undefined ? {} : { whenTried }),
      onBreaker: (state) => events.emit('limit-breaker', { state, provider: provider.name }),
      onFailure: (operation, error, skipped) =>
        events.emit('store-error', { operation, error, skipped }),
    })
    this.#refunds = new Refunds((rule, admissions) =>
      this.#calls.insist(REFUND, () => this.#refundAll(rule, admissions)),
    )
  }

  get breaker(): BreakerState {
    return this.#calls.breaker
  }

  /** @throws StoreUnavailableError without trying, or StoreTimeoutError, or what the provider rejects with. */
  decide(
    rule: LimitRule,
    requests: readonly LimitRequest[],
    timeoutMs: number,
  ): Promise<readonly LimitReply[]> {
    const bounds: CallBounds = { operation: DECIDE, timeoutMs, waiter: 'caller' }
    return this.#calls.ask(bounds, () => this.provider.decide(rule, requests))
  }

  /** Together with others of this tick. */
  refund(rule: LimitRule, admission: Admission): Promise<boolean> {
    return this.#refunds.add(rule, admission)
  }

  renew(rule: LimitRule, admissions: readonly Admission[]): Promise<readonly boolean[]> {
    return this.#calls.insist(RENEW, () => this.provider.renew(rule, admissions))
  }

  reset(rule: LimitRule, key: string): Promise<void> {
    return this.#calls.insist(RESET, () => this.provider.reset(rule, key))
  }

  /** @throws InvalidOptionError where the provider cannot */
  async adjust(rule: LimitRule, key: string, { how, points }: Adjustment): Promise<number> {
    const { provider } = this
    if (provider.adjust === undefined) throw this.#unable(`limiter.${how}`, 'adjust')
    return this.#calls.insist(ADJUST, async () => provider.adjust?.(rule, key, how, points) ?? 0)
  }

  /** @throws InvalidOptionError where the provider cannot */
  async block(rule: LimitRule, key: string, us: number): Promise<void> {
    const { provider } = this
    if (provider.block === undefined) throw this.#unable('limiter.block', 'block')
    return this.#calls.insist(BLOCK, async () => provider.block?.(rule, key, us))
  }

  /** Closes the provider after everything that is being given back was sent, and ends its own timers. */
  async close(): Promise<void> {
    await this.#refunds.idle()
    await Promise.allSettled([this.provider.close()])
    this.#calls.close()
  }

  async #refundAll(rule: LimitRule, admissions: readonly Admission[]): Promise<readonly boolean[]> {
    const { provider } = this
    if (provider.refundAll !== undefined) return provider.refundAll(rule, admissions)
    return Promise.all(admissions.map((admission) => provider.refund(rule, admission)))
  }

  #unable(option: string, method: string): InvalidOptionError {
    const expected = `a rate-limit provider that has the method ${method}`
    return new InvalidOptionError({ option, expected, received: this.provider.name })
  }
}

function aside(operation: string): CallBounds {
  return { operation, timeoutMs: ASIDE_TIMEOUT_MS, waiter: 'caller' }
}
