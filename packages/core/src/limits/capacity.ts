/** The most a single call may cost. */

import type { LimitPolicy, LimitRule } from '../contracts/rate-limit-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { assertInteger } from '../options/assert-option.ts'
import { MOST } from './policy-options.ts'

/** What a call may cost at most. */
export interface Capacity {
  readonly cost: number
  /** The number of a policy that sets this maximum, for messages. */
  readonly because: string
}

/** Returns the most cost that every policy of a rule could ever admit at once. A limit of 0 counts for nothing here: it is not the caller's mistake. */
export function capacityOf({ policies }: LimitRule): Capacity {
  let found: Capacity = { cost: Number.MAX_SAFE_INTEGER, because: '' }
  for (const policy of policies) {
    const cost = policy.algorithm === 'smooth' ? policy.burst : policy.limit
    if (policy.limit > 0 && cost < found.cost) found = { cost, because: reasonOf(policy, cost) }
  }
  return found
}

/**
 * Checks the cost of a call. Without a capacity, which is where limits were looked up, a large cost is refused and is not an error.
 *
 * @throws InvalidOptionError naming the limiter, and the number that the cost exceeds
 */
export function assertCost(cost: number, capacity: Capacity | undefined, limiter: string): void {
  const max = Math.min(MOST, capacity?.cost ?? MOST)
  if (Number.isInteger(cost) && cost >= 0 && cost <= max) return
  const option = `limiter(${limiter}).cost`
  const because = capacity?.because ?? ''
  if (because === '' || !Number.isInteger(cost) || cost < 0)
    assertInteger(cost, option, { min: 0, max })
  const expected = `a whole number from 0 to ${max}, ${because}`
  throw new InvalidOptionError({ option, expected, received: cost })
}

function reasonOf({ name, limit }: LimitPolicy, cost: number): string {
  const of = name === 'default' ? '' : ` of policy ${name}`
  return cost === limit
    ? `the limit${of}`
    : `the burst${of}, which is the most that is admitted at once`
}
