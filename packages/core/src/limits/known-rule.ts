/** The rule of a limiter under known limits, its share for this process alone, and what distinguishes it from other rules. */

import type { LimitPolicy, LimitRule } from '../contracts/rate-limit-provider.ts'
import { assertBoolean } from '../options/assert-option.ts'
import { parseDuration } from '../options/duration.ts'
import { orDefault } from '../options/or-default.ts'
import { LIMITER_DEFAULTS, type LimiterOptions } from './limiter-options.ts'
import { localRuleOf } from './local-rule.ts'
import { resolveLimitPolicy } from './resolve-policy.ts'
import { assertMayPenalize, assertSensibleWait, longestWaitUs } from './rule-checks.ts'
import { ruleName } from './rule-name.ts'
import { assertOwnNames, type SaidPolicy } from './said-policies.ts'

/** A rule, and what belongs to it. */
export interface KnownRule {
  readonly rule: LimitRule
  /** For this process alone, `share` of each limit. */
  readonly localRule: LimitRule
  /** A text of everything that the two rules allow, without their name. */
  readonly contents: string
}

/** What rules are made of. */
export interface RuleWords {
  readonly options: LimiterOptions
  readonly policies: readonly SaidPolicy[]
  /** At least one limit is a function. */
  readonly isLookedUp: boolean
}

export interface RulePlace {
  readonly where: string
  /** @default made of the policies */
  readonly name: string | undefined
  /** The limit of each policy: looked up, or else from the options. @default examples of limits */
  readonly limits?: readonly number[] | undefined
}

const MS_PER_HOUR = 3_600_000
const US_PER_MS = 1_000

/** Checks what a rule is made of, and makes it. @throws InvalidOptionError */
export function knownRule(words: RuleWords, place: RulePlace): KnownRule {
  const { options, isLookedUp } = words
  const { where, name, limits } = place
  const { maxWait = LIMITER_DEFAULTS.maxWait, penalty = LIMITER_DEFAULTS.penalty, block } = options
  assertBoolean(penalty, `${where}.penalty`)
  const said = words.policies.map(({ example, under }, i) => {
    const limit = limits?.[i]
    return limit === undefined ? example : under(limit)
  })
  const policies = said.map((policy, i) =>
    resolveLimitPolicy(policy, `${where}${words.policies[i]?.at ?? ''}`, isLookedUp),
  )
  assertOwnNames(policies, where)
  const blockMs = block === undefined ? 0 : parseDuration(block, `${where}.block`, { min: 1 })
  const maxWaitMs = parseDuration(maxWait, `${where}.maxWait`, { max: MS_PER_HOUR })
  // A small plan is not the caller's mistake: under a large one, calls wait for less time.
  const longestUs = limits === undefined ? Number.POSITIVE_INFINITY : longestWaitUs(policies)
  const maxWaitUs = Math.min(maxWaitMs * US_PER_MS, longestUs)
  assertSensibleWait(policies, maxWaitUs, `${where}.maxWait`)
  assertMayPenalize(policies, options, where)
  const limiter = name ?? ruleName(policies)
  const rule = { limiter, policies, maxWaitUs, penalty, blockUs: blockMs * US_PER_MS }
  const share = orDefault(options.share, LIMITER_DEFAULTS.share)
  const localRule = localRuleOf({ rule, said, share, mayBeNone: isLookedUp }, where)
  return { rule, localRule, contents: contentsOf(rule, localRule) }
}

/** The same under another name. */
export function renamed({ rule, localRule, contents }: KnownRule, limiter: string): KnownRule {
  const own = { ...rule, limiter }
  return { rule: own, localRule: localRule === rule ? own : { ...localRule, limiter }, contents }
}

/** Names of policies, zones and algorithms contain neither of the separators. */
function contentsOf(rule: LimitRule, localRule: LimitRule): string {
  const { maxWaitUs, penalty, blockUs, policies } = rule
  const local = localRule === rule ? [] : localRule.policies.map(textOf)
  return [maxWaitUs, penalty, blockUs, ...policies.map(textOf), ...local].join(';')
}

function textOf(policy: LimitPolicy): string {
  return Object.values(policy).join()
}
