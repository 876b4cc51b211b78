/** Makes what a manager's streams are kept with. */

import type { BoundValues } from '../cache/bound-values.ts'
import type { StreamProvider } from '../contracts/stream-provider.ts'
import { StreamUnavailableError } from '../errors/stream-error.ts'
import { ProviderStore } from '../guard/provider-store.ts'
import { isOfWrites } from '../remote/failures.ts'
import { createValues } from './create-values.ts'
import { type LatePart, type PartPlace, type StoreParts, storePart } from './late-part.ts'

/** What streams need of a manager. */
export interface StreamParts extends StoreParts<ProviderStore<StreamProvider>> {
  readonly values: BoundValues
}

/** @throws InvalidOptionError where there is no provider */
export function createStreams(place: PartPlace): LatePart<StreamParts> {
  const { options, node } = place
  return storePart('streams', place, (provider, clock) => {
    const { events } = node
    const unavailable = (cause: unknown): Error => new StreamUnavailableError(cause)
    // A store that takes nothing new still says what is in it, and lets messages be done.
    const isAnswer = isOfWrites
    const parts = { provider, clock, events, kind: 'streams', unavailable, isAnswer }
    const store = new ProviderStore(parts)
    return { store, values: createValues(options, node) }
  })
}
