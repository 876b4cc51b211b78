/** The most a single call may cost. */

import type { LimitPolicy, LimitRule } from '../contracts/rate-limit-provider.ts'

/** What a call may cost at most. */
export interface Capacity {
  readonly cost: number
  /** Which number of which policy says so, for messages. */
  readonly because: string
}

/** Returns the most cost that every policy of a rule could ever admit at once; a limit of 0 is no mistake of the caller's. */
export function capacityOf({ policies }: LimitRule): Capacity {
  let found: Capacity = { cost: Number.MAX_SAFE_INTEGER, because: '' }
  for (const policy of policies) {
    const cost = policy.algorithm === 'smooth' ? policy.burst : policy.limit
    if (policy.limit > 0 && cost < found.cost) found = { cost, because: reasonOf(policy, cost) }
  }
  return found
}

function reasonOf({ name, limit }: LimitPolicy, cost: number): string {
  const of = name === 'default' ? '' : ` of policy ${name}`
  return cost === limit ? `the limit${of}` : `the burst${of}, which is all that comes at once`
}
