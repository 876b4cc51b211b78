/** What the in-process tier needs of a store: a bounded map from full keys to entry objects. */

import type { StoreProviders } from './providers.ts'

/**
 * A bounded, synchronous map. It decides what to drop for room. The engine judges freshness, coherence and tags, and only the
 * engine knows the content of the entry objects.
 */
export interface LocalStore<Entry extends object = object> extends StoreProviders {
  readonly name: string
  /** Returns the entry, and counts as a use of it. */
  get(key: string): Entry | undefined
  /** Returns the entry without counting as a use. */
  peek(key: string): Entry | undefined
  /** Stores an entry of roughly `bytes` bytes; may drop others, or refuse this one when it is larger than the store. */
  set(key: string, entry: Entry, bytes: number): void
  delete(key: string): boolean
  /** Removes everything. */
  clear(): void
  /** Keys held now, in no particular order. */
  keys(): Iterable<string>
  /** How many entries are held. */
  readonly size: number
  /** Sum of the sizes of the entries held, in bytes; 0 where the store does not track it. */
  readonly bytes: number
  /** True when `set` needs a real size, so that values have to be measured. */
  readonly measuresBytes: boolean
  /** Called for every entry that was dropped for room. One listener; the last one set is used. */
  onDrop?: ((key: string, entry: Entry) => void) | undefined
  /**
   * Optional, and makes hits cheaper: with it, the engine calls `get` at the first hit of an entry only. Instead, the store
   * asks before it drops an entry for room: `wasUsed` returns whether the entry was used since it was last asked about it.
   * Only for stores that call `onDrop` for whatever leaves them without being deleted, replaced or cleared.
   */
  readonly askAboutUse?: ((wasUsed: (entry: Entry) => boolean) => void) | undefined
}
