/**
 * The checked form of a limiter's options. It is made once, where the options are given, and handed on: a decorator makes
 * it at definition, and ties it to each class that the method is called on.
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
import { type KnownRule, knownRule, type RuleWords, renamed } from './known-rule.ts'
import {
  LIMITER_DEFAULTS,
  LIMITER_OPTION_NAMES,
  type LimiterOptions,
  type OnStoreError,
} from './limiter-options.ts'
import { saidPolicies } from './said-policies.ts'

/** What a limiter is made for. */
export interface LimiterPlace {
  /** How messages name it. */
  readonly where: string
  /** Its name when the options give none. @default made of the policies */
  readonly name?: string | undefined
}

/** What does not depend on limits. */
export interface ResolvedSettings {
  /** Undefined: what the manager has decides. */
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
 * Checks a limiter's options, once for all.
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
    const expected = 'a name, because what is counted has to be found again under another limit'
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
  readonly settings: ResolvedSettings
  /** The rule it is under; where limits are looked up, under some that stand for them. */
  readonly usual: KnownRule
  readonly #words: RuleWords

  constructor(
    words: RuleWords,
    settings: ResolvedSettings,
    { where, usual }: { readonly where: string; readonly usual: KnownRule },
  ) {
    this.#words = words
    this.settings = settings
    this.where = where
    this.usual = usual
  }

  /** Its options name it. */
  get isNamed(): boolean {
    return this.#words.options.name !== undefined
  }

  /** At least one limit is a function. */
  get isLookedUp(): boolean {
    return this.#words.isLookedUp
  }

  /** As the user said them. */
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

  /** The same for one of the places that it is used at; what its options name keeps its name. */
  at({ where, name }: { readonly where: string; readonly name: string }): ResolvedLimiter {
    const usual = this.isNamed ? this.usual : renamed(this.usual, name)
    return new ResolvedLimiter(this.#words, this.settings, { where, usual })
  }
}

function resolveSettings(options: LimiterOptions, where: string): ResolvedSettings {
  const { onStoreError, enabled, dryRun = LIMITER_DEFAULTS.dryRun } = options
  if (onStoreError !== undefined) {
    assertOneOf(onStoreError, ['local', 'open', 'closed'], `${where}.onStoreError`)
  }
  if (enabled !== undefined) assertFunction(enabled, `${where}.enabled`)
  assertBoolean(dryRun, `${where}.dryRun`)
  const limitTtl = options.limitTtl ?? LIMITER_DEFAULTS.limitTtl
  const storeTimeout = options.storeTimeout ?? LIMITER_DEFAULTS.storeTimeout
  const range = { min: 1, max: MS_PER_MINUTE }
  return {
    onStoreError,
    storeTimeoutMs: parseDuration(storeTimeout, `${where}.storeTimeout`, range),
    limitTtlMs: parseDuration(limitTtl, `${where}.limitTtl`, { max: MS_PER_DAY }),
    dryRun,
    enabled,
  }
}
