/** What a node says arrives as it was said, in bounded length; and what others wrote there does no harm. */

import { describe, expect, it } from 'vitest'
import type { MissReason } from '../events/events.ts'
import { LATENCY_BOUNDS_MS } from '../stats/histogram.ts'
import { OTHERS, ReadCounters } from '../stats/stats.ts'
import type { NodeReport } from './node-report.ts'
import { MOST_REPORT_BYTES, packReport } from './pack-report.ts'
import { packCounters, unpackCounters } from './packed-counters.ts'
import { unpackReport } from './unpack-report.ts'

/** Counters none of which is 0, with every bucket of both latencies used. */
function fullCounters(times = 1): ReadCounters {
  const counters = new ReadCounters()
  for (const [i, [name, value]] of Object.entries(counters).entries()) {
    if (typeof value === 'number') Object.assign(counters, { [name]: (i + 1) * times * 1_000_003 })
  }
  for (const [i, reason] of (Object.keys(counters.missesBy) as MissReason[]).entries())
    counters.missesBy[reason] = i + times
  for (const ms of [...LATENCY_BOUNDS_MS, 40_000]) {
    counters.loadMs.record(ms)
    counters.remoteReadMs.record(ms / 2)
  }
  return counters
}

function reportOf(given: Partial<NodeReport> = {}): NodeReport {
  return {
    name: 'api ☃',
    host: 'machine-1',
    pid: 4711,
    versions: { larder: '1.2.3', node: '22.0.0' },
    everyMs: 5_000,
    uptimeMs: 123_456,
    loopBusy: 0.125,
    status: {
      state: 'unreachable',
      health: 'degraded',
      problems: ['unreachable', 'isolated'],
      bus: 'down',
      busGaps: { noticed: 7, unrecovered: 2 },
      calls: { failed: 3, skipped: 99 },
      coherence: {
        state: 'isolated',
        forMs: 1_500,
        confirmedAgoMs: null,
        partitions: { verified: 3, all: 64 },
      },
      breakers: [{ use: 'store', provider: 'redis', state: 'half-open' }],
      recoveryQueue: { waiting: 5, values: 1, escalated: 'partition' },
    },
    counted: {
      total: fullCounters(2),
      byCache: new Map([['products', fullCounters()]]),
      tagEvictions: 4,
      localEntries: 1_000,
      localBytes: 65_536,
    },
    ...given,
  }
}

const withCaches = (count: number, name: (i: number) => string): NodeReport =>
  reportOf({
    counted: {
      ...reportOf().counted,
      byCache: new Map(Array.from({ length: count }, (_, i) => [name(i), fullCounters(i + 1)])),
    },
  })

