/** Makes what a manager's sessions are kept with. */

import type { CacheNode } from '../cache/node.ts'
import { assertSteps } from '../cache/step-order.ts'
import { ValuePipeline } from '../cache/value-pipeline.ts'
import { createPreciseClock } from '../clock/system-clock.ts'
import type { Clock } from '../contracts/clock.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { plainCodec } from '../sessions/plain-codec.ts'
import { SessionStore } from '../sessions/session-store.ts'
import { SessionValues } from '../sessions/session-values.ts'
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
  const { namespace, types, plugins, clock = createPreciseClock() } = options
  const { events, work } = node
  const provider = providerOf('sessions', options)
  provider.open(namespace)
  const store = new SessionStore(provider, clock, events)
  const steps = plugins.flatMap((plugin) => plugin.codecSteps ?? [])
  assertSteps(steps)
  const pipeline = node.values ?? new ValuePipeline(plainCodec(types), steps, namespace)
  return { namespace, store, values: new SessionValues(pipeline), events, work, clock }
}
