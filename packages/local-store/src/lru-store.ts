/** The in-process tier: lru-cache, bounded by entries and, if asked, by bytes. */

import type { Size } from '@larder/core'
import {
  assertKnownOptions,
  type BoardProvider,
  type EventStoreProvider,
  type FleetProvider,
  type LocalStore,
  type LockProvider,
  optionNames,
  type RateLimitProvider,
  type SessionProvider,
  type StreamProvider,
  type StructureProvider,
  type TopicProvider,
  type WriteProvider,
} from '@larder/core/store'
import { LRUCache } from 'lru-cache'
import { localBoards } from './boards/local-boards.ts'
import { type Bounds, resolveBounds } from './bounds.ts'
import { localEventStore } from './event-store/local-event-store.ts'
import { localFleet } from './fleet/local-fleet.ts'
import { localLimits } from './limits/local-limits.ts'
import { localLocks } from './locks/local-locks.ts'
import { localSessions } from './sessions/local-sessions.ts'
import { localStreams } from './streams/local-streams.ts'
import { localStructures } from './structures/local-structures.ts'
import { localTopics } from './topics/local-topics.ts'
import { localWrites } from './writes/local-writes.ts'

export interface LruStoreOptions {
  /** The most entries held. 1 to 16 777 216. @default 10_000 */
  readonly maxEntries?: number | undefined
  /** The most bytes held, by the engine's estimate of each entry. An entry larger than this is not kept. @default none */
  readonly maxBytes?: Size | undefined
}

const NAMES = optionNames<LruStoreOptions>({ maxEntries: true, maxBytes: true })
/** The defaults. */
export const LRU_STORE_DEFAULTS = { maxEntries: 10_000 } as const satisfies LruStoreOptions
const MOST_CHANCES = 64

/**
 * Creates an in-process store that drops the least recently used entries for room.
 *
 * @throws InvalidOptionError when an option is unknown or out of range.
 * @example createCacheManager({ namespace: 'shop', local: lruStore({ maxEntries: 10_000, maxBytes: '64mb' }) })
 */
export function lruStore<Entry extends object = object>(
  options: LruStoreOptions = {},
): LocalStore<Entry> {
  assertKnownOptions(options, NAMES, 'lruStore')
  return new LruStore(resolveBounds(options, LRU_STORE_DEFAULTS, 'lruStore'))
}

class LruStore<Entry extends object> implements LocalStore<Entry> {
  readonly name = 'lru'
  readonly measuresBytes: boolean
  readonly locks: LockProvider = localLocks()
  readonly limits: RateLimitProvider = localLimits()
  readonly fleet: FleetProvider = localFleet()
  readonly sessions: SessionProvider = localSessions()
  readonly boards: BoardProvider = localBoards()
  readonly streams: StreamProvider = localStreams()
  readonly eventStore: EventStoreProvider = localEventStore()
  readonly topics: TopicProvider = localTopics()
  readonly structures: StructureProvider = localStructures()
  readonly writes: WriteProvider = localWrites()
  onDrop: ((key: string, entry: Entry) => void) | undefined
  readonly #entries: LRUCache<string, Entry>
  readonly #maxEntries: number
  readonly #maxBytes: number
  #wasUsed: ((entry: Entry) => boolean) | undefined

  constructor({ maxEntries, maxBytes }: Bounds) {
    this.measuresBytes = maxBytes !== Number.POSITIVE_INFINITY
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
    this.#entries = new LRUCache<string, Entry>({
      max: maxEntries,
      ...(this.measuresBytes && { maxSize: maxBytes }),
      dispose: (entry, key, reason) => {
        if (reason === 'evict') this.onDrop?.(key, entry)
      },
    })
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#entries.calculatedSize
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  peek(key: string): Entry | undefined {
    return this.#entries.peek(key)
  }

  set(key: string, entry: Entry, bytes: number): void {
    // lru-cache refuses sizes for stores that are not bounded by size.
    const size = this.measuresBytes ? Math.max(1, Math.ceil(bytes)) : undefined
    this.#makeRoom(key, size ?? 0)
    if (size === undefined) this.#entries.set(key, entry)
    else this.#entries.set(key, entry, { size })
  }

  delete(key: string): boolean {
    return this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  keys(): Iterable<string> {
    return this.#entries.keys()
  }

  askAboutUse(wasUsed: (entry: Entry) => boolean): void {
    this.#wasUsed = wasUsed
  }

  /**
   * Drops the entries that have not been used for longest. One that was used without a `get` only comes to light here: it
   * is as good as new then. So many in a row are looked at that a single `set` never takes long.
   */
  #makeRoom(key: string, size: number): void {
    const entries = this.#entries
    if (!this.#isFull(size) || size > this.#maxBytes || entries.has(key)) return
    for (let chances = MOST_CHANCES; this.#isFull(size); ) {
      const oldest = entries.rkeys().next().value as string
      const entry = chances > 0 ? entries.peek(oldest) : undefined
      chances -= 1
      if (entry !== undefined && this.#wasUsed?.(entry) === true) entries.get(oldest)
      else entries.pop()
    }
  }

  #isFull(size: number): boolean {
    const { size: count, calculatedSize } = this.#entries
    return count > 0 && (count >= this.#maxEntries || calculatedSize + size > this.#maxBytes)
  }
}
