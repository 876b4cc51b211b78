/** The rule for this process alone while the shared store is away. */

import type { LimitRule } from '../contracts/rate-limit-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import type { KnownPolicy } from './policy-options.ts'
import { resolveLimitPolicy } from './resolve-policy.ts'

/** 98 × 1/49 is slightly less than 2, and must not become 1. */
const ROUNDING = 1e-9

export interface ShareSource {
  readonly rule: LimitRule
  /** The options of each policy, as the user wrote them. */
  readonly said: readonly KnownPolicy[]
  readonly share: unknown
  /** The limits were looked up, so a small one is not a mistake: this process admits none of it by itself. */
  readonly mayBeNone: boolean
}

/**
 * Returns the same rule with a share of each limit.
 *
 * @throws InvalidOptionError when a limit's share is less than one call.
 */
export function localRuleOf(
  { rule, said, share, mayBeNone }: ShareSource,
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
    // The algorithm of the shared limit, also where the share would get another one by default.
    const kept = algorithm === 'calendar' ? {} : { algorithm }
    const scaled: Record<string, unknown> = { ...policy, ...kept }
    for (const amount of ['limit', 'burst']) {
      if (scaled[amount] !== undefined) {
        scaled[amount] = partOf(scaled[amount] as number, { share, mayBeNone }, where)
      }
    }
    // A share of a burst that is less than one call admits nothing, whatever the limit.
    if (scaled['burst'] === 0) scaled['limit'] = 0
    return resolveLimitPolicy(scaled as unknown as KnownPolicy, where, mayBeNone)
  })
  return { ...rule, policies }
}

function partOf(
  amount: number,
  { share, mayBeNone }: { readonly share: number; readonly mayBeNone: boolean },
  where: string,
): number {
  const part = Math.floor(amount * share + ROUNDING)
  if (part >= 1 || mayBeNone || amount === 0) return part
  throw new InvalidOptionError({
    option: `${where}.share`,
    expected: 'at least one call of each limit; else choose onStoreError "open" or "closed"',
    received: share,
  })
}
