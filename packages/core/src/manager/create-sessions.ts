/** Makes what a manager's sessions are kept with. */

import type { CacheNode } from '../cache/node.ts'
import { createPreciseClock } from '../clock/system-clock.ts'
import type { Clock } from '../contracts/clock.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { SessionStore } from '../sessions/session-store.ts'
import { SessionValues } from '../sessions/session-values.ts'
import { createValues } from './create-values.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { providerOf } from './provider-of.ts'

/** What sessions need of a manager. */
export interface SessionParts {
  readonly namespace: string
  readonly store: SessionStore
  readonly values: SessionValues
  readonly events: Emitter
  readonly work: BackgroundWork
  readonly clock: Clock
}

/** @throws InvalidOptionError where there is no provider */
export function createSessionParts(options: ResolvedManagerOptions, node: CacheNode): SessionParts {
  const { namespace, clock = createPreciseClock() } = options
  const { events, work } = node
  const provider = providerOf('sessions', options)
  provider.open(namespace)
  const store = new SessionStore(provider, clock, events)
  const values = new SessionValues(createValues(options, node))
  return { namespace, store, values, events, work, clock }
}
