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
import { assertName } from '../options/manager-options.ts'
import {
  type ConcurrencyOptions,
  POLICY_OPTION_NAMES,
  type PolicyOptions,
  resolvePolicy,
} from './policy-options.ts'
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
  /** How long a call may be made to wait for its turn; longer, and it is refused. 0: nobody waits. 0 to 1 h. @default 0 */
  readonly maxWait?: Duration | undefined
  /** Where the shared store cannot say. @default 'local' where the manager has a local store with limits, else 'closed' */
  readonly onStoreError?: OnStoreError | undefined
  /**
   * The part of each limit that this process may admit by itself under `onStoreError: 'local'`: 1 / instances keeps the
   * sum below the limit. Above 0, up to 1. @default 1
   */
  readonly share?: number | undefined
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
export interface OnePolicy extends PolicyOptions, Omit<LimiterSettings, 'name'> {
  /** Of the limiter; see `LimiterSettings`. */
  readonly name?: string | undefined
  readonly policies?: undefined
}

/** One policy about what is under way at the same time. */
export interface OneConcurrency extends ConcurrencyOptions, Omit<LimiterSettings, 'name'> {
  /** Of the limiter; see `LimiterSettings`. */
  readonly name?: string | undefined
  readonly policies?: undefined
}

/** Several policies: a call is admitted by all of them, or counts in none. */
export interface SeveralPolicies extends LimiterSettings {
  readonly policies: readonly [
    PolicyOptions | ConcurrencyOptions,
    ...(PolicyOptions | ConcurrencyOptions)[],
  ]
  readonly limit?: undefined
}

export type LimiterOptions = OnePolicy | OneConcurrency | SeveralPolicies

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

const SETTING_NAMES = [
  'name',
  'maxWait',
  'onStoreError',
  'share',
  'storeTimeout',
  'penalty',
  'block',
  'dryRun',
  'enabled',
] as const satisfies readonly (keyof LimiterSettings)[]

/** Names of all options of a limiter. */
export const LIMITER_OPTION_NAMES = [
  ...new Set(['policies', ...SETTING_NAMES, ...POLICY_OPTION_NAMES]),
] as const

const MS_PER_HOUR = 3_600_000
const MS_PER_MINUTE = 60_000
const US_PER_MS = 1_000
/** How many reservations one key may hold: each is remembered, and a longer queue helps nobody. */
const MOST_RESERVED = 10_000

/**
 * Checks a limiter's options; `ownName` is its name when the options give none.
 *
 * @throws InvalidOptionError naming the first option that is unknown or wrong.
 */
export function resolveLimiter(
  options: LimiterOptions,
  where: string,
  ownName?: string,
): ResolvedLimiter {
  assertKnownOptions(options, LIMITER_OPTION_NAMES, where)
  const { onStoreError, enabled, dryRun = false } = options
  const rule = resolveRule(options, where, ownName)
  if (onStoreError !== undefined) {
    assertOneOf(onStoreError, ['local', 'open', 'closed'], `${where}.onStoreError`)
  }
  if (enabled !== undefined) assertFunction(enabled, `${where}.enabled`)
  assertBoolean(dryRun, `${where}.dryRun`)
  return {
    rule,
    onStoreError,
    localRule: localRuleOf(options, rule, where),
    storeTimeoutMs: parseDuration(options.storeTimeout ?? '100ms', `${where}.storeTimeout`, {
      min: 1,
      max: MS_PER_MINUTE,
    }),
    dryRun,
    enabled,
  }
}

function resolveRule(options: LimiterOptions, where: string, ownName?: string): LimitRule {
  const { name, maxWait = 0, penalty = false, block } = options
  if (name !== undefined) assertName(name, `${where}.name`)
  assertBoolean(penalty, `${where}.penalty`)
  const policies = resolvePolicies(options, where)
  const blockMs = block === undefined ? 0 : parseDuration(block, `${where}.block`, { min: 1 })
  const maxWaitMs = parseDuration(maxWait, `${where}.maxWait`, { max: MS_PER_HOUR })
  const rule = {
    policies,
    maxWaitUs: maxWaitMs * US_PER_MS,
    penalty,
    blockUs: blockMs * US_PER_MS,
  }
  assertSensibleWait(policies, rule.maxWaitUs, `${where}.maxWait`)
  assertPunishable(policies, options, where)
  return { limiter: name ?? ownName ?? ruleName(policies), ...rule }
}

