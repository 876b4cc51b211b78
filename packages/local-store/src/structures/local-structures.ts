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
import { processTables } from '../process-tables.ts'
import { StructureTable } from './structure-table.ts'

export interface LocalStructuresOptions {
  /** Source of time, ms since the epoch; for tests. Structures with their own clock belong to one manager. */
  readonly now?: (() => number) | undefined
}

const NAMES = optionNames<LocalStructuresOptions>({ now: true })

/** What a namespace has, and who uses it; dropped with the last one. */
interface SharedStructures {
  readonly tables: Map<string, StructureTable>
  readonly users: Set<object>
}

const shared = processTables<SharedStructures>('structures')

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

class LocalStructures implements StructureProvider {
  readonly name = 'local'
  readonly capabilities: StructureCapabilities = { shared: false }
  readonly #clock: (() => number) | undefined
  #namespace: string | undefined
  #joined: SharedStructures | undefined

  constructor(clock: (() => number) | undefined) {
    this.#clock = clock
  }

  open(namespace: string): void {
    if (this.#joined !== undefined) return
    this.#namespace = this.#clock === undefined ? namespace : undefined
    const known = this.#namespace === undefined ? undefined : shared.get(this.#namespace)
    this.#joined = known ?? { tables: new Map(), users: new Set() }
    this.#joined.users.add(this)
    if (this.#namespace !== undefined) shared.set(this.#namespace, this.#joined)
  }

  async put(
    rule: StructureRule,
    key: string,
    puts: readonly StructurePut[],
  ): Promise<StructurePutReply> {
    return this.#table(rule).put(rule, key, { puts, nowMs: this.#now })
  }

  async remove(rule: StructureRule, key: string, names: readonly string[]): Promise<number> {
    return this.#table(rule).remove(rule, key, { names, nowMs: this.#now })
  }

  async read(rule: StructureRule, key: string, part: StructurePart): Promise<StructureReply> {
    return this.#table(rule).read(key, { part, nowMs: this.#now })
  }

  async clear(rule: StructureRule, key: string): Promise<boolean> {
    return this.#table(rule).clear(key, this.#now)
  }

  async close(): Promise<void> {
    const joined = this.#joined
    joined?.users.delete(this)
    if (joined?.users.size === 0 && this.#namespace !== undefined) shared.delete(this.#namespace)
  }

  get #now(): number {
    return Math.floor(this.#clock?.() ?? Date.now())
  }

  #table({ structure }: StructureRule): StructureTable {
    if (this.#joined === undefined) throw new Error('The local structures are not open')
    const { tables } = this.#joined
    const known = tables.get(structure)
    if (known !== undefined) return known
    const made = new StructureTable()
    tables.set(structure, made)
    return made
  }
}
