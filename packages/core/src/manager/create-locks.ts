/** Makes a manager's locks. */

import { createPreciseClock } from '../clock/system-clock.ts'
import { HeldLocks } from '../locks/held-locks.ts'
import { Locks } from '../locks/locks.ts'
import type { LatePart, PartPlace } from './late-part.ts'
import { providerOf } from './provider-of.ts'

/** Makes the locks of a manager. @throws InvalidOptionError where there is no provider */
export function createLocks({ options, node }: PartPlace): LatePart<Locks> {
  const { namespace, clock = createPreciseClock() } = options
  const { events, work } = node
  const local = options.local?.locks
  const provider = providerOf('locks', options)
  // A provider of this process alone is never away.
  const fallback = provider.capabilities.shared ? local : undefined
  const held = new HeldLocks({ namespace, provider, fallback, clock, events, work })
  return { face: new Locks(held), stores: () => held.stores, endWaits: () => held.close() }
}
