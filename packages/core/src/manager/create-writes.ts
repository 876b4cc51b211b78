/** Makes what a manager's write queues are kept with. */

import { SealedValues } from '../cache/sealed-values.ts'
import { assertSteps } from '../cache/step-order.ts'
import { ValuePipeline } from '../cache/value-pipeline.ts'
import type { WriteProvider } from '../contracts/write-provider.ts'
import { StoreSetupError } from '../errors/store-error.ts'
import { WritesUnavailableError } from '../errors/write-error.ts'
import { ProviderStore } from '../guard/provider-store.ts'
import { plainCodec } from '../sessions/plain-codec.ts'
import { type LatePart, type PartPlace, type StoreParts, storePart } from './late-part.ts'

/** What write queues need of a manager. */
export interface WriteParts extends StoreParts<ProviderStore<WriteProvider>> {
  readonly values: SealedValues
  /** How long one call to the store may take, unless a queue says otherwise, ms. */
  readonly timeoutMs: number
  /** By queue, what looks at once for what is due, in the process that may write it. */
  readonly flushers: Map<string, () => void>
}

/** @throws InvalidOptionError where there is no provider */
export function createWrites(place: PartPlace): LatePart<WriteParts> {
  const { options, node } = place
  return storePart('writes', place, (provider, clock) => {
    const { namespace, types, plugins, storeTimeoutMs: timeoutMs } = options
    const { events } = node
    const store = new ProviderStore({
      provider,
      clock,
      events,
      kind: 'writes',
      // Waiting does not help there.
      isAnswer: isSetup,
      unavailable: (cause) => (isSetup(cause) ? cause : new WritesUnavailableError(cause)),
    })
    const steps = plugins.flatMap((plugin) => plugin.codecSteps ?? [])
    assertSteps(steps)
    const pipeline = node.values ?? new ValuePipeline(plainCodec(types), steps, namespace)
    return { store, values: new SealedValues(pipeline), timeoutMs, flushers: new Map() }
  })
}

function isSetup(error: unknown): error is StoreSetupError {
  return error instanceof StoreSetupError
}
