/** Makes what a manager's topics are kept with. */

import type { BoundValues } from '../cache/bound-values.ts'
import type { CacheNode } from '../cache/node.ts'
import { createPreciseClock } from '../clock/system-clock.ts'
import type { Clock } from '../contracts/clock.ts'
import type { TopicProvider } from '../contracts/topic-provider.ts'
import { TopicUnavailableError } from '../errors/topic-error.ts'
import type { Emitter } from '../events/emitter.ts'
import { GuardedStore } from '../guard/guarded-store.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { createValues } from './create-values.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { providerOf } from './provider-of.ts'

/** What topics need of a manager. */
export interface TopicParts {
  readonly namespace: string
  readonly store: GuardedStore<TopicProvider>
  readonly values: BoundValues
  readonly events: Emitter
  readonly work: BackgroundWork
  readonly clock: Clock
}

/** @throws InvalidOptionError where there is no provider */
export function createTopicParts(options: ResolvedManagerOptions, node: CacheNode): TopicParts {
  const { namespace, clock = createPreciseClock() } = options
  const { events, work } = node
  const values = createValues(options, node)
  const provider = providerOf('topics', options)
  provider.open(namespace)
  const unavailable = (cause: unknown): Error => new TopicUnavailableError(cause)
  const store = new GuardedStore({ provider, use: 'topics', unavailable, clock, events })
  return { namespace, store, values, events, work, clock }
}
