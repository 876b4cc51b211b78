/**
 * A report as text, of bounded length: JSON, so that any tool can read it.
 *
 * Names of caches may be made of what users type, so only the caches with most reads are told apart, and the rest is counted
 * together. That may still be too long, and then fewer are told apart.
 */

import { OTHERS, ReadCounters } from '../stats/stats.ts'
import type { NodeReport } from './node-report.ts'
import { type PackedCounters, packCounters } from './packed-counters.ts'

/** The form; a reader leaves out reports of another one. */
export const REPORT_FORM = 1
/** How many caches of a node are told apart. */
const MOST_CACHES = 50
/** A report is no longer than this, bytes. */
export const MOST_REPORT_BYTES = 16_384

export function packReport({ counted, ...rest }: NodeReport): string {
  const { total, byCache, tagEvictions, localEntries, localBytes } = counted
  const busiestFirst = [...byCache].sort(([, a], [, b]) => readsOf(b) - readsOf(a))
  for (let most = MOST_CACHES; ; most = Math.floor(most / 2)) {
    const text = JSON.stringify({
      form: REPORT_FORM,
      ...rest,
      counts: { tagEvictions, localEntries, localBytes, total: packCounters(total) },
      caches: packCaches(busiestFirst, most),
    })
    if (most === 0 || Buffer.byteLength(text) <= MOST_REPORT_BYTES) return text
  }
}

function packCaches(
  busiestFirst: readonly (readonly [name: string, counters: ReadCounters])[],
  most: number,
): readonly (readonly [name: string, counters: PackedCounters])[] {
  const apart = busiestFirst.filter(([name]) => name !== OTHERS).slice(0, most)
  const names = new Set(apart.map(([name]) => name))
  const others = new ReadCounters()
  for (const [name, counters] of busiestFirst) if (!names.has(name)) others.add(counters)
  const all = names.size < busiestFirst.length ? [...apart, [OTHERS, others] as const] : apart
  return all.map(([name, counters]) => [name, packCounters(counters)])
}

function readsOf(counters: ReadCounters): number {
  const { localHits, remoteHits, staleHits, joined, misses } = counters
  return localHits + remoteHits + staleHits + joined + misses
}
