/** The rule that a call is under: always the same, or another one for each limit that is looked up. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { isThenable } from '../lifecycle/is-thenable.ts'
import { parseDuration } from '../options/duration.ts'
import { orDefault } from '../options/or-default.ts'
import { type Capacity, capacityOf } from './capacity.ts'
import type { Decisions } from './decisions.ts'
import { LimitLookup, type LookupCall, type LookupParts } from './limit-lookups.ts'
import {
  LIMITER_DEFAULTS,
  type LimiterOptions,
  type LimiterOrigin,
  type ResolvedLimiter,
  resolveLimiterOf,
} from './limiter-options.ts'
import type { ConcurrencyOptions, PolicyOptions } from './policy-options.ts'

/** A limiter under known limits. */
export interface LimitVariant {
  readonly limiter: ResolvedLimiter
  readonly decisions: Decisions
  /** What a call may cost; where limits are looked up, what costs more is refused, and is nobody's mistake. */
  readonly capacity: Capacity | undefined
}

export interface VariantParts extends Omit<LookupParts, 'source' | 'option' | 'ttlMs'> {
  decide(limiter: ResolvedLimiter): Decisions
}

type Policy = PolicyOptions<never> | ConcurrencyOptions<never>

/** Limits that differ; beyond, the oldest variant is made anew. */
const MOST_VARIANTS = 1_000

export class LimitVariants {
  /** One of them: for what does not depend on limits. */
  readonly any: LimitVariant
  /** False where there is no other. */
  readonly isLookedUp: boolean
  readonly #lookups: readonly (LimitLookup | number)[]
  readonly #make: (limits: readonly number[]) => LimitVariant
  readonly #variants = new Map<string, LimitVariant>()

  /** @throws InvalidOptionError */
  constructor(options: LimiterOptions, origin: LimiterOrigin, parts: VariantParts) {
    const template = templateOf(options, origin)
    this.isLookedUp = template.isLookedUp
    const make = (limits: readonly number[], isExample: boolean): LimitVariant => {
      const { isLookedUp } = this
      const said = template.withLimits(limits)
      const limiter = resolveLimiterOf(said, { ...origin, isLookedUp, isExample })
      const capacity = this.isLookedUp ? undefined : capacityOf(limiter.rule)
      return { limiter, decisions: parts.decide(limiter), capacity }
    }
    this.#make = (limits) => make(limits, false)
    this.any = make(template.examples, true)
    const ttlMs = parseDuration(
      orDefault(options.limitTtl, LIMITER_DEFAULTS.limitTtl),
      `${origin.where}.limitTtl`,
    )
    this.#lookups = template.sources.map(({ source, option }, i) =>
      source === undefined
        ? (template.examples[i] as number)
        : new LimitLookup({ ...parts, source, option, ttlMs }),
    )
  }

  /**
   * Returns what a call is under, or a promise of it.
   *
   * @throws what a lookup throws; InvalidOptionError where that is no limit
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
    const variant = this.#make(limits)
    this.#variants.set(id, variant)
    if (this.#variants.size > MOST_VARIANTS) {
      const [oldest] = this.#variants.keys()
      if (oldest !== undefined) this.#variants.delete(oldest)
    }
    return variant
  }
}

/** The checked form of options whose limits may be functions, under limits that only stand for them. @throws InvalidOptionError */
export function resolveTemplate(
  options: LimiterOptions,
  origin: LimiterOrigin,
): { readonly limiter: ResolvedLimiter; readonly isLookedUp: boolean } {
  const { isLookedUp, withLimits, examples } = templateOf(options, origin)
  const found = { ...origin, isLookedUp, isExample: true }
  return { limiter: resolveLimiterOf(withLimits(examples), found), isLookedUp }
}

interface Template {
  readonly isLookedUp: boolean
  /** The function of each policy, if its limit is one. */
  readonly sources: readonly {
    readonly source: ((...args: never[]) => unknown) | undefined
    readonly option: string
  }[]
  /** A limit for each policy: its own, or one that goes with its other options. */
  readonly examples: readonly number[]
  withLimits(limits: readonly number[]): LimiterOptions
}

function templateOf(options: LimiterOptions, { where, ownName }: LimiterOrigin): Template {
  const policies: readonly unknown[] = Array.isArray(options?.policies)
    ? options.policies
    : [options]
  const isSeveral = Array.isArray(options?.policies)
  const sources = policies.map((policy, i) => {
    const limit = (policy as Policy | null | undefined)?.limit as unknown
    const option = isSeveral ? `${where}.policies[${i}].limit` : `${where}.limit`
    return { option, source: typeof limit === 'function' ? (limit as () => unknown) : undefined }
  })
  const isLookedUp = sources.some(({ source }) => source !== undefined)
  if (isLookedUp && options.name === undefined && ownName === undefined) {
    const expected = 'a name, because what is counted has to be found again under another limit'
    throw new InvalidOptionError({ option: `${where}.name`, expected, received: undefined })
  }
  const known = (policy: unknown, limit: number | undefined, i: number): object =>
    sources[i]?.source === undefined ? (policy as object) : underLimit(policy as Policy, limit ?? 1)
  return {
    isLookedUp,
    sources,
    examples: policies.map((policy, i) =>
      sources[i]?.source === undefined ? (policy as { limit: number })?.limit : exampleOf(policy),
    ),
    withLimits(limits) {
      if (!isLookedUp) return options as LimiterOptions
      if (!isSeveral) return known(options, limits[0], 0) as LimiterOptions
      const all = policies.map((policy, i) => known(policy, limits[i], i))
      return { ...options, policies: all } as unknown as LimiterOptions
    },
  }
}

/** With `hard`, a bucket's burst is no more than its limit. */
function exampleOf(policy: unknown): number {
  const { burst } = policy as { readonly burst?: unknown }
  return typeof burst === 'number' && Number.isInteger(burst) && burst > 0 ? burst : 1
}

/** The algorithm must not change with the limit: under another one everything begins anew. */
function underLimit(policy: Policy, limit: number): object {
  const isCalendar = ['hour', 'day', 'week', 'month'].includes(policy.per as string)
  const algorithm = policy.algorithm ?? (isCalendar ? undefined : 'window')
  return { ...policy, limit, ...(algorithm === undefined ? {} : { algorithm }) }
}
