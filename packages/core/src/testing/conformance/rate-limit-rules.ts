/** Rules and calls for the conformance suite of rate-limit providers. */

import assert from 'node:assert/strict'
import type {
  Admission,
  LimitPolicy,
  LimitReply,
  LimitRequest,
  LimitRule,
  RateLimitProvider,
} from '../../contracts/rate-limit-provider.ts'

export const HOUR_US = 3_600_000_000
export const MONTH_US = 31 * 24 * HOUR_US
/** Of every policy. */
export const LIMIT = 3

/** One of each algorithm that counts over time; no window ends while a case runs. */
export const WINDOWED: readonly LimitPolicy[] = [
  { name: 'exact', limit: LIMIT, algorithm: 'exact', windowUs: HOUR_US },
  {
    name: 'window',
    limit: LIMIT,
    algorithm: 'window',
    windowUs: HOUR_US,
    slices: 2,
    sliceUs: HOUR_US / 2,
  },
  {
    name: 'smooth',
    limit: LIMIT,
    algorithm: 'smooth',
    windowUs: HOUR_US,
    burst: LIMIT,
    intervalUs: HOUR_US / LIMIT,
  },
  { name: 'fixed', limit: LIMIT, algorithm: 'fixed', windowUs: HOUR_US },
  {
    name: 'calendar',
    limit: LIMIT,
    algorithm: 'calendar',
    period: 'month',
    timeZone: 'Europe/Berlin',
  },
]
export const PERMITS: LimitPolicy = {
  name: 'permits',
  limit: LIMIT,
  algorithm: 'concurrency',
  termUs: HOUR_US,
}
export const EXACT = WINDOWED[0] as LimitPolicy

let rules = 0

/** A rule that no other case meets. */
export function ruleOf(policies: readonly LimitPolicy[], more: Partial<LimitRule> = {}): LimitRule {
  rules += 1
  const plain = { maxWaitUs: 0, penalty: false, blockUs: 0 }
  return { limiter: `case-${rules}`, policies, ...plain, ...more }
}

let permits = 0

/** A call with a permit of its own. */
export function call(cost = 1, kind: LimitRequest['kind'] = 'take', key = 'k'): LimitRequest {
  permits += 1
  return { key, cost, kind, permit: `permit-${permits}` }
}

/** Decides one call. */
export async function ask(
  limits: RateLimitProvider,
  rule: LimitRule,
  request = call(),
): Promise<LimitReply & { readonly admission: Admission }> {
  const [reply] = await limits.decide(rule, [request])
  assert(reply !== undefined, 'there is a reply to each request')
  const { key, cost, permit } = request
  const { nowUs, waitUs } = reply
  return { ...reply, admission: { key, cost, permit, nowUs, waitUs } }
}
