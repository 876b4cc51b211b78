/** The in-process tier that finds out what to keep: by last use or by frequency of use, bounded by entries and, if asked, by bytes. */

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
import { AdaptiveEntries } from './adaptive/adaptive-entries.ts'
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

export interface AdaptiveStoreOptions {
  /** The most entries held. 1 to 16 777 216. Up to about twice as many keys are remembered besides. @default 10_000 */
  readonly maxEntries?: number | undefined
  /** The most bytes held, by the engine's estimate of each entry. An entry larger than this is not kept. @default none */
  readonly maxBytes?: Size | undefined
}

const NAMES = optionNames<AdaptiveStoreOptions>({ maxEntries: true, maxBytes: true })
/** The defaults. */
export const ADAPTIVE_STORE_DEFAULTS = {
  maxEntries: 10_000,
} as const satisfies AdaptiveStoreOptions

/**
 * Creates an in-process store that keeps either what was used lately or what is used often, as the load shows which of the
 * two gives more hits. Where scans and one-time keys go past popular ones, it keeps the popular ones; elsewhere it does as
 * `lruStore` does. A hit of a decorated method costs the same; setting an entry, and remembering keys, cost more.
 *
 * @throws InvalidOptionError when an option is unknown or out of range.
 * @example createCacheManager({ namespace: 'shop', local: adaptiveStore({ maxEntries: 10_000 }) })
 */
export function adaptiveStore<Entry extends object = object>(
  options: AdaptiveStoreOptions = {},
): LocalStore<Entry> {
  assertKnownOptions(options, NAMES, 'adaptiveStore')
  return new AdaptiveStore(resolveBounds(options, ADAPTIVE_STORE_DEFAULTS, 'adaptiveStore'))
}

class AdaptiveStore<Entry extends object> implements LocalStore<Entry> {
  readonly name = 'adaptive'
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
  readonly #maxBytes: number
  #entries: AdaptiveEntries<Entry>

  constructor(bounds: Bounds) {
    this.#maxBytes = bounds.maxBytes
    this.measuresBytes = bounds.maxBytes !== Number.POSITIVE_INFINITY
    this.#entries = new AdaptiveEntries(bounds)
  }

  get onDrop(): ((key: string, entry: Entry) => void) | undefined {
    return this.#entries.onDrop
  }

  set onDrop(listener: ((key: string, entry: Entry) => void) | undefined) {
    this.#entries.onDrop = listener
  }

  get size(): number {
    return this.#entries.count
  }

  get bytes(): number {
    return this.#entries.bytes
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  peek(key: string): Entry | undefined {
    return this.#entries.peek(key)
  }

  set(key: string, entry: Entry, bytes: number): void {
    const size = this.measuresBytes ? Math.max(1, Math.ceil(bytes)) : 0
    // Too large is not kept, and the older one of that key is no longer true.
    if (size > this.#maxBytes) this.#entries.delete(key)
    else this.#entries.set(key, entry, size)
  }

  delete(key: string): boolean {
    return this.#entries.delete(key)
  }

  clear(): void {
    this.#entries = this.#entries.emptied()
  }

  keys(): Iterable<string> {
    return this.#entries.keys()
  }

  askAboutUse(wasUsed: (entry: Entry) => boolean): void {
    this.#entries.wasUsed = wasUsed
  }
}
