/** Counters and latency histograms of reads, by cache and by method. Plain numbers: the hit path increments one of them. */

import type { MissReason } from '../events/events.ts'
import { Histogram, type LatencySummary } from './histogram.ts'
import type { StalenessCounters, StalenessStats } from './staleness.ts'

/** What reads through one method, or directly through a cache, came to. */
export interface ReadStats {
  /** Fresh values served from this process. */
  readonly localHits: number
  /** Fresh values served from the store. */
  readonly remoteHits: number
  /** Values served past their freshness. */
  readonly staleHits: number
  /** Of all hits, those that said "the source has nothing". */
  readonly negativeHits: number
  /** Reads that neither tier could serve. */
  readonly misses: number
  /** The same by the reason, as the `miss` event has it. */
  readonly missesBy: Readonly<Record<MissReason, number>>
  /** Reads that shared another caller's read or load. */
  readonly joined: number
  /** Loaders run, refreshes included. */
  readonly loads: number
  readonly loadErrors: number
  /** Entries that were dropped from the local tier for room. Of methods 0: an entry is its cache's. */
  readonly drops: number
  /** Keys evicted by request on this node; `clear` counts as one. Of methods 0. */
  readonly evictions: number
  /** Entries of the shared tier whose bytes could not be read. */
  readonly undecodable: number
  /** Hits of any kind and joined reads, as a share of all reads; 0 when there were none. */
  readonly hitRatio: number
  /** Reads that ran no loader. */
  readonly loadsSaved: number
  readonly loadLatency: LatencySummary
  readonly remoteReadLatency: LatencySummary
}

const NO_MISSES: Readonly<Record<MissReason, number>> = {
  absent: 0,
  expired: 0,
  evicted: 0,
  tag: 0,
  version: 0,
  undecodable: 0,
  'store-away': 0,
}
const MISS_REASONS = Object.keys(NO_MISSES) as MissReason[]

/** The counters behind `ReadStats`. They only grow, for as long as the manager lives. */
export class ReadCounters {
  localHits = 0
  remoteHits = 0
  staleHits = 0
  negativeHits = 0
  misses = 0
  readonly missesBy: Record<MissReason, number> = { ...NO_MISSES }
  joined = 0
  loads = 0
  loadErrors = 0
  drops = 0
  evictions = 0
  undecodable = 0
  readonly loadMs = new Histogram()
  readonly remoteReadMs = new Histogram()

  add(other: ReadCounters): void {
    this.localHits += other.localHits
    this.remoteHits += other.remoteHits
    this.staleHits += other.staleHits
    this.negativeHits += other.negativeHits
    this.misses += other.misses
    for (const reason of MISS_REASONS) this.missesBy[reason] += other.missesBy[reason]
    this.joined += other.joined
    this.loads += other.loads
    this.loadErrors += other.loadErrors
    this.drops += other.drops
    this.evictions += other.evictions
    this.undecodable += other.undecodable
    this.loadMs.add(other.loadMs)
    this.remoteReadMs.add(other.remoteReadMs)
  }

  snapshot(): ReadStats {
    const hits = this.localHits + this.remoteHits + this.staleHits
    const saved = hits + this.joined
    const reads = saved + this.misses
    return {
      localHits: this.localHits,
      remoteHits: this.remoteHits,
      staleHits: this.staleHits,
      negativeHits: this.negativeHits,
      misses: this.misses,
      missesBy: { ...this.missesBy },
      joined: this.joined,
      loads: this.loads,
      loadErrors: this.loadErrors,
      drops: this.drops,
      evictions: this.evictions,
      undecodable: this.undecodable,
      hitRatio: reads === 0 ? 0 : saved / reads,
      loadsSaved: saved,
      loadLatency: this.loadMs.summary(),
      remoteReadLatency: this.remoteReadMs.summary(),
    }
  }
}

/** Statistics of a manager. */
export interface ManagerStats extends ReadStats {
  readonly byCache: Readonly<Record<string, ReadStats>>
  readonly byMethod: Readonly<Record<string, ReadStats>>
  /** Tags evicted by request on this node. A tag belongs to no one cache: `evictions` leaves it out. */
  readonly tagEvictions: number
  readonly localEntries: number
  readonly localBytes: number
  /** Absent without `measureStaleness`, or without a shared tier to compare with. */
  readonly staleness: StalenessStats | undefined
}

/** So many caches and methods are counted apart. */
const CAP = 5_000
/** Under this name the rest is counted; no cache can have it. */
export const OTHERS = '(others)'

/** Hands out counters by cache and method, and sums them up. */
export class StatsRegistry {
  readonly #counters = new Map<string, { cache: string; method: string; counters: ReadCounters }>()
  readonly #cap: number
  /** What belongs to no one cache: the whole namespace cleared. */
  readonly #manager = new ReadCounters()
  tagEvictions = 0
  /** Present where staleness is measured. */
  staleness: StalenessCounters | undefined

  constructor(cap = CAP) {
    this.#cap = cap
  }

  /** How many caches and methods are counted apart. */
  get size(): number {
    return this.#counters.size
  }

  /** Keys of a cache, or all of it; without a cache everything, was evicted by request. */
  evicted(cache: string | undefined, howMany: number): void {
    const counters = cache === undefined ? this.#manager : this.of(cache)
    counters.evictions += howMany
  }

  /**
   * Returns the counters of a method (`''` for direct use of the cache). Past the cap, further caches and methods share
   * those of `OTHERS`: names may be made of what users type.
   */
  of(cache: string, method = ''): ReadCounters {
    const id = `${cache} ${method}`
    const known = this.#counters.get(id)
    if (known !== undefined) return known.counters
    if (this.#counters.size >= this.#cap && cache !== OTHERS) return this.of(OTHERS)
    const counters = new ReadCounters()
    this.#counters.set(id, { cache, method, counters })
    return counters
  }

  /** Counters of everything, and by cache: copies, without those of methods. */
  counted(): { readonly total: ReadCounters; readonly byCache: Map<string, ReadCounters> } {
    const total = new ReadCounters()
    total.add(this.#manager)
    const byCache = new Map<string, ReadCounters>()
    for (const { cache, counters } of this.#counters.values()) {
      total.add(counters)
      const ofCache = byCache.get(cache) ?? new ReadCounters()
      ofCache.add(counters)
      byCache.set(cache, ofCache)
    }
    return { total, byCache }
  }

  snapshot(local: { readonly size: number; readonly bytes: number } | undefined): ManagerStats {
    const { total, byCache } = this.counted()
    const byMethod: Record<string, ReadStats> = {}
    for (const { method, counters } of this.#counters.values()) {
      if (method !== '') byMethod[method] = counters.snapshot()
    }
    return {
      ...total.snapshot(),
      byCache: Object.fromEntries(
        Array.from(byCache, ([name, counters]) => [name, counters.snapshot()]),
      ),
      byMethod,
      tagEvictions: this.tagEvictions,
      localEntries: local?.size ?? 0,
      localBytes: local?.bytes ?? 0,
      staleness: this.staleness?.snapshot(),
    }
  }
}
