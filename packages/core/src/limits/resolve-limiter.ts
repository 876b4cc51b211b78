/**
 * The checked form of a limiter's options. It is made once, where the options are given, and passed on: a decorator makes
 * it at definition, and binds it to each class on which the method is called.
 */

import { InvalidOptionError } from '../errors/option-error.ts'
import {
  assertBoolean,
  assertFunction,
  assertKnownOptions,
  assertOneOf,
} from '../options/assert-option.ts'
import { parseDuration } from '../options/duration.ts'
import { assertName } from '../options/name.ts'
import { orDefault } from '../options/or-default.ts'
import { type KnownRule, knownRule, type RuleWords, renamed } from './known-rule.ts'
import {
  LIMITER_DEFAULTS,
  LIMITER_OPTION_NAMES,
  type LimiterOptions,
  type OnStoreError,
} from './limiter-options.ts'
import { saidPolicies } from './said-policies.ts'

/** The name and place of a limiter. */
export interface LimiterPlace {
  /** How messages name it. */
  readonly where: string
  /** Its name when the options give none. @default made of the policies */
  readonly name?: string | undefined
}

/** The part that does not depend on limits. */
export interface ResolvedLimiterOptions {
  /** Undefined: depends on the stores that the manager has. */
  readonly onStoreError: OnStoreError | undefined
  readonly storeTimeoutMs: number
  readonly limitTtlMs: number
  readonly dryRun: boolean
  readonly enabled: (() => boolean) | undefined
}

/** A function that looks a limit up, and how messages name it; or a limit. */
export type LimitSource =
  | { readonly lookup: (...args: never[]) => unknown; readonly option: string }
  | number

const MS_PER_MINUTE = 60_000
const MS_PER_DAY = 86_400_000

/**
 * Checks a limiter's options, once and for all.
 *
 * @throws InvalidOptionError naming the first option that is unknown or wrong.
 */
export function resolveLimiter(options: LimiterOptions, place: LimiterPlace): ResolvedLimiter {
  const { where } = place
  assertKnownOptions(options, LIMITER_OPTION_NAMES, where)
  const { name } = options
  if (name !== undefined) assertName(name, `${where}.name`)
  const policies = saidPolicies(options, where)
  const isLookedUp = policies.some(({ lookup }) => lookup !== undefined)
  if (isLookedUp && name === undefined && place.name === undefined) {
    const expected = 'a name, so that its counts are found again when the limit changes'
    throw new InvalidOptionError({ option: `${where}.name`, expected, received: undefined })
  }
  const words: RuleWords = { options, policies, isLookedUp }
  const usual = knownRule(words, { where, name: name ?? place.name })
  return new ResolvedLimiter(words, resolveSettings(options, where), { where, usual })
}

/** A limiter whose options are checked. Made by `resolveLimiter`. */
export class ResolvedLimiter {
  /** How messages name it. */
  readonly where: string
  readonly settings: ResolvedLimiterOptions
  /** The rule of its calls; where limits are looked up, the rule with examples of limits. */
  readonly usual: KnownRule
  readonly #words: RuleWords

  constructor(
    words: RuleWords,
    settings: ResolvedLimiterOptions,
    { where, usual }: { readonly where: string; readonly usual: KnownRule },
  ) {
    this.#words = words
    this.settings = settings
    this.where = where
    this.usual = usual
  }

  /** The options name it. */
  get isNamed(): boolean {
    return this.#words.options.name !== undefined
  }

  /** At least one limit is a function. */
  get isLookedUp(): boolean {
    return this.#words.isLookedUp
  }

  /** As the user wrote them. */
  get options(): LimiterOptions {
    return this.#words.options
  }

  /** Where the limit of each policy comes from. */
  get sources(): readonly LimitSource[] {
    return this.#words.policies.map(({ at, lookup, example }) =>
      lookup === undefined ? example.limit : { lookup, option: `${this.where}${at}.limit` },
    )
  }

  /** Makes the rule under limits that were looked up, one for each policy. @throws InvalidOptionError */
  under(limits: readonly number[]): KnownRule {
    return knownRule(this.#words, { where: this.where, name: this.usual.rule.limiter, limits })
  }

  /** The same limiter for one of the places where it is used; a name from the options is kept. */
  at({ where, name }: { readonly where: string; readonly name: string }): ResolvedLimiter {
    const usual = this.isNamed ? this.usual : renamed(this.usual, name)
    return new ResolvedLimiter(this.#words, this.settings, { where, usual })
  }
}

function resolveSettings(options: LimiterOptions, where: string): ResolvedLimiterOptions {
  const { onStoreError, enabled, dryRun = LIMITER_DEFAULTS.dryRun } = options
  if (onStoreError !== undefined) {
    assertOneOf(onStoreError, ['local', 'open', 'closed'], `${where}.onStoreError`)
  }
  if (enabled !== undefined) assertFunction(enabled, `${where}.enabled`)
  assertBoolean(dryRun, `${where}.dryRun`)
  const limitTtl = orDefault(options.limitTtl, LIMITER_DEFAULTS.limitTtl)
  const storeTimeout = orDefault(options.storeTimeout, LIMITER_DEFAULTS.storeTimeout)
  const range = { min: 1, max: MS_PER_MINUTE }
  return {
    onStoreError,
    storeTimeoutMs: parseDuration(storeTimeout, `${where}.storeTimeout`, range),
    limitTtlMs: parseDuration(limitTtl, `${where}.limitTtl`, { max: MS_PER_DAY }),
    dryRun,
    enabled,
  }
}
