/** The limiters of one manager: which store decides, which one replaces it, and what they have in common. */

import { randomBytes } from 'node:crypto'
import type { Clock } from '../contracts/clock.ts'
import type { RateLimitProvider } from '../contracts/rate-limit-provider.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { Decisions } from './decisions.ts'
import { KnownRefusals } from './known-refusals.ts'
import type { KnownRule } from './known-rule.ts'
import { LimitStore } from './limit-store.ts'
import { LimitVariants } from './limit-variants.ts'
import { Limiter } from './limiter.ts'
import type { OnStoreError } from './limiter-options.ts'
import type { ResolvedLimiter } from './resolve-limiter.ts'

export interface LimitsParts {
  readonly namespace: string
  readonly provider: RateLimitProvider
  /** For `onStoreError: 'local'`. */
  readonly fallback: RateLimitProvider | undefined
  /** Precise: after a reading from the beginning of a long turn of the event loop, a call would wait too long. */
  readonly clock: Clock
  readonly events: Emitter
  readonly work: BackgroundWork
}

/** An application that makes new limiters with each call still gets the same few of these; the oldest one is dropped. */
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

  /** The stores that decide: the shared one, and what stands in for it. */
  get stores(): readonly LimitStore[] {
    return this.#fallback === undefined ? [this.#store] : [this.#store, this.#fallback]
  }

  /** Makes a limiter. @throws InvalidOptionError when no other store can replace the shared one as its options demand */
  limiter(limiter: ResolvedLimiter): Limiter {
    const { namespace, clock, events, work } = this.#parts
    const onStoreError = this.#onStoreError(limiter)
    const { storeTimeoutMs } = limiter.settings
    const variants = new LimitVariants(limiter, {
      clock,
      decide: (known) => this.#decisionsOf(known, { onStoreError, storeTimeoutMs }),
      failed: (error) => events.emit('background-error', { task: 'look up a limit', error }),
    })
    return new Limiter({
      namespace,
      settings: limiter.settings,
      variants,
      clock,
      events,
      work,
      closing: this.#closing.signal,
      nextPermit: () => `${this.#permitPrefix}${(this.#permits++).toString(36)}`,
      freed: (name, key) => this.#known.freed(name, key),
    })
  }

  /** Ends all waiting, gives the turns back, and closes the provider. */
  async close(): Promise<void> {
    this.#closing.abort(new ClosedError())
    // The callers that waited are told, and give back.
    await new Promise((resolve) => setImmediate(resolve))
    this.#decisions.clear()
    await Promise.all([this.#store.close(), this.#fallback?.close()])
  }

  #onStoreError({ where, settings }: ResolvedLimiter): OnStoreError {
    const { onStoreError } = settings
    const canStandIn = this.#fallback !== undefined
    // An in-process store has no other store to replace it, and does not need one.
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
  #decisionsOf({ rule, localRule, contents }: KnownRule, how: HowToAsk): Decisions {
    const id = [rule.limiter, how.onStoreError, how.storeTimeoutMs, contents].join(';')
    const known = this.#decisions.get(id)
    this.#decisions.delete(id)
    const decisions =
      known ??
      new Decisions({
        ...how,
        rule,
        localRule,
        store: this.#store,
        fallback: this.#fallback,
        clock: this.#parts.clock,
        known: this.#known,
      })
    this.#decisions.set(id, decisions)
    const [oldest] = this.#decisions.keys()
    if (this.#decisions.size > MOST_DECISIONS && oldest !== undefined)
      this.#decisions.delete(oldest)
    return decisions
  }
}

/** How a limiter asks the store, beside its rule. */
interface HowToAsk {
  readonly onStoreError: OnStoreError
  readonly storeTimeoutMs: number
}
