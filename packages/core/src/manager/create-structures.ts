/** Makes what a manager's maps, sets and lists are kept with. */

import type { BoundValues } from '../cache/bound-values.ts'
import type { StructureProvider } from '../contracts/structure-provider.ts'
import { StructureUnavailableError } from '../errors/structure-error.ts'
import { ProviderStore } from '../guard/provider-store.ts'
import { runOutsideUnits } from '../lifecycle/call-context.ts'
import { isOfWrites } from '../remote/failures.ts'
import { createValues } from './create-values.ts'
import { type LatePart, type PartPlace, type StoreParts, storePart } from './late-part.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'

/** What structures need of a manager. */
export interface StructureParts extends StoreParts<ProviderStore<StructureProvider>> {
  readonly values: BoundValues
  /** What is missing to keep copies in this process and to keep them true; `undefined` where nothing is. */
  readonly copiesNeed: string | undefined
  /** Evicts at once, also within a unit of work: a change of a structure is made at once, whatever becomes of the unit. */
  runOutsideUnits<Result>(work: () => Promise<Result>): Promise<Result>
}

/** @throws InvalidOptionError where there is no provider */
export function createStructures(place: PartPlace): LatePart<StructureParts> {
  const { options, node } = place
  return storePart('structures', place, (provider, clock) => {
    const store = new ProviderStore<StructureProvider>({
      provider,
      clock,
      events: node.events,
      kind: 'structures',
      unavailable: (cause) => new StructureUnavailableError(cause),
      // What it holds can be read: calls that only read are not kept from it because others cannot write.
      isAnswer: isOfWrites,
    })
    const values = createValues(options, node)
    const copiesNeed = missingForCopies(options, provider.capabilities.shared)
    return { store, values, copiesNeed, runOutsideUnits }
  })
}

function missingForCopies(
  { isEnabled, local, remote }: ResolvedManagerOptions,
  isShared: boolean,
): string | undefined {
  // A manager that is switched off keeps no copies, and nothing is to be kept true.
  if (!isEnabled) return undefined
  if (local === undefined) return 'a manager with a local store, where the copy is kept'
  if (isShared && remote?.capabilities.sequences !== true)
    return 'a manager with a remote store that numbers changes, such as redisStore(), so that other nodes cannot miss one'
  return undefined
}
