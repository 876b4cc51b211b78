/** Makes what a manager's streams are kept with. */

import type { BoundValues } from '../cache/bound-values.ts'
import type { CacheNode } from '../cache/node.ts'
import { createPreciseClock } from '../clock/system-clock.ts'
import type { Clock } from '../contracts/clock.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { StreamStore } from '../streams/stream-store.ts'
import { createValues } from './create-values.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { providerOf } from './provider-of.ts'

/** What streams need of a manager. */
export interface StreamParts {
  readonly namespace: string
  readonly store: StreamStore
  readonly values: BoundValues
  readonly events: Emitter
  readonly work: BackgroundWork
  readonly clock: Clock
}

/** @throws InvalidOptionError where there is no provider */
export function createStreamParts(options: ResolvedManagerOptions, node: CacheNode): StreamParts {
  const { namespace, clock = createPreciseClock() } = options
  const { events, work } = node
  const provider = providerOf('streams', options)
  provider.open(namespace)
  const store = new StreamStore(provider, clock, events)
  return { namespace, store, values: createValues(options, node), events, work, clock }
}
