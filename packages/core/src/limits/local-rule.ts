/** The rule that this process keeps alone while the shared store is away. */

import type { LimitRule } from '../contracts/rate-limit-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { type ConcurrencyOptions, type PolicyOptions, resolvePolicy } from './policy-options.ts'

/**
 * Returns the same rule with a share of each limit; `said` is what the user said of each policy.
 *
 * @throws InvalidOptionError when a limit's share is less than one call.
 */
export function localRuleOf(
  rule: LimitRule,
  said: readonly (PolicyOptions | ConcurrencyOptions)[],
  share: unknown,
  where: string,
): LimitRule {
  const isShare = typeof share === 'number' && share > 0 && share <= 1
  if (!isShare) {
    const expected = 'a number above 0, up to 1'
    throw new InvalidOptionError({ option: `${where}.share`, expected, received: share })
  }
  if (share === 1) return rule
  const policies = said.map((policy, i) => {
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
