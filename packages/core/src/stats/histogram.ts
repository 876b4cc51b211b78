/** Histograms of durations whose error is bounded, whatever the durations are. */

/** Buckets per octave: from a duration to its double. */
const PER_OCTAVE = 4
/** The upper bound of the first bucket is 2 to this power, ms. */
const FIRST_OCTAVE = -4
const OCTAVES = 19

/**
 * Upper bounds of the buckets that latencies are counted in, ms: four per octave, from 1/16 ms to about 33 s. They are the same for
 * every latency and in every release of this major version, so that the numbers of several processes can be added.
 */
export const LATENCY_BOUNDS_MS: readonly number[] = Object.freeze(
  Array.from({ length: OCTAVES * PER_OCTAVE + 1 }, (_, i) => boundAt(i)),
)

/** A quantile is given as the middle of its bucket, so it is wrong by half a bucket at most. */
const HALF_BUCKET = 2 ** (1 / (2 * PER_OCTAVE))

/** Durations in ms. */
export interface LatencySummary {
  readonly count: number
  readonly sumMs: number
  readonly meanMs: number
  /**
   * Quantiles are given as the middle of their bucket, so they are wrong by 9 % at most. In the first bucket they are its bound, and above
   * the last bucket they are the last bound.
   */
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  /** For each `i`, how many durations were at most `LATENCY_BOUNDS_MS[i]`. `count` also has those above the last bound. */
  readonly buckets: readonly number[]
}

/** Counts durations. Counts only grow. */
export class Histogram {
  readonly #counts = new Float64Array(LATENCY_BOUNDS_MS.length + 1)
  #total = 0
  #sumMs = 0

  record(durationMs: number): void {
    // The sum must not shrink when a clock was set back or is broken.
    const ms = durationMs > 0 && durationMs < Number.POSITIVE_INFINITY ? durationMs : 0
    const bucket = bucketOf(ms)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#total += 1
    this.#sumMs += ms
  }

  /** Adds another histogram's counts to this one. */
  add(other: Histogram): void {
    if (other.#total === 0) return
    for (let i = 0; i < this.#counts.length; i++) {
      this.#counts[i] = (this.#counts[i] ?? 0) + (other.#counts[i] ?? 0)
    }
    this.#total += other.#total
    this.#sumMs += other.#sumMs
  }

  /** Adds what another process has counted; buckets that do not exist here are left out. */
  addCounts(sumMs: number, counts: Iterable<readonly [bucket: number, count: number]>): void {
    for (const [bucket, count] of counts) {
      const known = this.#counts[bucket]
      if (known === undefined) continue
      this.#counts[bucket] = known + count
      this.#total += count
    }
    this.#sumMs += sumMs
  }

  get sumMs(): number {
    return this.#sumMs
  }

  /** Buckets that are not empty, each by itself; the last one possible has what is beyond the bounds. */
  counts(): readonly (readonly [bucket: number, count: number])[] {
    return Array.from(this.#counts, (count, bucket) => [bucket, count] as const).filter(
      ([, count]) => count > 0,
    )
  }

  summary(): LatencySummary {
    const buckets: number[] = []
    let below = 0
    for (let i = 0; i < LATENCY_BOUNDS_MS.length; i++) {
      below += this.#counts[i] ?? 0
      buckets.push(below)
    }
    return {
      count: this.#total,
      sumMs: this.#sumMs,
      meanMs: this.#total === 0 ? 0 : this.#sumMs / this.#total,
      p50Ms: this.#quantile(0.5, buckets),
      p90Ms: this.#quantile(0.9, buckets),
      p99Ms: this.#quantile(0.99, buckets),
      buckets,
    }
  }

  #quantile(share: number, buckets: readonly number[]): number {
    if (this.#total === 0) return 0
    const wanted = Math.ceil(share * this.#total)
    const at = buckets.findIndex((below) => below >= wanted)
    if (at === 0) return LATENCY_BOUNDS_MS[0] ?? 0
    if (at < 0) return LATENCY_BOUNDS_MS.at(-1) ?? 0
    return (LATENCY_BOUNDS_MS[at] ?? 0) / HALF_BUCKET
  }
}

function boundAt(bucket: number): number {
  return 2 ** (FIRST_OCTAVE + bucket / PER_OCTAVE)
}

/** Returns the first bucket whose bound is at least the duration; above the last bound, the one after it. */
function bucketOf(ms: number): number {
  const first = LATENCY_BOUNDS_MS[0] ?? 0
  if (ms <= first) return 0
  const near = Math.ceil((Math.log2(ms) - FIRST_OCTAVE) * PER_OCTAVE)
  if (near >= LATENCY_BOUNDS_MS.length) return LATENCY_BOUNDS_MS.length
  // The logarithm is rounded. A duration that is exactly a bound belongs to the bucket of that bound, and a longer one does not.
  if (ms > (LATENCY_BOUNDS_MS[near] ?? 0)) return near + 1
  return ms <= (LATENCY_BOUNDS_MS[near - 1] ?? 0) ? near - 1 : near
}
