/** Makes what a manager's write queues are kept with. */

import type { CacheNode } from '../cache/node.ts'
import { SealedValues } from '../cache/sealed-values.ts'
import { assertSteps } from '../cache/step-order.ts'
import { ValuePipeline } from '../cache/value-pipeline.ts'
import { createPreciseClock } from '../clock/system-clock.ts'
import type { Clock } from '../contracts/clock.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { plainCodec } from '../sessions/plain-codec.ts'
import { WriteStore } from '../writes/write-store.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { providerOf } from './provider-of.ts'

/** What write queues need of a manager. */
export interface WriteParts {
  readonly namespace: string
  readonly store: WriteStore
  readonly values: SealedValues
  readonly events: Emitter
  readonly work: BackgroundWork
  readonly clock: Clock
  /** How long one call to the store may take, unless a queue says otherwise, ms. */
  readonly timeoutMs: number
}

/** @throws InvalidOptionError where there is no provider */
export function createWriteParts(options: ResolvedManagerOptions, node: CacheNode): WriteParts {
  const { namespace, types, plugins, storeTimeoutMs, clock = createPreciseClock() } = options
  const { events, work } = node
  const provider = providerOf('writes', options)
  provider.open(namespace)
  const store = new WriteStore(provider, clock, events)
  const steps = plugins.flatMap((plugin) => plugin.codecSteps ?? [])
  assertSteps(steps)
  const pipeline = node.values ?? new ValuePipeline(plainCodec(types), steps, namespace)
  const values = new SealedValues(pipeline)
  return { namespace, store, values, events, work, clock, timeoutMs: storeTimeoutMs }
}
