/** All nodes of a namespace that report, and their sum. */

import type { KeptHeartbeats } from '../contracts/fleet-provider.ts'
import { OTHERS, ReadCounters, type ReadStats } from '../stats/stats.ts'
import type { CountedReads, NodeReport } from './node-report.ts'
import { unpackReport } from './unpack-report.ts'

/** The counters of a node or of several, as `stats()` has them, without those of methods. */
export interface FleetStats extends ReadStats {
  /** By cache. Of each node the 50 with most reads at most; the others are counted together as `(others)`. */
  readonly byCache: Readonly<Record<string, ReadStats>>
  readonly tagEvictions: number
  readonly localEntries: number
  readonly localBytes: number
}

/** A node as it was when it last reported. Plain JSON. */
export interface FleetNode extends Omit<NodeReport, 'counted'> {
  /** Random, and new with every manager. */
  readonly id: string
  /** `late`: a heartbeat is overdue. The node may have ended or lost the store; it vanishes after `leftMs`. */
  readonly state: 'up' | 'late'
  /** How long ago the store got its last heartbeat, ms. */
  readonly ageMs: number
  readonly leftMs: number
  /** When the manager was made, by the store's clock: an ISO text. */
  readonly startedAt: string
  readonly stats: FleetStats
}

/** Plain JSON. */
export interface Fleet {
  /** By name, then the oldest first. A node whose manager was closed is gone at once. */
  readonly nodes: readonly FleetNode[]
  /**
   * The sum over `nodes`. An entry that two nodes hold counts twice in `localEntries`. It shrinks when a node goes, so rates are
   * differences of one node's numbers.
   */
  readonly total: FleetStats
  /** Nodes whose reports this version cannot read. They are in neither of these. */
  readonly unreadable: number
  /** The manager that was asked, among `nodes`; `null` when it does not report. */
  readonly self: string | null
}

/** A heartbeat is overdue when this much of the usual time between two has passed: jitter and a slow call are no reason. */
const OVERDUE = 1.5
const READ_AT_ONCE = 4
/** How many caches are told apart in the sum. */
const MOST_CACHES = 1_000

/** Reads heartbeats, a few at a time: hundreds of them take long enough to delay other work of a process. */
export async function fleetOf(
  { nowMs, heartbeats }: KeptHeartbeats,
  self: string | null,
): Promise<Fleet> {
  const nodes: FleetNode[] = []
  const counted: CountedReads[] = []
  for (const [i, { node, report: text, ageMs, leftMs }] of heartbeats.entries()) {
    if (i > 0 && i % READ_AT_ONCE === 0) await turnOfTheLoop()
    const report = unpackReport(text)
    if (report === undefined) continue
    const { counted: ofNode, ...rest } = report
    counted.push(ofNode)
    nodes.push({
      id: node,
      state: ageMs > report.everyMs * OVERDUE ? 'late' : 'up',
      ageMs,
      leftMs,
      startedAt: instantOf(nowMs - ageMs - report.uptimeMs),
      ...rest,
      stats: statsOf(ofNode),
    })
  }
  nodes.sort(byNameAndAge)
  if (nodes.length > READ_AT_ONCE) await turnOfTheLoop()
  const isSelfThere = nodes.some(({ id }) => id === self)
  return {
    nodes,
    total: statsOf(sumOf(counted)),
    unreadable: heartbeats.length - nodes.length,
    self: isSelfThere ? self : null,
  }
}

function sumOf(all: readonly CountedReads[]): CountedReads {
  const total = new ReadCounters()
  const byCache = new Map<string, ReadCounters>()
  const sums = { tagEvictions: 0, localEntries: 0, localBytes: 0 }
  for (const counted of all) {
    total.add(counted.total)
    sums.tagEvictions += counted.tagEvictions
    sums.localEntries += counted.localEntries
    sums.localBytes += counted.localBytes
    for (const [name, counters] of counted.byCache) {
      const known = byCache.has(name) || byCache.size < MOST_CACHES ? name : OTHERS
      const ofCache = byCache.get(known) ?? new ReadCounters()
      ofCache.add(counters)
      byCache.set(known, ofCache)
    }
  }
  return { total, byCache, ...sums }
}

function statsOf({ total, byCache, ...sums }: CountedReads): FleetStats {
  const caches = Array.from(byCache, ([name, counters]) => [name, counters.snapshot()])
  return { ...total.snapshot(), byCache: Object.fromEntries(caches), ...sums }
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** An uptime that is beyond what dates can say is not true. */
function instantOf(ms: number): string {
  return new Date(Math.max(0, ms)).toISOString()
}

function byNameAndAge(a: FleetNode, b: FleetNode): number {
  const [nameA, nameB] = [a.name ?? '', b.name ?? '']
  if (nameA !== nameB) return nameA < nameB ? -1 : 1
  return a.startedAt < b.startedAt ? -1 : 1
}
