/** What measuring staleness has found: counters of compared hits, and for how long the stale ones had been outdated. */

import { Histogram, type LatencySummary } from './histogram.ts'

/** What had outdated a value: its key was evicted, or replaced by another value, or a tag of it, its cache or everything was evicted. */
export type StaleReason = 'evicted' | 'replaced' | 'tag'

/** What a comparison found that is not stale. */
export type OtherFinding = 'current' | 'reloaded' | 'expired' | 'lost' | 'unknown' | 'unanswered'

/** What comparing local hits with the store has found; see `measureStaleness`. */
export interface StalenessStats {
  /** Local hits that were compared. The findings below add up to it. */
  readonly compared: number
  /** Hits that were due, and left out because as many comparisons were under way as may be. */
  readonly skipped: number
  /** Nothing had changed when the hit was served. */
  readonly current: number
  /** Evicted or replaced before the hit was served, and the time of the change is known. */
  readonly stale: number
  /** The same by what outdated them. */
  readonly staleBy: Readonly<Record<StaleReason, number>>
  /** Of `stale`, those that had been outdated for longer than `maxStaleness`. */
  readonly tooStale: number
  /** The store had a newer load, and nobody had evicted anything: the copy here was within its own time. */
  readonly reloaded: number
  /** Its time had ended when the store was asked. */
  readonly expired: number
  /** The store had dropped it before its time, without an eviction. */
  readonly lost: number
  /** The store had something else, or cannot tell what happened, and when that was is not known. */
  readonly unknown: number
  /** The store could not be asked. */
  readonly unanswered: number
  /** How long before the hit the change was that outdated a stale value. */
  readonly durations: LatencySummary
}

/** The counters behind `StalenessStats`. They only grow. */
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
