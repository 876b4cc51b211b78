/**
 * Counters as short lists of numbers: `[[counts], [misses by reason], [load latency], [remote read latency]]`.
 *
 * A latency is `[sum of ms, bucket, count, bucket, count, …]`, without the empty buckets, of which there are many. Lists end
 * where only zeros would follow.
 */

import type { MissReason } from '../events/events.ts'
import type { Histogram } from '../stats/histogram.ts'
import { ReadCounters } from '../stats/stats.ts'

export type PackedCounters = readonly (readonly number[])[]

/** Their places in the list. New ones are added at the end: nodes of two versions understand each other. */
const COUNTS = [
  'localHits',
  'remoteHits',
  'staleHits',
  'negativeHits',
  'misses',
  'joined',
  'loads',
  'loadErrors',
  'drops',
  'evictions',
  'undecodable',
] as const satisfies readonly (keyof ReadCounters)[]

/** The same of the reasons for misses. */
const REASONS = [
  'absent',
  'expired',
  'evicted',
  'tag',
  'version',
  'undecodable',
  'store-away',
] as const satisfies readonly MissReason[]

const PER_MS = 1_000

export function packCounters(counters: ReadCounters): PackedCounters {
  return [
    withoutZeros(COUNTS.map((name) => counters[name])),
    withoutZeros(REASONS.map((reason) => counters.missesBy[reason])),
    packLatency(counters.loadMs),
    packLatency(counters.remoteReadMs),
  ]
}

/** What is not a count there, counts as 0: it may come from anywhere. */
export function unpackCounters(packed: unknown): ReadCounters {
  const [counts, reasons, load, remoteRead] = listIn(packed)
  const counters = new ReadCounters()
  for (const [i, name] of COUNTS.entries()) counters[name] = countIn(listIn(counts)[i])
  for (const [i, reason] of REASONS.entries()) {
    counters.missesBy[reason] = countIn(listIn(reasons)[i])
  }
  unpackLatency(listIn(load), counters.loadMs)
  unpackLatency(listIn(remoteRead), counters.remoteReadMs)
  return counters
}

export function countIn(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0
}

/** A length of time, ms; 0 for what is none. */
export function spanIn(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0
}

export function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function withoutZeros(counts: readonly number[]): readonly number[] {
  return counts.slice(0, counts.findLastIndex((count) => count !== 0) + 1)
}

function packLatency(histogram: Histogram): readonly number[] {
  const counts = histogram.counts()
  if (counts.length === 0) return []
  return [Math.round(histogram.sumMs * PER_MS) / PER_MS, ...counts.flat()]
}

function unpackLatency([sumMs, ...pairs]: readonly unknown[], histogram: Histogram): void {
  const counts: [number, number][] = []
  for (let i = 0; i < pairs.length; i += 2) {
    const bucket = pairs[i]
    if (typeof bucket === 'number') counts.push([bucket, countIn(pairs[i + 1])])
  }
  histogram.addCounts(spanIn(sumMs), counts)
}
