/**
 * The copies of all managers of this process, by what they are copies of. Structures that are kept in the process are seen by all its managers
 * of one namespace, and these have no store in common that would tell one of another's change. They may be made by two copies of this package, as
 * ESM and CommonJS are: so the table is where both find it, as the structures' own tables are.
 */

import type { StructureParts } from '@larder/core/store'

/** A cache of copies. */
export interface Droppable {
  evict(key: string): Promise<unknown>
}

/** With a number for the shape of what is there. */
const PLACE = Symbol.for('@larder/plugins/structures 1')

function processTable(): Map<string, Set<Droppable>> {
  const place = globalThis as { [PLACE]?: Map<string, Set<Droppable>> }
  place[PLACE] ??= new Map()
  return place[PLACE]
}

/** Remembers a cache of copies until its manager closes. Returns all of the same structures at any time, this one included. */
export function joinCopies(
  cache: Droppable,
  { namespace, store }: StructureParts,
  structure: string,
): ReadonlySet<Droppable> {
  if (store.provider.capabilities.shared) return new Set([cache])
  const table = processTable()
  const name = JSON.stringify([namespace, structure])
  const all = table.get(name) ?? new Set()
  if (all.has(cache)) return all
  table.set(name, all.add(cache))
  store.beforeClose(async () => {
    all.delete(cache)
    if (all.size === 0 && table.get(name) === all) table.delete(name)
  })
  return all
}