describe('a report', () => {
  it('arrives as it was said', () => {
    expect(unpackReport(packReport(reportOf()))).toEqual(reportOf())
    const quiet = reportOf({ name: null, host: null, pid: null, counted: emptyCounts() })
    expect(unpackReport(packReport(quiet))).toEqual(quiet)
  })

  it('is short where little has happened', () => {
    expect(packReport(reportOf({ counted: emptyCounts() })).length).toBeLessThan(1_000)
  })

  it.each<[number, (i: number) => string]>([
    [51, (i) => `c${i}`],
    [5_000, (i) => `${i}`.padStart(64, 'x')],
  ])('of %i caches stays within its bound, and counts all of them', (count, name) => {
    const report = withCaches(count, name)
    const text = packReport(report)
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MOST_REPORT_BYTES)
    const { byCache } = unpackReport(text)?.counted ?? emptyCounts()
    expect(byCache.size).toBeLessThanOrEqual(51)
    const said = new ReadCounters()
    for (const counters of byCache.values()) said.add(counters)
    const had = new ReadCounters()
    for (const counters of report.counted.byCache.values()) had.add(counters)
    expect(said.snapshot()).toMatchObject({ ...had.snapshot(), ...inexact(had, said) })
    // Those with most reads are told apart.
    expect([...byCache.keys()].slice(0, 2)).toEqual([name(count - 1), name(count - 2)])
    expect([...byCache.keys()].at(-1)).toBe(OTHERS)
  })

  it('adds what the node itself no longer tells apart to the others', () => {
    const byCache = new Map([
      ['few', fullCounters(1)],
      [OTHERS, fullCounters(9)],
      ['many', fullCounters(5)],
    ])
    const report = reportOf({ counted: { ...reportOf().counted, byCache } })
    const said = unpackReport(packReport(report))?.counted.byCache
    expect([...(said?.keys() ?? [])]).toEqual(['many', 'few', OTHERS])
    expect(said?.get(OTHERS)).toEqual(fullCounters(9))
  })

  it.each([
    '',
    'null',
    '1',
    '[]',
    '{',
    '{}',
    '{"form":2}',
    '{"form":"1"}',
    '\u0000',
    JSON.stringify({ ...JSON.parse(packReport(reportOf())), form: 99 }),
  ])('of another form is left out: %j', (text) => {
    expect(unpackReport(text)).toBeUndefined()
  })

  it('with anything at all in the place of anything else is read without an error', () => {
    const whole = JSON.parse(packReport(reportOf())) as Record<string, unknown>
    const wrongs = [null, -1, 1e308, 'x'.repeat(10_000), [], [null], {}, { __proto__: 1 }, true]
    for (const path of pathsIn(whole)) {
      for (const wrong of wrongs) {
        const text = JSON.stringify(replaced(whole, path, wrong))
        const report = unpackReport(text)
        if (path.join('.') === 'form') continue
        expect(report, text).toBeDefined()
        const { counted, ...rest } = report as NodeReport
        expect(Number.isFinite(counted.total.snapshot().loadLatency.p99Ms)).toBe(true)
        expect(JSON.stringify(rest)).not.toContain('x'.repeat(65))
        for (const name of counted.byCache.keys()) expect(name.length).toBeLessThanOrEqual(64)
      }
    }
  })
})

describe('counters', () => {
  it('arrive as they were, bucket by bucket', () => {
    const counters = fullCounters()
    expect(unpackCounters(JSON.parse(JSON.stringify(packCounters(counters))))).toEqual(counters)
    expect(packCounters(new ReadCounters())).toEqual([[], [], [], []])
  })

  it('that a later version adds are left out', () => {
    const packed = packCounters(fullCounters()).map((list) => [...list])
    const longer = [...packed, [1, 2, 3]]
    expect(unpackCounters(longer)).toEqual(fullCounters())
    const more = packed.map((list, i) => (i < 2 ? [...list, 5] : list))
    expect(unpackCounters(more)).toEqual(fullCounters())
  })

  it('of buckets that do not exist count nothing', () => {
    const counters = unpackCounters([[], [], [5, 78, 3, -1, 2, 1.5, 1, 0, 2], []])
    expect(counters.loadMs.summary()).toMatchObject({ count: 2, sumMs: 5 })
  })
})

function emptyCounts(): NodeReport['counted'] {
  return {
    total: new ReadCounters(),
    byCache: new Map(),
    tagEvictions: 0,
    localEntries: 0,
    localBytes: 0,
  }
}

/** Sums of ms are rounded to a microsecond for each cache. */
function inexact(had: ReadCounters, said: ReadCounters): object {
  for (const histogram of ['loadMs', 'remoteReadMs'] as const) {
    expect(said[histogram].sumMs / had[histogram].sumMs).toBeCloseTo(1, 5)
  }
  const { loadLatency, remoteReadLatency } = said.snapshot()
  const { loadLatency: l, remoteReadLatency: r } = had.snapshot()
  return {
    loadLatency: { ...l, sumMs: loadLatency.sumMs, meanMs: loadLatency.meanMs },
    remoteReadLatency: { ...r, sumMs: remoteReadLatency.sumMs, meanMs: remoteReadLatency.meanMs },
  }
}

type Path = readonly (string | number)[]

/** Every place in it, those of lists among them. */
function pathsIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null || path.length > 4) return [path]
  const inside = Object.entries(value)
    .slice(0, 12)
    .flatMap(([name, part]) => pathsIn(part, [...path, name]))
  return path.length === 0 ? inside : [path, ...inside]
}

function replaced(value: unknown, [first, ...rest]: Path, by: unknown): unknown {
  if (first === undefined) return by
  const copy: Record<string, unknown> = Array.isArray(value)
    ? ([...value] as unknown as Record<string, unknown>)
    : { ...(value as object) }
  copy[first] = replaced(copy[first], rest, by)
  return copy
}
