/**
 * The copies of all managers of this process, by what they are copies of. Structures that are kept in the process are seen by all its managers
 * of one namespace, and these have no store in common that would tell one of another's change.
 */

import type { StructureParts } from '@larder/core/store'

/** A cache of copies. */
export interface Droppable {
  evict(key: string): Promise<unknown>
}

const TABLE = new Map<string, Set<Droppable>>()

/** Remembers a cache of copies until its manager closes. Returns all of the same structures at any time, this one included. */
export function joinCopies(
  cache: Droppable,
  { namespace, store }: StructureParts,
  structure: string,
): ReadonlySet<Droppable> {
  if (store.provider.capabilities.shared) return new Set([cache])
  const name = JSON.stringify([namespace, structure])
  const all = TABLE.get(name) ?? new Set()
  if (all.has(cache)) return all
  TABLE.set(name, all.add(cache))
  store.beforeClose(async () => {
    all.delete(cache)
    if (all.size === 0 && TABLE.get(name) === all) TABLE.delete(name)
  })
  return all
}
