/** What a manager says of itself to the fleet. */

import { performance } from 'node:perf_hooks'
import type { CacheNode } from '../cache/node.ts'
import type { ResolvedFleetOptions } from '../fleet/fleet-options.ts'
import type { NodeReport, NodeStatus } from '../fleet/node-report.ts'
import { packReport } from '../fleet/pack-report.ts'
import type { ManagerHealth } from './health.ts'
import type { BusGaps } from './store-tallies.ts'
import { VERSION } from './version.ts'

const NO_GAPS: BusGaps = { gap: 0, behind: 0, 'history-lost': 0, unrecovered: 0 }

/** Returns what makes the text of a heartbeat; `health` is asked each time. */
export function nodeReporter(
  { name, host, everyMs }: ResolvedFleetOptions,
  node: CacheNode,
  health: () => ManagerHealth,
): () => string {
  const madeAt = node.clock.now()
  const loopBusy = loopMeter()
  return () => {
    const report: NodeReport = {
      name,
      host,
      pid: process.pid,
      versions: { larder: VERSION, node: process.versions.node },
      everyMs,
      uptimeMs: Math.round(node.clock.now() - madeAt),
      loopBusy: loopBusy(),
      status: statusOf(health()),
      counted: {
        ...node.stats.counted(),
        tagEvictions: node.stats.tagEvictions,
        localEntries: node.local?.size ?? 0,
        localBytes: node.local?.bytes ?? 0,
      },
    }
    return packReport(report)
  }
}

function statusOf({ state, problems, status }: ManagerHealth): NodeStatus {
  const { store, coherence, breakers, recoveryQueue } = status
  const gaps = store?.busGaps ?? NO_GAPS
  return {
    state: status.state,
    health: state,
    problems: problems.map(({ reason }) => reason),
    bus: store?.bus ?? 'none',
    busGaps: {
      noticed: gaps.gap + gaps.behind + gaps['history-lost'],
      unrecovered: gaps.unrecovered,
    },
    calls: store?.calls ?? { failed: 0, skipped: 0 },
    coherence: {
      state: coherence.state,
      forMs:
        coherence.since === null ? null : Math.max(0, Date.now() - Date.parse(coherence.since)),
      confirmedAgoMs: coherence.confirmedAgoMs,
      partitions: coherence.partitions,
    },
    breakers,
    recoveryQueue,
  }
}

/** Returns what tells the share of the time since the last call that the event loop was busy. Node.js counts it in any case. */
function loopMeter(): () => number {
  const counted: typeof performance.eventLoopUtilization | undefined =
    performance.eventLoopUtilization
  // Other runtimes do not have it.
  if (counted === undefined) return () => 0
  let last = counted.call(performance)
  return () => {
    const before = last
    last = counted.call(performance)
    const { utilization } = counted.call(performance, last, before)
    return Number.isFinite(utilization) ? Math.round(utilization * 1_000) / 1_000 : 0
  }
}
