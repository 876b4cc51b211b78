/** The options of a limiter, the defaults, and the checked form. */

import type { LimitRule } from '../contracts/rate-limit-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import {
  assertBoolean,
  assertFunction,
  assertKnownOptions,
  assertOneOf,
} from '../options/assert-option.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { assertName } from '../options/name.ts'
import { optionNames } from '../options/option-names.ts'
import { orDefault } from '../options/or-default.ts'
import { localRuleOf } from './local-rule.ts'
import {
  type ConcurrencyOptions,
  type KnownPolicy,
  POLICY_OPTION_NAMES,
  type PolicyOptions,
  resolvePolicy,
} from './policy-options.ts'
import { assertPunishable, assertSensibleWait, longestWaitUs } from './rule-checks.ts'
import { ruleName } from './rule-name.ts'

/** What to do where the shared store cannot say: let this process alone count, let everything pass, or refuse. */
export type OnStoreError = 'local' | 'open' | 'closed'

/** Options of a limiter besides its policies. */
export interface LimiterSettings {
  /**
   * Limiters of one name share what they count. 1 to 64 of `A-Z a-z 0-9 _ . -`. @default made of the policies, so that
   * limiters with the same policies share; for `@RateLimited` the method
   */
  readonly name?: string | undefined
  /**
   * How long a call may be made to wait for its turn; longer, and it is refused. 0: nobody waits. Up to 1 h, and as long as at
   * most 10 000 calls of a key can be waiting: under a larger limit that is looked up, it is that long. @default 0
   */
  readonly maxWait?: Duration | undefined
  /** Where the shared store cannot say. @default 'local' where the manager has a local store with limits, else 'closed' */
  readonly onStoreError?: OnStoreError | undefined
  /**
   * The part of each limit that this process may admit by itself under `onStoreError: 'local'`: 1 / instances keeps the
   * sum below the limit. Above 0, up to 1. @default 1
   */
  readonly share?: number | undefined
  /** How long what a function of `limit` promised is believed. Up to 1 d; 0 asks at every call. @default '1m' */
  readonly limitTtl?: Duration | undefined
  /** How long the store may take to say. 1 ms to 1 min. @default '100ms' */
  readonly storeTimeout?: Duration | undefined
  /** Refused calls count too: who keeps trying stays out. For guessed passwords, not for polite clients. @default false */
  readonly penalty?: boolean | undefined
  /** After a refusal, admit nothing for this long. 1 ms to 10 years. @default none */
  readonly block?: Duration | undefined
  /** Decide, count and report, but let everything pass. @default false */
  readonly dryRun?: boolean | undefined
  /** Asked at every call; false lets it pass without counting. A kill switch. @default always on */
  readonly enabled?: (() => boolean) | undefined
}

/** One policy. */
export interface OnePolicy<Args extends readonly unknown[] = [key: string]>
  extends PolicyOptions<Args>,
    Omit<LimiterSettings, 'name'> {
  /** Of the limiter; see `LimiterSettings`. */
  readonly name?: string | undefined
  readonly policies?: undefined
}

/** One policy about what is under way at the same time. */
export interface OneConcurrency<Args extends readonly unknown[] = [key: string]>
  extends ConcurrencyOptions<Args>,
    Omit<LimiterSettings, 'name'> {
  /** Of the limiter; see `LimiterSettings`. */
  readonly name?: string | undefined
  readonly policies?: undefined
}

/** Several policies: a call is admitted by all of them, or counts in none. */
export interface SeveralPolicies<Args extends readonly unknown[] = [key: string]>
  extends LimiterSettings {
  /** Up to 16. */
  readonly policies: readonly [
    PolicyOptions<Args> | ConcurrencyOptions<Args>,
    ...(PolicyOptions<Args> | ConcurrencyOptions<Args>)[],
  ]
  readonly limit?: undefined
}

// In this order, because TypeScript tells what is missing from the last one that is near.
export type LimiterOptions<Args extends readonly unknown[] = [key: string]> =
  | OneConcurrency<Args>
  | OnePolicy<Args>
  | SeveralPolicies<Args>

/** The checked form. */
export interface ResolvedLimiter {
  readonly rule: LimitRule
  /** Undefined: what the manager has decides. */
  readonly onStoreError: OnStoreError | undefined
  /** For this process alone, `share` of each limit. */
  readonly localRule: LimitRule
  readonly storeTimeoutMs: number
  readonly dryRun: boolean
  readonly enabled: (() => boolean) | undefined
}

const SETTING_NAMES = optionNames<LimiterSettings>({
  name: true,
  maxWait: true,
  onStoreError: true,
  share: true,
  limitTtl: true,
  storeTimeout: true,
  penalty: true,
  block: true,
  dryRun: true,
  enabled: true,
})

const LIST_NAMES = optionNames<Omit<SeveralPolicies, keyof LimiterSettings | 'limit'>>({
  policies: true,
})

/** Names of all options of a limiter. */
export const LIMITER_OPTION_NAMES = [
  ...new Set([...LIST_NAMES, ...SETTING_NAMES, ...POLICY_OPTION_NAMES]),
]

/** What holds when nobody says otherwise. */
export const LIMITER_DEFAULTS = {
  maxWait: 0,
  share: 1,
  limitTtl: '1m',
  storeTimeout: '100ms',
  penalty: false,
  dryRun: false,
} as const satisfies LimiterSettings

const MS_PER_HOUR = 3_600_000
const MS_PER_DAY = 86_400_000
const MS_PER_MINUTE = 60_000
const US_PER_MS = 1_000

