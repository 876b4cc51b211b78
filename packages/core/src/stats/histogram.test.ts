import { describe, expect, it } from 'vitest'
import { Histogram, LATENCY_BOUNDS_MS } from './histogram.ts'

function histogramOf(...durations: readonly number[]): Histogram {
  const histogram = new Histogram()
  for (const ms of durations) histogram.record(ms)
  return histogram
}

/** How many of the durations took at most a bound, counted one by one. */
function counted(durations: readonly number[]): number[] {
  return LATENCY_BOUNDS_MS.map((bound) => durations.filter((ms) => ms <= bound).length)
}

it('counts four buckets in each doubling, from 1/16 ms to 32 s', () => {
  expect([LATENCY_BOUNDS_MS[0], LATENCY_BOUNDS_MS.at(-1)]).toEqual([1 / 16, 32_768])
  for (let i = 4; i < LATENCY_BOUNDS_MS.length; i++) {
    expect((LATENCY_BOUNDS_MS[i] ?? 0) / (LATENCY_BOUNDS_MS[i - 4] ?? 0)).toBeCloseTo(2, 10)
  }
})

describe('buckets', () => {
  it('are cumulative, and take every bound itself and nothing above it', () => {
    const near = LATENCY_BOUNDS_MS.flatMap((bound) => [
      bound * (1 - Number.EPSILON),
      bound,
      bound * (1 + Number.EPSILON),
    ])
    const durations = [...near, 0, 1e-9, 1e9]
    const { buckets, count } = histogramOf(...durations).summary()
    expect(buckets).toEqual(counted(durations))
    expect(count).toBe(durations.length)
  })

  it('only grow, whatever is recorded', () => {
    const histogram = histogramOf(1)
    let before = histogram.summary()
    for (const ms of [-5, Number.NaN, Number.NEGATIVE_INFINITY, 3, 1e300]) {
      histogram.record(ms)
      const now = histogram.summary()
      expect(now.count).toBe(before.count + 1)
      expect(now.sumMs).toBeGreaterThanOrEqual(before.sumMs)
      expect(now.buckets.every((n, i) => n >= (before.buckets[i] ?? 0))).toBe(true)
      before = now
    }
  })

  it('of two add up', () => {
    const both = histogramOf(1, 10)
    both.add(histogramOf(10, 100_000))
    expect(both.summary()).toMatchObject({ count: 4, sumMs: 100_021 })
    expect(both.summary().buckets).toEqual(counted([1, 10, 10, 100_000]))
  })
})

describe('a quantile', () => {
  it('is at most 9 % off', () => {
    const durations = Array.from({ length: 1_000 }, (_, i) => 0.1 * 1.011 ** i)
    const { p50Ms, p90Ms, p99Ms } = histogramOf(...durations).summary()
    for (const [said, share] of [
      [p50Ms, 0.5],
      [p90Ms, 0.9],
      [p99Ms, 0.99],
    ] as const) {
      const truth = durations[Math.ceil(share * durations.length) - 1] ?? 0
      expect(Math.abs(said / truth - 1)).toBeLessThan(0.0906)
    }
  })

  it('of nothing is 0, and beyond the last bucket its bound', () => {
    expect(histogramOf().summary()).toMatchObject({ count: 0, meanMs: 0, p50Ms: 0, p99Ms: 0 })
    expect(histogramOf(1e9).summary().p50Ms).toBe(32_768)
    expect(histogramOf(0).summary().p50Ms).toBe(1 / 16)
  })
})
