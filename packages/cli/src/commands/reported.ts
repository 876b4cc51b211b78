/** What nodes have counted, for people and programs. */

import type { FleetStats, ReadStats } from '@larder/core'
import { countOf } from '../output/units.ts'

type Latency = ReadStats['loadLatency']

/** The counters without the buckets of latencies, which are for charts. */
export function countersOf({
  loadLatency,
  remoteReadLatency,
  ...counts
}: ReadStats): Readonly<Record<string, unknown>> {
  return {
    ...counts,
    loadLatency: withoutBuckets(loadLatency),
    remoteReadLatency: withoutBuckets(remoteReadLatency),
  }
}

/** The same of all caches together, and of each. */
export function fleetCountersOf({ byCache, ...total }: FleetStats): object {
  const caches = Object.entries(byCache).map(([name, stats]) => [name, countersOf(stats)])
  return { ...countersOf(total), byCache: Object.fromEntries(caches) }
}

export function readsText(stats: ReadStats): string {
  const { localHits, remoteHits, staleHits, joined, misses } = stats
  const reads = localHits + remoteHits + staleHits + joined + misses
  return `${ratioText(stats)} of ${countOf(reads)} reads: ${countOf(localHits)} local, ${countOf(remoteHits)} remote, ${countOf(staleHits)} stale, ${countOf(joined)} joined`
}

export function loadsText({ loads, loadErrors, loadLatency }: ReadStats): string {
  if (loadLatency.count === 0) return `${countOf(loads)}, ${countOf(loadErrors)} of them failed`
  const { p50Ms, p99Ms } = loadLatency
  return `${countOf(loads)}, ${countOf(loadErrors)} of them failed; half took ${millisText(p50Ms)}, 99 % ${millisText(p99Ms)} at most`
}

export function ratioText({ hitRatio }: ReadStats): string {
  return `${(hitRatio * 100).toFixed(1)} %`
}

function millisText(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}

function withoutBuckets({ buckets: _, ...latency }: Latency): Omit<Latency, 'buckets'> {
  return latency
}
