/** The limiters of one manager: who is asked, who stands in, and what they have in common. */

import { randomBytes } from 'node:crypto'
import type { Clock } from '../contracts/clock.ts'
import type { RateLimitProvider } from '../contracts/rate-limit-provider.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { Decisions } from './decisions.ts'
import { KnownRefusals } from './known-refusals.ts'
import { LimitStore } from './limit-store.ts'
import { LimitVariants } from './limit-variants.ts'
import { Limiter } from './limiter.ts'
import type { LimiterOptions, OnStoreError, ResolvedLimiter } from './limiter-options.ts'

export interface LimitsParts {
  readonly namespace: string
  readonly provider: RateLimitProvider
  /** For `onStoreError: 'local'`. */
  readonly fallback: RateLimitProvider | undefined
  /** Precise: a reading from the beginning of a long turn of the event loop would wait too long. */
  readonly clock: Clock
  readonly events: Emitter
  readonly work: BackgroundWork
}

/** What a limiter is made for, where the options do not say. */
export interface LimiterPlace {
  /** The limiter's name. */
  readonly name: string
  /** How messages name the place. */
  readonly where: string
}

/** Whoever makes limiters anew with each call still gets the same few of these; the one not made for longest is let go. */
const MOST_DECISIONS = 1_000
const PERMIT_BYTES = 9

export class Limits {
  readonly #parts: LimitsParts
  readonly #store: LimitStore
  readonly #fallback: LimitStore | undefined
  readonly #decisions = new Map<string, Decisions>()
  readonly #known = new KnownRefusals()
  readonly #closing = new AbortController()
  readonly #permitPrefix = randomBytes(PERMIT_BYTES).toString('base64url')
  #permits = 0

  constructor(parts: LimitsParts) {
    this.#parts = parts
    const { provider, fallback, clock, events, namespace } = parts
    this.#store = new LimitStore(provider, clock, events)
    this.#fallback = fallback === undefined ? undefined : new LimitStore(fallback, clock, events)
    provider.listener = {
      onFreed: (limiter, key) => this.#known.freed(limiter, key),
      onDoubt: () => this.#known.freedAny(),
    }
    provider.open(namespace)
    fallback?.open(namespace)
  }

  /** Makes a limiter. @throws InvalidOptionError */
  limiter(options: LimiterOptions, place?: LimiterPlace): Limiter {
    const where = place?.where ?? 'limiter'
    const { clock, events, work } = this.#parts
    const origin = { where, ownName: place?.name }
    const variants = new LimitVariants(options, origin, {
      clock,
      decide: (limiter) => this.#decisionsOf(limiter, this.#onStoreError(limiter, where)),
      failed: (error) => events.emit('background-error', { task: 'look up a limit', error }),
    })
    return new Limiter({
      variants,
      clock,
      events,
      work,
      closing: this.#closing.signal,
      nextPermit: () => `${this.#permitPrefix}${(this.#permits++).toString(36)}`,
      freed: (name, key) => this.#known.freed(name, key),
    })
  }

  /** Ends the waiting of all who wait, gives their turns back, and closes the provider. */
  async close(): Promise<void> {
    this.#closing.abort(new ClosedError())
    // Those who waited learn of it, and give back.
    await new Promise((resolve) => setImmediate(resolve))
    this.#decisions.clear()
    await Promise.all([this.#store.close(), this.#fallback?.close()])
  }

  #onStoreError({ onStoreError }: ResolvedLimiter, where: string): OnStoreError {
    const canStandIn = this.#fallback !== undefined
    // The store of this process alone has nobody to stand in for it, and needs nobody.
    const isAlone = !this.#store.provider.capabilities.shared
    if (onStoreError === undefined) return canStandIn ? 'local' : 'closed'
    if (onStoreError !== 'local' || canStandIn || isAlone) return onStoreError
    throw new InvalidOptionError({
      option: `${where}.onStoreError`,
      expected:
        "'open' or 'closed', or a manager with an in-process store such as local: lruStore()",
      received: onStoreError,
    })
  }

  /** Limiters with the same rule ask together, and know the same refusals. */
  #decisionsOf(limiter: ResolvedLimiter, onStoreError: OnStoreError): Decisions {
    const { rule, localRule, storeTimeoutMs } = limiter
    const id = JSON.stringify([rule, localRule, storeTimeoutMs, onStoreError])
    const known = this.#decisions.get(id)
    this.#decisions.delete(id)
    const decisions = known ?? this.#newDecisions(limiter, onStoreError)
    this.#decisions.set(id, decisions)
    const [oldest] = this.#decisions.keys()
    if (this.#decisions.size > MOST_DECISIONS && oldest !== undefined)
      this.#decisions.delete(oldest)
    return decisions
  }

  #newDecisions(limiter: ResolvedLimiter, onStoreError: OnStoreError): Decisions {
    return new Decisions({
      limiter,
      onStoreError,
      store: this.#store,
      fallback: this.#fallback,
      clock: this.#parts.clock,
      known: this.#known,
    })
  }
}
