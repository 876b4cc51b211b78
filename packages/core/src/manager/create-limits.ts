/** Makes a manager's limits. */

import { createPreciseClock } from '../clock/system-clock.ts'
import { Limits } from '../limits/limits.ts'
import type { LatePart, PartPlace } from './late-part.ts'
import { providerOf } from './provider-of.ts'

/** Makes the limits of a manager. @throws InvalidOptionError where there is no provider */
export function createLimits({ options, node }: PartPlace): LatePart<Limits> {
  const { namespace, clock = createPreciseClock() } = options
  const { events, work } = node
  const local = options.local?.limits
  const provider = providerOf('limits', options)
  const fallback = provider === local ? undefined : local
  const limits = new Limits({ namespace, provider, fallback, clock, events, work })
  return { face: limits, stores: () => limits.stores, endWaits: () => limits.close() }
}
