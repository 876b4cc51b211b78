/** Numbers with their labels, and how those of several managers become one. */

import { definitionOf, type MetricId } from './definitions.ts'

export type Labels = Readonly<Record<string, string>>

/** Durations: how many in all, their sum, and for each of `LATENCY_BOUNDS_MS` how many were at most that long. */
export interface Durations {
  readonly count: number
  readonly sumMs: number
  readonly buckets: readonly number[]
}

export interface Point {
  readonly labels: Labels
  /** A plain number, or what a histogram has counted. */
  readonly value: number | Durations
}

/** The numbers of one or several managers at one moment. */
export type Reading = ReadonlyMap<MetricId, readonly Point[]>

/** Puts readings together: two series with the same labels are one, or a scraper would refuse both. */
export function merged(readings: readonly Reading[]): Reading {
  const [only] = readings
  if (only !== undefined && readings.length === 1) return only
  const result = new Map<MetricId, Map<string, Point>>()
  for (const reading of readings) {
    for (const [id, points] of reading) {
      const series = result.get(id) ?? new Map<string, Point>()
      result.set(id, series)
      for (const point of points) {
        const key = seriesOf(id, point.labels)
        const known = series.get(key)
        const value = known === undefined ? point.value : both(id, known.value, point.value)
        series.set(key, { labels: point.labels, value })
      }
    }
  }
  return new Map(Array.from(result, ([id, series]) => [id, [...series.values()]]))
}

/** What is kept of a manager that was closed: its counts, so that their sum with those of another manager does not shrink. */
export function countsOf(reading: Reading): Reading {
  return new Map([...reading].filter(([id]) => definitionOf(id).kind !== 'gauge'))
}

/** One value for two of the same series: their sum, or the greater or smaller one, as the metric is defined. */
export function both(id: MetricId, a: Point['value'], b: Point['value']): Point['value'] {
  const { merge = 'sum' } = definitionOf(id)
  if (merge === 'sum') return sumOf(a, b)
  return merge === 'max' ? Math.max(Number(a), Number(b)) : Math.min(Number(a), Number(b))
}

function sumOf(a: Point['value'], b: Point['value']): Point['value'] {
  if (typeof a === 'number' || typeof b === 'number') return Number(a) + Number(b)
  return {
    count: a.count + b.count,
    sumMs: a.sumMs + b.sumMs,
    buckets: a.buckets.map((n, i) => n + (b.buckets[i] ?? 0)),
  }
}

/** Tells series apart: label values may be any text, but hold no NUL. */
export function seriesOf(id: MetricId, labels: Labels): string {
  return [id, ...Object.values(labels)].join('\0')
}
