/** Makes what a manager's event stores are kept with. */

import type { BoundValues } from '../cache/bound-values.ts'
import type { CacheNode } from '../cache/node.ts'
import { createPreciseClock } from '../clock/system-clock.ts'
import type { Clock } from '../contracts/clock.ts'
import type { EventStoreProvider } from '../contracts/event-store-provider.ts'
import { EventStoreUnavailableError } from '../errors/event-store-error.ts'
import type { Emitter } from '../events/emitter.ts'
import { GuardedStore } from '../guard/guarded-store.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { createValues } from './create-values.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { providerOf } from './provider-of.ts'

/** What event stores need of a manager. */
export interface EventStoreParts {
  readonly namespace: string
  readonly store: GuardedStore<EventStoreProvider>
  readonly values: BoundValues
  readonly events: Emitter
  readonly work: BackgroundWork
  readonly clock: Clock
}

/** @throws InvalidOptionError where there is no provider */
export function createEventStoreParts(
  options: ResolvedManagerOptions,
  node: CacheNode,
): EventStoreParts {
  const { namespace, clock = createPreciseClock() } = options
  const { events, work } = node
  const values = createValues(options, node)
  const provider = providerOf('eventStore', options)
  provider.open(namespace)
  const unavailable = (cause: unknown): Error => new EventStoreUnavailableError(cause)
  const store = new GuardedStore({ provider, use: 'eventStore', unavailable, clock, events })
  return { namespace, store, values, events, work, clock }
}
