/** The rule for a call: always the same, or one per looked-up limit. */

import { isThenable } from '../lifecycle/is-thenable.ts'
import { type Capacity, capacityOf } from './capacity.ts'
import type { Decisions } from './decisions.ts'
import type { KnownRule } from './known-rule.ts'
import { LimitLookup, type LookupCall, type LookupParts } from './limit-lookups.ts'
import type { ResolvedLimiter } from './resolve-limiter.ts'

/** A rule under known limits, and the decisions under it. */
export interface LimitVariant {
  readonly decisions: Decisions
  /** The most a call may cost; where limits are looked up, a call that costs more is refused, which is not an error. */
  readonly capacity: Capacity | undefined
}

export interface VariantParts extends Omit<LookupParts, 'source' | 'option' | 'ttlMs'> {
  decide(known: KnownRule): Decisions
}

/** How many different limits are kept; beyond, the oldest variant is made again when needed. */
const MOST_VARIANTS = 1_000

export class LimitVariants {
  /** One of them: for everything that does not depend on limits. */
  readonly any: LimitVariant
  /** False where there is no other. */
  readonly isLookedUp: boolean
  readonly #limiter: ResolvedLimiter
  readonly #parts: VariantParts
  readonly #lookups: readonly (LimitLookup | number)[]
  readonly #variants = new Map<string, LimitVariant>()

  constructor(limiter: ResolvedLimiter, parts: VariantParts) {
    this.#limiter = limiter
    this.#parts = parts
    this.isLookedUp = limiter.isLookedUp
    this.any = this.#make(limiter.usual)
    const ttlMs = limiter.settings.limitTtlMs
    this.#lookups = limiter.sources.map((source) =>
      typeof source === 'number'
        ? source
        : new LimitLookup({ ...parts, source: source.lookup, option: source.option, ttlMs }),
    )
  }

  /**
   * Returns the rule for a call, or a promise of it.
   *
   * @throws what a lookup throws; InvalidOptionError where the result is not a limit
   */
  find(call: LookupCall): LimitVariant | Promise<LimitVariant> {
    if (!this.isLookedUp) return this.any
    const limits = this.#lookups.map((lookup) =>
      typeof lookup === 'number' ? lookup : lookup.find(call),
    )
    if (limits.some(isThenable)) return Promise.all(limits).then((known) => this.#variantOf(known))
    return this.#variantOf(limits as readonly number[])
  }

  #variantOf(limits: readonly number[]): LimitVariant {
    const id = limits.join()
    const known = this.#variants.get(id)
    if (known !== undefined) return known
    const variant = this.#make(this.#limiter.under(limits))
    this.#variants.set(id, variant)
    if (this.#variants.size > MOST_VARIANTS) {
      const [oldest] = this.#variants.keys()
      if (oldest !== undefined) this.#variants.delete(oldest)
    }
    return variant
  }

  #make(known: KnownRule): LimitVariant {
    const capacity = this.isLookedUp ? undefined : capacityOf(known.rule)
    return { decisions: this.#parts.decide(known), capacity }
  }
}
