/** Counts what only events tell: locks, limits and failed calls. None of them is on the path of a hit. */

import { LATENCY_BOUNDS_MS } from '@larder/core'
import type { PluginHost } from '@larder/core/store'
import type { MetricId } from './definitions.ts'
import type { KnownNames } from './known-names.ts'
import { type Durations, type Labels, type Point, seriesOf } from './points.ts'

interface Series<Value> {
  readonly labels: Labels
  value: Value
}

/** Ends of a wait; the other outcomes of a lock end a hold. */
const WAITED = ['granted', 'timeout', 'unavailable']

export class EventCounts {
  readonly #namespace: string
  readonly #counters = new Map<string, { readonly id: MetricId } & Series<number>>()
  readonly #waits = new Map<string, Series<DurationCounts>>()

  constructor(host: PluginHost, limiters: KnownNames) {
    this.#namespace = host.namespace
    host.on('store-error', ({ operation, skipped }) => {
      this.#count('store.errors', { operation, outcome: skipped ? 'skipped' : 'failed' })
    })
    host.on('limit', ({ limiter, allowed, source }) => {
      const labels = { limiter: limiters.of(limiter), allowed: `${allowed}`, source }
      this.#count('limit.decisions', labels)
    })
    host.on('lock', ({ outcome, source, durationMs }) => {
      const labels = { outcome, source }
      this.#count('lock.outcomes', labels)
      if (WAITED.includes(outcome)) this.#waited(labels, durationMs)
    })
  }

  points(): ReadonlyMap<MetricId, readonly Point[]> {
    const points = new Map<MetricId, Point[]>([
      ['lock.wait.duration', []],
      ['store.errors', []],
      ['limit.decisions', []],
      ['lock.outcomes', []],
    ])
    for (const { id, labels, value } of this.#counters.values()) {
      points.get(id)?.push({ labels, value })
    }
    for (const { labels, value } of this.#waits.values()) {
      points.get('lock.wait.duration')?.push({ labels, value: value.snapshot() })
    }
    return points
  }

  #count(id: MetricId, labels: Labels): void {
    const key = seriesOf(id, labels)
    const known = this.#counters.get(key)
    if (known !== undefined) known.value += 1
    else this.#counters.set(key, { id, labels: this.#named(labels), value: 1 })
  }

  #waited(labels: Labels, ms: number): void {
    const key = seriesOf('lock.wait.duration', labels)
    const known = this.#waits.get(key) ?? {
      labels: this.#named(labels),
      value: new DurationCounts(),
    }
    this.#waits.set(key, known)
    known.value.record(ms)
  }

  #named(labels: Labels): Labels {
    return { namespace: this.#namespace, ...labels }
  }
}

class DurationCounts {
  readonly #buckets = LATENCY_BOUNDS_MS.map(() => 0)
  #count = 0
  #sumMs = 0

  record(durationMs: number): void {
    // The sum must not shrink when a clock is set back.
    const ms = durationMs > 0 && durationMs < Number.POSITIVE_INFINITY ? durationMs : 0
    this.#count += 1
    this.#sumMs += ms
    for (let i = LATENCY_BOUNDS_MS.length - 1; i >= 0; i--) {
      if (ms > (LATENCY_BOUNDS_MS[i] ?? 0)) break
      this.#buckets[i] = (this.#buckets[i] ?? 0) + 1
    }
  }

  snapshot(): Durations {
    return { count: this.#count, sumMs: this.#sumMs, buckets: [...this.#buckets] }
  }
}
