/** The most a single call may cost. */

import type { LimitRule } from '../contracts/rate-limit-provider.ts'

/** Returns the most cost that every policy of a rule could ever admit at once. */
export function capacityOf({ policies }: LimitRule): number {
  return Math.min(
    ...policies.map((policy) => (policy.algorithm === 'smooth' ? policy.burst : policy.limit)),
  )
}