/** What is said of a limiter besides its options. */
export interface LimiterOrigin {
  /** How messages name it. */
  readonly where: string
  /** Its name when the options give none. */
  readonly ownName?: string | undefined
  /** Its limits were looked up. */
  readonly isLookedUp?: boolean | undefined
  /** Its limits only stand for those that will be looked up. */
  readonly isExample?: boolean | undefined
}

/**
 * Checks a limiter's options; `ownName` is its name when the options give none. No limit is a function.
 *
 * @throws InvalidOptionError naming the first option that is unknown or wrong.
 */
export function resolveLimiter(
  options: LimiterOptions,
  where: string,
  ownName?: string,
): ResolvedLimiter {
  return resolveLimiterOf(options, { where, ownName })
}

/** The same, of a limiter whose limits may have been looked up. @throws InvalidOptionError */
export function resolveLimiterOf(
  options: LimiterOptions,
  { where, ownName, isLookedUp = false, isExample = false }: LimiterOrigin,
): ResolvedLimiter {
  assertKnownOptions(options, LIMITER_OPTION_NAMES, where)
  const { onStoreError, enabled, dryRun = LIMITER_DEFAULTS.dryRun } = options
  const rule = resolveRule(options, { where, ownName, isLookedUp, isExample })
  parseDuration(orDefault(options.limitTtl, LIMITER_DEFAULTS.limitTtl), `${where}.limitTtl`, {
    max: MS_PER_DAY,
  })
  if (onStoreError !== undefined) {
    assertOneOf(onStoreError, ['local', 'open', 'closed'], `${where}.onStoreError`)
  }
  if (enabled !== undefined) assertFunction(enabled, `${where}.enabled`)
  assertBoolean(dryRun, `${where}.dryRun`)
  return {
    rule,
    onStoreError,
    localRule: localRuleOf(
      {
        rule,
        said: policyOptionsOf(options),
        share: orDefault(options.share, LIMITER_DEFAULTS.share),
        mayBeNone: isLookedUp,
      },
      where,
    ),
    storeTimeoutMs: parseDuration(
      orDefault(options.storeTimeout, LIMITER_DEFAULTS.storeTimeout),
      `${where}.storeTimeout`,
      { min: 1, max: MS_PER_MINUTE },
    ),
    dryRun,
    enabled,
  }
}

function resolveRule(options: LimiterOptions, origin: LimiterOrigin): LimitRule {
  const { where, ownName, isLookedUp, isExample } = origin
  const {
    name,
    maxWait = LIMITER_DEFAULTS.maxWait,
    penalty = LIMITER_DEFAULTS.penalty,
    block,
  } = options
  if (name !== undefined) assertName(name, `${where}.name`)
  assertBoolean(penalty, `${where}.penalty`)
  const policies = resolvePolicies(options, origin)
  const blockMs = block === undefined ? 0 : parseDuration(block, `${where}.block`, { min: 1 })
  const maxWaitMs = parseDuration(maxWait, `${where}.maxWait`, { max: MS_PER_HOUR })
  // A plan is nobody's mistake: under a large one, calls wait for less.
  const isPlan = isLookedUp === true && isExample !== true
  const longestUs = isPlan ? longestWaitUs(policies) : Number.POSITIVE_INFINITY
  const rule = {
    policies,
    maxWaitUs: Math.min(maxWaitMs * US_PER_MS, longestUs),
    penalty,
    blockUs: blockMs * US_PER_MS,
  }
  assertSensibleWait(policies, rule.maxWaitUs, `${where}.maxWait`)
  assertPunishable(policies, options, where)
  return { limiter: name ?? ownName ?? ruleName(policies), ...rule }
}

type Policies = LimitRule['policies']

/** Each is read with every call. */
const MOST_POLICIES = 16

/** What is said about each policy; about a single one among the limiter's own options. */
function policyOptionsOf(options: LimiterOptions): readonly KnownPolicy[] {
  if (options.policies !== undefined) return options.policies as readonly KnownPolicy[]
  const given = Object.entries(options).filter(([name]) =>
    (POLICY_OPTION_NAMES as readonly string[]).includes(name),
  )
  return [Object.fromEntries(given) as unknown as KnownPolicy]
}

function resolvePolicies(options: LimiterOptions, { where, isLookedUp }: LimiterOrigin): Policies {
  const { policies } = options
  if (policies === undefined) {
    return policyOptionsOf(options).map((policy) => resolvePolicy(policy, where, isLookedUp))
  }
  const option = `${where}.policies`
  if (!Array.isArray(policies) || policies.length === 0 || policies.length > MOST_POLICIES) {
    const expected = `a list of at least one policy and at most ${MOST_POLICIES}`
    throw new InvalidOptionError({ option, expected, received: policies })
  }
  assertNoneBeside(options, where)
  const resolved = policyOptionsOf(options).map((policy, i) =>
    resolvePolicy(policy, `${option}[${i}]`, isLookedUp),
  )
  const names = resolved.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice === undefined) return resolved
  const expected = 'a name of its own for each policy'
  throw new InvalidOptionError({ option, expected, received: twice })
}

function assertNoneBeside(options: object, where: string): void {
  for (const name of POLICY_OPTION_NAMES) {
    const received = (options as Record<string, unknown>)[name]
    if (name === 'name' || received === undefined) continue
    const expected = 'to stand in one of the policies'
    throw new InvalidOptionError({ option: `${where}.${name}`, expected, received })
  }
}
