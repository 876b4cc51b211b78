/** What one node says of itself. No keys, no tags, no values, and no messages of errors. */

import type { OutageKind } from '../events/events.ts'
import type { BreakerState } from '../guard/breaker.ts'
import type { ReadCounters } from '../stats/stats.ts'

/** How a node stands, in short; see `status()` and `health()` of a manager. Plain JSON. */
export interface NodeStatus {
  readonly state: 'in-process' | 'starting' | 'up' | OutageKind | 'closed'
  readonly health: 'up' | 'degraded' | 'down'
  /** What is not as it should be: the reasons of `health()`. */
  readonly problems: readonly string[]
  readonly bus: 'up' | 'down' | 'starting' | 'none'
  /** Messages of other nodes that did not come. They only grow. */
  readonly busGaps: { readonly noticed: number; readonly unrecovered: number }
  /** Calls to the store that failed, or were not tried because a breaker was open. They only grow. */
  readonly calls: { readonly failed: number; readonly skipped: number }
  readonly coherence: {
    readonly state: 'verified' | 'isolated' | 'alone'
    /** For how long it has been in that state, ms; `null` when it has never been in another one. */
    readonly forMs: number | null
    /** How long ago the store had confirmed everything, ms; `null` when it never did. */
    readonly confirmedAgoMs: number | null
    /** Partitions whose local entries are served without being compared, of all. */
    readonly partitions: { readonly verified: number; readonly all: number }
  }
  /** Those of the store, and of locks and limits once they are used. */
  readonly breakers: readonly NodeBreaker[]
  readonly recoveryQueue: {
    /** Evictions that have not reached the store. */
    readonly waiting: number
    readonly values: number
    readonly escalated: 'none' | 'partition' | 'clear'
  }
}

export interface NodeBreaker {
  readonly use: string
  readonly provider: string
  readonly state: BreakerState
}

/** The counters of a node, or of several together. */
export interface CountedReads {
  readonly total: ReadCounters
  readonly byCache: Map<string, ReadCounters>
  readonly tagEvictions: number
  readonly localEntries: number
  readonly localBytes: number
}

/** Everything that a heartbeat says. */
export interface NodeReport {
  readonly name: string | null
  readonly host: string | null
  readonly pid: number | null
  readonly versions: { readonly larder: string; readonly node: string }
  /** How often it reports, ms. */
  readonly everyMs: number
  /** How long the manager had existed, ms. */
  readonly uptimeMs: number
  /** The share of the time since the heartbeat before that the event loop was busy, 0 to 1. */
  readonly loopBusy: number
  readonly status: NodeStatus
  readonly counted: CountedReads
}
