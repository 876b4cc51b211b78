/** What measuring staleness has found: counters of compared hits, and for how long the stale values had been outdated. */

import { Histogram, type LatencySummary } from './histogram.ts'

/**
 * Why a value was outdated: its key was evicted (`evicted`), another value was put under its key (`replaced`), or one of its tags, its
 * cache or everything was evicted (`tag`).
 */
export type StaleReason = 'evicted' | 'replaced' | 'tag'

/** What a comparison found, if the value was not stale. */
export type OtherFinding = 'current' | 'reloaded' | 'expired' | 'lost' | 'unknown' | 'unanswered'

/** What comparing local hits with the store has found; see `measureStaleness`. */
export interface StalenessStats {
  /** Local hits that were compared: the sum of all findings below. */
  readonly compared: number
  /** Hits that were to be compared and were not, because too many comparisons were under way. */
  readonly skipped: number
  /** Nothing had changed before the hit was served. */
  readonly current: number
  /** The value was evicted or replaced before the hit was served, and it is known when. */
  readonly stale: number
  /** The same per reason. */
  readonly staleBy: Readonly<Record<StaleReason, number>>
  /** Those of `stale` that had been outdated for longer than `maxStaleness`. */
  readonly tooStale: number
  /** The store had a newer load, and nothing had been evicted: the entry here had not expired either. */
  readonly reloaded: number
  /** The entry had expired when the store was asked. */
  readonly expired: number
  /** The store had dropped the entry before it expired, without an eviction. */
  readonly lost: number
  /** The store had something else, or could not tell what happened, and it is not known when that was. */
  readonly unknown: number
  /** The store did not answer. */
  readonly unanswered: number
  /** For how long the values of `stale` had been outdated when they were served. */
  readonly durations: LatencySummary
}

/** The counters from which `StalenessStats` are made. They only grow. */
export class StalenessCounters {
  skipped = 0
  tooStale = 0
  readonly #others: Record<OtherFinding, number> = {
    current: 0,
    reloaded: 0,
    expired: 0,
    lost: 0,
    unknown: 0,
    unanswered: 0,
  }
  readonly #staleBy: Record<StaleReason, number> = { evicted: 0, replaced: 0, tag: 0 }
  readonly #durations = new Histogram()

  found(finding: OtherFinding): void {
    this.#others[finding] += 1
  }

  foundStale(reason: StaleReason, stalenessMs: number): void {
    this.#staleBy[reason] += 1
    this.#durations.record(stalenessMs)
  }

  snapshot(): StalenessStats {
    const durations = this.#durations.summary()
    const others = Object.values(this.#others).reduce((sum, count) => sum + count, 0)
    return {
      compared: others + durations.count,
      skipped: this.skipped,
      ...this.#others,
      stale: durations.count,
      staleBy: { ...this.#staleBy },
      tooStale: this.tooStale,
      durations,
    }
  }
}
