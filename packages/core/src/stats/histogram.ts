/** Histograms of durations whose error is bounded, whatever the durations are. */

/** Buckets in each doubling of the duration. */
const PER_OCTAVE = 4
/** The upper bound of the first bucket is 2 to this power, ms. */
const FIRST_OCTAVE = -4
const OCTAVES = 19

/**
 * Upper bounds of the buckets that latencies are counted in, ms: four an octave, from 1/16 ms to about 33 s. The same for
 * every latency, in every release of this major version, so that numbers of several processes can be added.
 */
export const LATENCY_BOUNDS_MS: readonly number[] = Object.freeze(
  Array.from({ length: OCTAVES * PER_OCTAVE + 1 }, (_, i) => boundAt(i)),
)

/** A quantile is said to be in the middle of its bucket: half a bucket above or below the truth at most. */
const HALF_BUCKET = 2 ** (1 / (2 * PER_OCTAVE))

/** Durations in ms. */
export interface LatencySummary {
  readonly count: number
  readonly sumMs: number
  readonly meanMs: number
  /**
   * Quantiles are the middle of their bucket: at most 9 % off. Below the first bucket they are its bound, and beyond the last
   * one the last bound.
   */
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  /** How many took at most `LATENCY_BOUNDS_MS[i]`, for each `i`: they include the ones before. `count` has those beyond the last. */
  readonly buckets: readonly number[]
}

/** Counts durations. Counts only grow. */
export class Histogram {
  readonly #counts = new Float64Array(LATENCY_BOUNDS_MS.length + 1)
  #total = 0
  #sumMs = 0

  record(durationMs: number): void {
    // A clock that is set back, or broken, must not make a sum shrink.
    const ms = durationMs > 0 && durationMs < Number.POSITIVE_INFINITY ? durationMs : 0
    const bucket = bucketOf(ms)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#total += 1
    this.#sumMs += ms
  }

  /** Adds another histogram's counts to this one. */
  add(other: Histogram): void {
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

/** The first bucket whose bound is not below; past the last bound, the one after it. */
function bucketOf(ms: number): number {
  const first = LATENCY_BOUNDS_MS[0] ?? 0
  if (ms <= first) return 0
  const near = Math.ceil((Math.log2(ms) - FIRST_OCTAVE) * PER_OCTAVE)
  if (near >= LATENCY_BOUNDS_MS.length) return LATENCY_BOUNDS_MS.length
  // The logarithm is rounded: a duration that is exactly a bound belongs below it, and one just above does not.
  if (ms > (LATENCY_BOUNDS_MS[near] ?? 0)) return near + 1
  return ms <= (LATENCY_BOUNDS_MS[near - 1] ?? 0) ? near - 1 : near
}