type Policies = LimitRule['policies']

/** What is said about each policy; about a single one among the limiter's own options. */
function policyOptionsOf(options: LimiterOptions): readonly PolicyOptions[] {
  if (options.policies !== undefined) return options.policies as readonly PolicyOptions[]
  const given = Object.entries(options).filter(([name]) =>
    (POLICY_OPTION_NAMES as readonly string[]).includes(name),
  )
  return [Object.fromEntries(given) as unknown as PolicyOptions]
}

function resolvePolicies(options: LimiterOptions, where: string): Policies {
  const { policies } = options
  if (policies === undefined) {
    return policyOptionsOf(options).map((policy) => resolvePolicy(policy, where))
  }
  const option = `${where}.policies`
  if (!Array.isArray(policies) || policies.length === 0) {
    const expected = 'a list of at least one policy'
    throw new InvalidOptionError({ option, expected, received: policies })
  }
  assertNoneBeside(options, where)
  const resolved = policyOptionsOf(options).map((policy, i) =>
    resolvePolicy(policy, `${option}[${i}]`),
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

/** Waiting is a reservation: it has to be clear when the turn comes, and there have to be few enough of them. */
function assertSensibleWait(policies: Policies, maxWaitUs: number, option: string): void {
  if (maxWaitUs === 0) return
  const received = maxWaitUs / US_PER_MS
  for (const policy of policies) {
    if (policy.algorithm === 'concurrency') {
      const expected =
        'no wait with algorithm "concurrency": nobody knows when a permit comes back. A lock with permits has a queue'
      throw new InvalidOptionError({ option, expected, received })
    }
    if (reservable(policy, maxWaitUs) > MOST_RESERVED) {
      const expected = `a wait in which at most ${MOST_RESERVED} calls per key can be waiting`
      throw new InvalidOptionError({ option, expected, received })
    }
  }
}

/** How much one key can have reserved ahead. */
function reservable(policy: Policies[number], maxWaitUs: number): number {
  switch (policy.algorithm) {
    case 'exact':
    case 'fixed':
      return policy.limit * (maxWaitUs / policy.windowUs)
    case 'window':
      return policy.limit * (maxWaitUs / (policy.sliceUs * policy.slices))
    case 'smooth':
      return maxWaitUs / policy.intervalUs
    default:
      return 0
  }
}

function assertPunishable(policies: Policies, options: LimiterOptions, where: string): void {
  if (!policies.some(({ algorithm }) => algorithm === 'concurrency')) return
  for (const name of ['penalty', 'block'] as const) {
    const received = options[name]
    if (received === undefined || received === false) continue
    const expected = 'no "concurrency" policy to go with it: being refused there is no offence'
    throw new InvalidOptionError({ option: `${where}.${name}`, expected, received })
  }
}

/**
 * The rule for this process alone: the same, with a share of each limit.
 *
 * @throws InvalidOptionError when a limit's share is less than one call.
 */
function localRuleOf(options: LimiterOptions, rule: LimitRule, where: string): LimitRule {
  const { share = 1 } = options
  const isShare = typeof share === 'number' && share > 0 && share <= 1
  if (!isShare) {
    const expected = 'a number above 0, up to 1'
    throw new InvalidOptionError({ option: `${where}.share`, expected, received: share })
  }
  if (share === 1) return rule
  const policies = policyOptionsOf(options).map((policy, i) => {
    const algorithm = rule.policies[i]?.algorithm
    // The shared limit's algorithm, also where the share would have another one by default.
    const kept = algorithm === 'calendar' ? {} : { algorithm }
    const scaled: Record<string, unknown> = { ...policy, ...kept }
    for (const amount of ['limit', 'burst']) {
      if (scaled[amount] !== undefined) scaled[amount] = partOf(scaled[amount], share, where)
    }
    return resolvePolicy(scaled as unknown as PolicyOptions, where)
  })
  return { ...rule, policies }
}

function partOf(amount: unknown, share: number, where: string): number {
  const part = Math.floor((amount as number) * share)
  if (part >= 1) return part
  throw new InvalidOptionError({
    option: `${where}.share`,
    expected: 'at least one call of each limit; else choose onStoreError "open" or "closed"',
    received: share,
  })
}
