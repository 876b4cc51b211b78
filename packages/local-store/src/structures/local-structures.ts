/** Maps, sets and lists within this process, with the semantics of the shared ones. */

import {
  assertFunction,
  assertKnownOptions,
  optionNames,
  type StructureCapabilities,
  type StructurePart,
  type StructureProvider,
  type StructurePut,
  type StructurePutReply,
  type StructureReply,
  type StructureRule,
} from '@larder/core/store'
import { LocalProvider, madeOnce } from '../local-provider.ts'
import { StructureTable } from './structure-table.ts'

export interface LocalStructuresOptions {
  /** Source of time, ms since the epoch; for tests. Structures with their own clock belong to one manager. */
  readonly now?: (() => number) | undefined
}

const NAMES = optionNames<LocalStructuresOptions>({ now: true })

/**
 * Creates a provider that keeps maps, sets and lists in this process only, for all managers of one namespace together: for development and
 * tests. They end with the process, and no other process sees them. `lruStore` has one already.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', structures: localStructures() })
 */
export function localStructures(options: LocalStructuresOptions = {}): StructureProvider {
  assertKnownOptions(options, NAMES, 'localStructures')
  if (options.now !== undefined) assertFunction(options.now, 'localStructures.now')
  return new LocalStructures(options.now)
}

class LocalStructures
  extends LocalProvider<Map<string, StructureTable>>
  implements StructureProvider
{
  readonly capabilities: StructureCapabilities = { shared: false }
  readonly #clock: (() => number) | undefined

  constructor(clock: (() => number) | undefined) {
    super({ kind: 'structures', isOwn: clock !== undefined, make: () => new Map() })
    this.#clock = clock
  }

  async put(
    rule: StructureRule,
    key: string,
    puts: readonly StructurePut[],
  ): Promise<StructurePutReply> {
    return this.#tableOf(rule).put(rule, key, { puts, nowMs: this.#now })
  }

  async remove(rule: StructureRule, key: string, names: readonly string[]): Promise<number> {
    return this.#tableOf(rule).remove(rule, key, { names, nowMs: this.#now })
  }

  async read(rule: StructureRule, key: string, part: StructurePart): Promise<StructureReply> {
    return this.#tableOf(rule).read(key, { part, nowMs: this.#now })
  }

  async clear(rule: StructureRule, key: string): Promise<boolean> {
    return this.#tableOf(rule).clear(key, this.#now)
  }

  get #now(): number {
    return Math.floor(this.#clock?.() ?? Date.now())
  }

  #tableOf({ structure }: StructureRule): StructureTable {
    return madeOnce(this.table, structure, () => new StructureTable())
  }
}
