/** Makes what a manager's write queues are kept with. */

import type { BoundValues } from '../cache/bound-values.ts'
import type { WriteProvider } from '../contracts/write-provider.ts'
import { StoreSetupError } from '../errors/store-error.ts'
import { WritesUnavailableError } from '../errors/write-error.ts'
import { ProviderStore } from '../guard/provider-store.ts'
import { runOutsideUnits } from '../lifecycle/call-context.ts'
import { isOfWrites } from '../remote/failures.ts'
import { createValues } from './create-values.ts'
import { type LatePart, type PartPlace, type StoreParts, storePart } from './late-part.ts'

/** What write queues need of a manager. */
export interface WriteParts extends StoreParts<ProviderStore<WriteProvider>> {
  readonly values: BoundValues
  /** How long one call to the store may take, unless a queue says otherwise, ms. */
  readonly timeoutMs: number
  /** By queue, what looks at once for what is due, in the process that may write it. */
  readonly flushers: Map<string, () => void>
  /** Changes the cache at once, also within a unit of work: what is queued is queued at once, whatever becomes of the unit. */
  runOutsideUnits<Result>(work: () => Promise<Result>): Promise<Result>
}

/** @throws InvalidOptionError where there is no provider */
export function createWrites(place: PartPlace): LatePart<WriteParts> {
  const { options, node } = place
  return storePart('writes', place, (provider, clock) => {
    const store = new ProviderStore<WriteProvider>({
      provider,
      clock,
      events: node.events,
      kind: 'writes',
      // A full store takes nothing new, and what waits in it must still be written. Of one that is set up wrongly, waiting makes nothing better.
      isAnswer: (error) => isSetup(error) || isOfWrites(error),
      unavailable: (cause) => (isSetup(cause) ? cause : new WritesUnavailableError(cause)),
    })
    const values = createValues(options, node)
    const { storeTimeoutMs: timeoutMs } = options
    return { store, values, timeoutMs, flushers: new Map(), runOutsideUnits }
  })
}

function isSetup(error: unknown): error is StoreSetupError {
  return error instanceof StoreSetupError
}
