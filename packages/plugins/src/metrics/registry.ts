/** The part of a Prometheus registry that is used, whichever client it is from; and the metrics that are put into one. */

import { InvalidOptionError, LATENCY_BOUNDS_MS } from '@larder/core'
import { definitionOf, METRIC_IDS, type MetricId, prometheusName } from './definitions.ts'
import type { ManagerSource } from './manager-source.ts'
import { MetricSources } from './metric-sources.ts'
import type { Durations, Labels, Point } from './points.ts'

/** A registry of prom-client, of `@prometheus-io/client`, or of anything else that registers metrics the same way. */
export interface PrometheusRegistry {
  // biome-ignore lint/suspicious/noExplicitAny: the clients ask for their own class, and use `name` and `get` of it
  registerMetric(metric: any): void
  getSingleMetric(name: string): unknown
  removeSingleMetric(name: string): void
  readonly contentType?: string
}

interface Printed {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly metricName?: string
}

/** A registered metric names the set that it is part of, also to another copy of this module. */
const SET = Symbol.for('larder.metrics.set.1')

const MS_PER_S = 1_000
/** Every fourth of the four bounds per octave. Counts are cumulative, so those of the remaining bounds are exact. */
const EVERY = 4
const BOUNDS = LATENCY_BOUNDS_MS.flatMap((ms, i) =>
  i % EVERY === 0 ? [{ i, le: ms / MS_PER_S }] : [],
)

/** The metrics of one registry under one prefix; managers come and go. */
export class MetricSet {
  readonly sources = new MetricSources()
  readonly #metrics: readonly RegisteredMetric[]
  readonly #registry: PrometheusRegistry

  constructor(registry: PrometheusRegistry, prefix: string) {
    this.#registry = registry
    this.#metrics = METRIC_IDS.map((id) => new RegisteredMetric(this, { id, prefix, registry }))
  }

  /** @throws InvalidOptionError where another metric has one of the names */
  register(): void {
    for (const { name } of this.#metrics) {
      if (this.#registry.getSingleMetric(name) === undefined) continue
      throw new InvalidOptionError({
        option: 'prometheus.prefix',
        expected: `a prefix that makes names which are not taken in the registry; ${name} is`,
        received: name,
      })
    }
    for (const metric of this.#metrics) this.#registry.registerMetric(metric)
  }

  /** Leaves what others have put under the same names since, such as after the registry was cleared. */
  remove(source: ManagerSource): void {
    this.sources.remove(source)
    if (!this.sources.isEmpty) return
    for (const metric of this.#metrics) {
      if (this.#registry.getSingleMetric(metric.name) === metric) {
        this.#registry.removeSingleMetric(metric.name)
      }
    }
  }
}

/** The set that is in the registry, or a new one that is put into it. @throws InvalidOptionError as `register` */
export function metricSetIn(registry: PrometheusRegistry, prefix: string): MetricSet {
  const [first] = METRIC_IDS
  const name = prometheusName(first as MetricId, prefix)
  const known = registry.getSingleMetric(name) as { readonly [SET]?: MetricSet } | undefined
  if (known?.[SET] !== undefined) return known[SET]
  const set = new MetricSet(registry, prefix)
  set.register()
  return set
}

/** As clients want a metric to be: they call `get` at each scrape. */
class RegisteredMetric {
  readonly help: string
  readonly type: string
  readonly labelNames: readonly string[]
  /** How the primary process of `node:cluster` combines the numbers of its workers. */
  readonly aggregator: string
  readonly #id: MetricId
  readonly #name: string
  readonly #set: MetricSet
  readonly #registry: PrometheusRegistry

  constructor(
    set: MetricSet,
    of: { readonly id: MetricId; readonly prefix: string; readonly registry: PrometheusRegistry },
  ) {
    const { kind, help, labels, merge = 'sum' } = definitionOf(of.id)
    this.help = help
    this.type = kind
    this.labelNames = ['namespace', ...labels]
    this.aggregator = merge
    this.#id = of.id
    this.#name = prometheusName(of.id, of.prefix)
    this.#set = set
    this.#registry = of.registry
  }

  get [SET](): MetricSet {
    return this.#set
  }

  get name(): string {
    return this.#name
  }

  /** For OpenMetrics, clients write the name without `_total` here; `get` says it without. */
  set name(_written: string) {}

  get(): object {
    const { help, type, aggregator } = this
    const points = this.#set.sources.read().get(this.#id) ?? []
    const isOpenMetrics = this.#registry.contentType?.includes('openmetrics') ?? false
    const name = isOpenMetrics ? this.#name.replace(/_total$/, '') : this.#name
    return { name, help, type, aggregator, values: points.flatMap((point) => printed(name, point)) }
  }

  /** The numbers are those of the managers, and only grow. */
  reset(): void {}
}

function printed(name: string, { labels, value }: Point): readonly Printed[] {
  if (typeof value === 'number') return [{ labels, value }]
  return histogram(name, labels, value)
}

function histogram(name: string, labels: Labels, { count, sumMs, buckets }: Durations): Printed[] {
  const bucket = `${name}_bucket`
  return [
    ...BOUNDS.map(({ i, le }) => ({
      labels: { ...labels, le },
      value: buckets[i] ?? 0,
      metricName: bucket,
    })),
    { labels: { ...labels, le: '+Inf' }, value: count, metricName: bucket },
    { labels, value: sumMs / MS_PER_S, metricName: `${name}_sum` },
    { labels, value: count, metricName: `${name}_count` },
  ]
}
