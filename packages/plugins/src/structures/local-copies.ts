/**
 * Copies of whole structures in this process, kept as the entries of a cache that has no shared tier: so the engine keeps them true. A
 * change evicts the entry on all nodes, and a read of the store that began before the eviction is not kept.
 *
 * The cache has options of its own for everything that the defaults of a manager might say: a copy must not be served after it was
 * evicted, for another scope than it is evicted in, or in the place of an error.
 */

import {
  type Cache,
  type CacheManager,
  type CacheOptions,
  ClosedError,
  StructureUnavailableError,
} from '@larder/core'
import type { StructureParts } from '@larder/core/store'
import { type Droppable, joinCopies } from './process-copies.ts'

/** A whole structure, as it was read. */
export interface Copy {
  /** In the order in which they were put. */
  readonly items: readonly (readonly [name: string, value: unknown])[]
  /** How long the structure lives, ms; 0 where there is none. */
  readonly leftMs: number
}

/** Keys are not told apart by scopes: those of structures are not, either. */
const NO_SCOPE = (): string => 'all'
const NEVER = (): false => false
const AS_IT_IS = (value: never): unknown => value

const OPTIONS: CacheOptions = {
  local: true,
  remote: false,
  isolation: 'frozen',
  scope: NO_SCOPE,
  toPlain: AS_IT_IS,
  fromPlain: AS_IT_IS,
  cacheErrors: NEVER,
  negativeTtl: false,
  staleWhileRevalidate: 0,
  staleIfError: 0,
  refreshAhead: false,
  // Calls to the store have a time of their own.
  loadTimeout: '1d',
  hardTimeout: '1d',
}

/** The shortest life that an entry can have. */
const LEAST_MS = 1

export class LocalCopies {
  readonly #cache: Cache<Copy>
  /** Those that a change on this node is told directly; a shared store tells the others. */
  readonly #near: ReadonlySet<Droppable>
  readonly #parts: StructureParts
  readonly #copyMs: number
  readonly #indexes = new WeakMap<Copy, ReadonlyMap<string, unknown>>()

  constructor(
    caches: CacheManager,
    parts: StructureParts,
    { structure, copyMs }: { readonly structure: string; readonly copyMs: number },
  ) {
    this.#cache = caches.cache(`structure.${structure}`, { ...OPTIONS, ttl: `${copyMs}ms` })
    this.#near = joinCopies(this.#cache, parts, structure)
    this.#parts = parts
    this.#copyMs = copyMs
  }

  /** Returns the copy, or what `load` reads. @throws what `load` throws; StructureUnavailableError when the manager is closed */
  async read(key: string, load: () => Promise<Copy>): Promise<Copy> {
    const { clock } = this.#parts
    let askedAt = clock.now()
    const loadTimed = (): Promise<Copy> => {
      askedAt = clock.now()
      return load()
    }
    // No copy outlives what it is a copy of. It is as old as the question: what was true then may have ended while the answer was under way.
    const ttl = ({ leftMs, items }: Copy): number => {
      const mostMs = items.length > 0 ? Math.min(this.#copyMs, leftMs) : this.#copyMs
      return Math.max(LEAST_MS, Math.floor(mostMs - Math.max(0, clock.now() - askedAt)))
    }
    try {
      return await this.#cache.getOrLoad(key, loadTimed, { ttl })
    } catch (error) {
      throw error instanceof ClosedError ? new StructureUnavailableError(error) : error
    }
  }

  /** The items of a copy by their names. */
  indexOf(copy: Copy): ReadonlyMap<string, unknown> {
    let index = this.#indexes.get(copy)
    if (index === undefined) {
      index = new Map(copy.items)
      this.#indexes.set(copy, index)
    }
    return index
  }

  /** Drops the copies of all nodes. Never rejects: what does not reach the store waits for it. */
  async drop(key: string): Promise<void> {
    const evictIn = (cache: Droppable) => this.#parts.runOutsideUnits(() => cache.evict(key))
    await Promise.allSettled(Array.from(this.#near, evictIn))
  }
}
