/** Makes a manager's limits. */

import type { CacheNode } from '../cache/node.ts'
import { createPreciseClock } from '../clock/system-clock.ts'
import { Limits } from '../limits/limits.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { providerOf } from './provider-of.ts'

/** Makes the limits of a manager. @throws InvalidOptionError where there is no provider */
export function createLimits(options: ResolvedManagerOptions, { events, work }: CacheNode): Limits {
  const { namespace, clock = createPreciseClock() } = options
  const local = options.local?.limits
  const provider = providerOf('limits', options)
  const fallback = provider === local ? undefined : local
  return new Limits({ namespace, provider, fallback, clock, events, work })
}
