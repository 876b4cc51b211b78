/**
 * What maps, sets and lists ask of a store: atomic steps over the items of one structure.
 *
 * A structure is a bounded number of named items, in the order in which they were put. A map names its items by its fields, a set by
 * what its members are, a list by ids. Putting an item that is there already replaces it, and makes it the newest one. Everything of one
 * structure is on one server, so each step is one round trip.
 *
 * Each step that changes something sets how long the structure lives. Every method may reject at any time; the caller bounds it with its
 * own deadline and ignores late replies. What concerns one structure only is rejected with a `StoreKeyError`.
 */

/** What holds for all structures of one name. */
export interface StructureRule {
  /** Part of the store's keys. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly structure: string
  /** How long a structure lives after its last change, ms. From 1. */
  readonly ttlMs: number
  /** How many items a structure has at most. 1 to 10 000. */
  readonly most: number
  /** What becomes of new items when there is no room: they are refused, or the oldest ones are dropped for them. */
  readonly whenFull: 'refuse' | 'drop'
}

export interface StructureItem {
  /** Any text, not empty. */
  readonly name: string
  readonly bytes: Uint8Array
}

export interface StructurePut extends StructureItem {
  /** Only over this version; 0: only where there is no such item. Absent: over any. */
  readonly expected?: number | undefined
}

export interface StoredItem extends StructureItem {
  /** Another number after each put of this name, and a larger one than those of all items that were put before. From 1. */
  readonly version: number
}

export type StructurePutReply =
  /** `added`: how many were not there before. `dropped`: how many of the oldest went for room, perhaps some of the new ones. */
  | { readonly outcome: 'put'; readonly added: number; readonly dropped: number }
  /** `full`: there is no room. `conflict`: an item has another version than expected. Nothing was changed. */
  | { readonly outcome: 'full' | 'conflict' }

/** Which items are read. */
export type StructurePart =
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | {
      readonly kind: 'range'
      readonly from: 'oldest' | 'newest'
      readonly skip: number
      readonly take: number
    }

export interface StructureReply {
  /** How many items there are. */
  readonly count: number
  /** How long the structure lives without a further change, ms; 0 where there is none. */
  readonly leftMs: number
  /** Those that are there, in the order in which they were asked for. */
  readonly items: readonly StoredItem[]
}

export interface StructureCapabilities {
  /** Structures are seen by other processes. */
  readonly shared: boolean
}

export interface StructureProvider {
  /** Says where structures are kept: `redis`, `local`. */
  readonly name: string
  readonly capabilities: StructureCapabilities
  /** Called before any other method, perhaps several times; connects lazily and does not throw because the other side is away. */
  open(namespace: string): void
  /** As that of a lock provider. */
  whenTried?(): Promise<void>
  /** Registers a listener that is told, once for each kind, what keeps the store from working as it is set up. The last one is used. */
  onTrouble?(listener: (error: Error) => void): void
  /** Puts items, the first one first: all of them, or none. Their names differ. */
  put(rule: StructureRule, key: string, items: readonly StructurePut[]): Promise<StructurePutReply>
  /** Removes items; replies how many there were. */
  remove(rule: StructureRule, key: string, names: readonly string[]): Promise<number>
  read(rule: StructureRule, key: string, part: StructurePart): Promise<StructureReply>
  /** Removes the whole structure; replies whether there was one. */
  clear(rule: StructureRule, key: string): Promise<boolean>
  close(): Promise<void>
}
