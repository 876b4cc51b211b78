/** Counters and latency histograms of reads, by cache and by method. Plain numbers: the hit path increments one of them. */

/** Upper bounds of the latency buckets, ms. Two buckets an octave from 1/16 ms to about 32 s. */
const BOUNDS: readonly number[] = Array.from({ length: 38 }, (_, i) => 2 ** (i / 2 - 4))

/** A histogram of durations with bounded error (a factor of √2). */
export class Histogram {
  readonly #counts = new Float64Array(BOUNDS.length + 1)
  #total = 0
  #sumMs = 0

  record(durationMs: number): void {
    const octaves = Math.ceil((Math.log2(Math.max(durationMs, 2 ** -4)) + 4) * 2)
    const bucket = Math.min(octaves, BOUNDS.length)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#total += 1
    this.#sumMs += durationMs
  }

  /** Adds another histogram's counts to this one. */
  add(other: Histogram): void {
    for (let i = 0; i < this.#counts.length; i++) {
      this.#counts[i] = (this.#counts[i] ?? 0) + (other.#counts[i] ?? 0)
    }
    this.#total += other.#total
    this.#sumMs += other.#sumMs
  }

  summary(): LatencySummary {
    return {
      count: this.#total,
      meanMs: this.#total === 0 ? 0 : this.#sumMs / this.#total,
      p50Ms: this.#quantile(0.5),
      p90Ms: this.#quantile(0.9),
      p99Ms: this.#quantile(0.99),
    }
  }

  #quantile(share: number): number {
    let seen = 0
    for (let i = 0; i < this.#counts.length; i++) {
      seen += this.#counts[i] ?? 0
      if (seen > 0 && seen >= share * this.#total)
        return BOUNDS[Math.min(i, BOUNDS.length - 1)] ?? 0
    }
    return 0
  }
}

/** Durations in ms; quantiles are upper bounds of their bucket. */
export interface LatencySummary {
  readonly count: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
}

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
  /** Reads that shared another caller's read or load. */
  readonly joined: number
  /** Loaders run, refreshes included. */
  readonly loads: number
  readonly loadErrors: number
  /** Hits of any kind and joined reads, as a share of all reads; 0 when there were none. */
  readonly hitRatio: number
  /** Reads that ran no loader. */
  readonly loadsSaved: number
  readonly loadLatency: LatencySummary
  readonly remoteReadLatency: LatencySummary
}

/** The counters behind `ReadStats`. */
export class ReadCounters {
  localHits = 0
  remoteHits = 0
  staleHits = 0
  negativeHits = 0
  misses = 0
  joined = 0
  loads = 0
  loadErrors = 0
  readonly loadMs = new Histogram()
  readonly remoteReadMs = new Histogram()

  add(other: ReadCounters): void {
    this.localHits += other.localHits
    this.remoteHits += other.remoteHits
    this.staleHits += other.staleHits
    this.negativeHits += other.negativeHits
    this.misses += other.misses
    this.joined += other.joined
    this.loads += other.loads
    this.loadErrors += other.loadErrors
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
      joined: this.joined,
      loads: this.loads,
      loadErrors: this.loadErrors,
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
  readonly localEntries: number
  readonly localBytes: number
}

/** So many caches and methods are counted apart. */
const CAP = 5_000
/** Under this name the rest is counted; no cache can have it. */
const OTHERS = '(others)'

/** Hands out counters by cache and method, and sums them up. */
export class StatsRegistry {
  readonly #counters = new Map<string, { cache: string; method: string; counters: ReadCounters }>()
  readonly #cap: number

  constructor(cap = CAP) {
    this.#cap = cap
  }

  /** How many caches and methods are counted apart. */
  get size(): number {
    return this.#counters.size
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

  snapshot(local: { readonly size: number; readonly bytes: number } | undefined): ManagerStats {
    const total = new ReadCounters()
    const byCache = new Map<string, ReadCounters>()
    const byMethod: Record<string, ReadStats> = {}
    for (const { cache, method, counters } of this.#counters.values()) {
      total.add(counters)
      const ofCache = byCache.get(cache) ?? new ReadCounters()
      ofCache.add(counters)
      byCache.set(cache, ofCache)
      if (method !== '') byMethod[method] = counters.snapshot()
    }
    return {
      ...total.snapshot(),
      byCache: Object.fromEntries(
        Array.from(byCache, ([name, counters]) => [name, counters.snapshot()]),
      ),
      byMethod,
      localEntries: local?.size ?? 0,
      localBytes: local?.bytes ?? 0,
    }
  }
}
