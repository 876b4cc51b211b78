/** Makes a manager's locks. */

import type { CacheNode } from '../cache/node.ts'
import { createPreciseClock } from '../clock/system-clock.ts'
import { HeldLocks } from '../locks/held-locks.ts'
import { Locks } from '../locks/locks.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { providerOf } from './provider-of.ts'

/** Makes the locks of a manager. @throws InvalidOptionError where there is no provider */
export function createLocks(options: ResolvedManagerOptions, { events, work }: CacheNode): Locks {
  const { namespace, clock = createPreciseClock() } = options
  const local = options.local?.locks
  const provider = providerOf('locks', options)
  // A provider of this process alone is never away.
  const fallback = provider.capabilities.shared ? local : undefined
  return new Locks(new HeldLocks({ namespace, provider, fallback, clock, events, work }))
}
