/** Rules for tests, in the words of the contract. */

import type { LimitPolicy, LimitRule } from '@larder/core/store'

export const SECOND_US = 1_000_000
export const HOUR_US = 3_600 * SECOND_US

/** A moment in the past decade, µs; no multiple of anything. */
export const START_US = 1_700_000_123_456_789

export function exact(limit: number, windowUs: number, name = 'p'): LimitPolicy {
  return { name, limit, algorithm: 'exact', windowUs }
}

export function sliced(limit: number, windowUs: number, slices = 10, name = 'p'): LimitPolicy {
  const sliceUs = Math.ceil(windowUs / slices)
  return { name, limit, algorithm: 'window', windowUs, slices, sliceUs }
}

export function smooth(
  limit: number,
  windowUs: number,
  { burst = limit, intervalUs = Math.ceil(windowUs / limit), name = 'p' } = {},
): LimitPolicy {
  return { name, limit, algorithm: 'smooth', windowUs, burst, intervalUs }
}

export function fixed(limit: number, windowUs: number, name = 'p'): LimitPolicy {
  return { name, limit, algorithm: 'fixed', windowUs }
}

export function calendar(
  limit: number,
  period: 'hour' | 'day' | 'week' | 'month',
  timeZone = 'UTC',
  name = 'p',
): LimitPolicy {
  return { name, limit, algorithm: 'calendar', period, timeZone }
}

export function concurrency(limit: number, termUs: number, name = 'p'): LimitPolicy {
  return { name, limit, algorithm: 'concurrency', termUs }
}

export function ruleOf(
  policies: readonly LimitPolicy[],
  more: Partial<Omit<LimitRule, 'policies'>> = {},
): LimitRule {
  return { limiter: 'test', policies, maxWaitUs: 0, penalty: false, blockUs: 0, ...more }
}
