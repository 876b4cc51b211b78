/** Makes what a manager's maps, sets and lists are kept with. */

import type { BoundValues } from '../cache/bound-values.ts'
import type { CacheNode } from '../cache/node.ts'
import { createPreciseClock } from '../clock/system-clock.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { runOutsideUnits } from '../lifecycle/call-scope.ts'
import { StructureStore } from '../structures/structure-store.ts'
import { createValues } from './create-values.ts'
import type { ResolvedManagerOptions } from './manager-options.ts'
import { providerOf } from './provider-of.ts'

/** What structures need of a manager. */
export interface StructureParts {
  readonly namespace: string
  readonly store: StructureStore
  readonly values: BoundValues
  readonly work: BackgroundWork
  /** Whether copies in this process can be kept true: why not, as the rest of "expected …", or `undefined` where they can. */
  readonly copiesNeed: string | undefined
  /** Evicts at once, also within a unit of work: a change of a structure is made at once, whatever becomes of the unit. */
  runOutsideUnits<Result>(work: () => Promise<Result>): Promise<Result>
}

/** @throws InvalidOptionError where there is no provider */
export function createStructureParts(
  options: ResolvedManagerOptions,
  node: CacheNode,
): StructureParts {
  const { namespace, clock = createPreciseClock() } = options
  const provider = providerOf('structures', options)
  provider.open(namespace)
  const store = new StructureStore(provider, clock, node.events)
  const values = createValues(options, node)
  const copiesNeed = missingForCopies(options, provider.capabilities.shared)
  return { namespace, store, values, work: node.work, copiesNeed, runOutsideUnits }
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
