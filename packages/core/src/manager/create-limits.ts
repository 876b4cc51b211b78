/** Which provider a manager's limits come from. */

import type { CacheNode } from '../cache/node.ts'
import { createPreciseClock } from '../clock/precise-clock.ts'
import type { RateLimitProvider } from '../contracts/rate-limit-provider.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { Limits } from '../limits/limits.ts'
import type { ResolvedManagerOptions } from '../options/manager-options.ts'

/**
 * Makes the limits of a manager.
 *
 * @throws InvalidOptionError where there is no provider: a shared store without limits is not quietly replaced by this
 *   process's own, which would let every process admit the whole limit.
 */
export function createLimits(options: ResolvedManagerOptions, { events, work }: CacheNode): Limits {
  const { namespace, clock = createPreciseClock() } = options
  const local = options.local?.limits
  const provider = providerOf(options, local)
  const fallback = provider === local ? undefined : local
  return new Limits({ namespace, provider, fallback, clock, events, work })
}

function providerOf(
  { limits, remote }: ResolvedManagerOptions,
  local: RateLimitProvider | undefined,
): RateLimitProvider {
  const provider = limits ?? (remote === undefined ? local : remote.limits)
  if (provider !== undefined) return provider
  throw new InvalidOptionError({
    option: 'createCacheManager.limits',
    expected: 'a rate-limit provider, because the stores given have none',
    received: undefined,
  })
}
