/**
 * The structures of one name in memory, step by step as the Redis scripts do it: their model. Time is given with every step, ms since the
 * epoch, so that a test can set it.
 */

import type {
  StoredItem,
  StructurePart,
  StructurePut,
  StructurePutReply,
  StructureReply,
  StructureRule,
} from '@larder/core/store'

const US_PER_MS = 1_000
/** How often those that have ended are looked for: finding them takes as long as there are structures. */
const SWEEP_EVERY_MS = 10_000

interface Structure {
  /** The one that was put first comes first. */
  readonly items: Map<string, StoredItem>
  endsAt: number
}

export class StructureTable {
  readonly #structures = new Map<string, Structure>()
  #sweptAt = Number.NEGATIVE_INFINITY
  /** The newest version of all, also of what was removed: the clock stands for a millisecond, and an item that was put anew in it is another one. */
  #newest = 0

  put(
    rule: StructureRule,
    key: string,
    { puts, nowMs }: { readonly puts: readonly StructurePut[]; readonly nowMs: number },
  ): StructurePutReply {
    this.#sweep(nowMs)
    const structure = this.#at(key, nowMs) ?? { items: new Map(), endsAt: 0 }
    const { items } = structure
    const isOther = ({ name, expected }: StructurePut): boolean =>
      expected !== undefined && (items.get(name)?.version ?? 0) !== expected
    if (puts.some(isOther)) return { outcome: 'conflict' }
    const added = puts.filter(({ name }) => !items.has(name)).length
    const isOver = added > 0 && items.size + added > rule.most
    if (rule.whenFull === 'refuse' && isOver) return { outcome: 'full' }

    this.#newest = Math.max(nowMs * US_PER_MS, this.#newest)
    for (const { name, bytes } of puts) {
      this.#newest += 1
      items.delete(name)
      items.set(name, { name, version: this.#newest, bytes: Uint8Array.from(bytes) })
    }
    const dropped = rule.whenFull === 'drop' ? Math.max(0, items.size - rule.most) : 0
    for (const name of [...items.keys()].slice(0, dropped)) items.delete(name)
    structure.endsAt = nowMs + rule.ttlMs
    this.#structures.set(key, structure)
    return { outcome: 'put', added, dropped }
  }

  remove(
    rule: StructureRule,
    key: string,
    { names, nowMs }: { readonly names: readonly string[]; readonly nowMs: number },
  ): number {
    const structure = this.#at(key, nowMs)
    if (structure === undefined) return 0
    const removed = names.filter((name) => structure.items.delete(name)).length
    if (removed > 0) structure.endsAt = nowMs + rule.ttlMs
    if (structure.items.size === 0) this.#structures.delete(key)
    return removed
  }

  read(
    key: string,
    { part, nowMs }: { readonly part: StructurePart; readonly nowMs: number },
  ): StructureReply {
    const structure = this.#at(key, nowMs)
    if (structure === undefined) return { count: 0, leftMs: 0, items: [] }
    const { items, endsAt } = structure
    return { count: items.size, leftMs: endsAt - nowMs, items: partOf(items, part) }
  }

  clear(key: string, nowMs: number): boolean {
    const wasThere = this.#at(key, nowMs) !== undefined
    this.#structures.delete(key)
    return wasThere
  }

  #at(key: string, nowMs: number): Structure | undefined {
    const structure = this.#structures.get(key)
    return structure === undefined || structure.endsAt <= nowMs ? undefined : structure
  }

  #sweep(nowMs: number): void {
    // A clock that was set back counts as well.
    if (Math.abs(nowMs - this.#sweptAt) < SWEEP_EVERY_MS) return
    this.#sweptAt = nowMs
    for (const [key, { endsAt }] of this.#structures)
      if (endsAt <= nowMs) this.#structures.delete(key)
  }
}

function partOf(items: ReadonlyMap<string, StoredItem>, part: StructurePart): StoredItem[] {
  if (part.kind === 'names') return part.names.flatMap((name) => items.get(name) ?? [])
  const all = [...items.values()]
  if (part.from === 'newest') all.reverse()
  return all.slice(part.skip, part.skip + part.take)
}
