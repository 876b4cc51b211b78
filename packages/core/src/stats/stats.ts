/** Counters and latency histograms of reads, per cache and per method. They are plain numbers, because a local hit increments one of them. */

import type { MissReason } from '../events/events.ts'
import { Histogram, type LatencySummary } from './histogram.ts'
import type { StalenessCounters, StalenessStats } from './staleness.ts'

/** What the reads through one method, or directly through a cache, ended with. */
export interface ReadStats {
  /** Fresh values served from this process. */
  readonly localHits: number
  /** Fresh values served from the store. */
  readonly remoteHits: number
  /** Stale values that were served. */
  readonly staleHits: number
  /** Hits of negative entries ("the source has nothing"). The other counters of hits include them. */
  readonly negativeHits: number
  /** Reads that no tier could serve. */
  readonly misses: number
  /** The same per reason; the reasons are those of the `miss` event. */
  readonly missesBy: Readonly<Record<MissReason, number>>
  /** Reads that joined the flight of another caller. */
  readonly joined: number
  /** Loads, those of refreshes included. */
  readonly loads: number
  readonly loadErrors: number
  /** Entries that the local tier dropped to make room. 0 for methods, because an entry belongs to its cache. */
  readonly drops: number
  /** Keys that were evicted by a request on this node; `clear` counts as one. 0 for methods. */
  readonly evictions: number
  /** Entries of the shared tier whose bytes could not be read. */
  readonly undecodable: number
  /** The share of reads that were hits of any kind, or joined a flight: 0 to 1. It is 0 when there were no reads. */
  readonly hitRatio: number
  /** Reads that began no load. */
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

/** The counters from which `ReadStats` are made. While the manager is open, they only grow. */
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
  /** By `Class.method`. Methods of one name count together, also if they use different caches. */
  readonly byMethod: Readonly<Record<string, ReadStats>>
  /** Tags that were evicted by a request on this node. `evictions` does not include them, because a tag may belong to several caches. */
  readonly tagEvictions: number
  readonly localEntries: number
  readonly localBytes: number
  /** Absent without `measureStaleness`, or without a shared tier to compare with. */
  readonly staleness: StalenessStats | undefined
}

/** How many caches and methods have counters of their own. */
const CAP = 5_000
/** The rest is counted under this name, which no cache can have. */
export const OTHERS = '(others)'

/** Has the counters of each cache and method, and adds them up. */
export class StatsRegistry {
  readonly #counters = new Map<string, { cache: string; method: string; counters: ReadCounters }>()
  readonly #cap: number
  /** For what concerns all caches: clearing the whole namespace. */
  readonly #manager = new ReadCounters()
  tagEvictions = 0
  /** Present where staleness is measured. */
  staleness: StalenessCounters | undefined

  constructor(cap = CAP) {
    this.#cap = cap
  }

  /** How many caches and methods have counters of their own. */
  get size(): number {
    return this.#counters.size
  }

  /** Counts evictions by request: of keys of a cache, of a whole cache, or, without a cache, of everything. */
  evicted(cache: string | undefined, howMany: number): void {
    const counters = cache === undefined ? this.#manager : this.of(cache)
    counters.evictions += howMany
  }

  /**
   * Returns the counters of a method (`''` for direct use of the cache). Above the cap, further caches and methods share the counters
   * of `OTHERS`, because names may be made of what users type.
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

  /** Counters of everything, and by cache, without those of methods: to be read at once, because some go on counting. */
  counted(): { readonly total: ReadCounters; readonly byCache: Map<string, ReadCounters> } {
    const total = new ReadCounters()
    total.add(this.#manager)
    const parts = new Map<string, ReadCounters[]>()
    for (const { cache, counters } of this.#counters.values()) {
      total.add(counters)
      const known = parts.get(cache)
      if (known === undefined) parts.set(cache, [counters])
      else known.push(counters)
    }
    return { total, byCache: new Map(Array.from(parts, ([cache, all]) => [cache, sumOf(all)])) }
  }

  /** `local`: the local tier, if there is one; `bytes` are those that it counts. */
  snapshot(local: { readonly size: number; readonly bytes: number } | undefined): ManagerStats {
    const { total, byCache } = this.counted()
    const byMethod = new Map<string, ReadCounters>()
    for (const { method, counters } of this.#counters.values()) {
      if (method === '') continue
      // Two classes may have one name, and a method may use several caches.
      const ofMethod = byMethod.get(method) ?? new ReadCounters()
      ofMethod.add(counters)
      byMethod.set(method, ofMethod)
    }
    return {
      ...total.snapshot(),
      byCache: snapshotsOf(byCache),
      byMethod: snapshotsOf(byMethod),
      tagEvictions: this.tagEvictions,
      localEntries: local?.size ?? 0,
      localBytes: local?.bytes ?? 0,
      staleness: this.staleness?.snapshot(),
    }
  }
}

/** Itself where there is one: most caches have one, and there may be thousands. */
function sumOf(all: readonly ReadCounters[]): ReadCounters {
  const [first] = all
  if (first !== undefined && all.length === 1) return first
  const sum = new ReadCounters()
  for (const counters of all) sum.add(counters)
  return sum
}

function snapshotsOf(counters: ReadonlyMap<string, ReadCounters>): Record<string, ReadStats> {
  return Object.fromEntries(Array.from(counters, ([name, each]) => [name, each.snapshot()]))
}
