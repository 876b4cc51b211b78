/** The instruments of one meter, and what is observed for them when a reader collects. */

import { LATENCY_BOUNDS_MS } from '@larder/core'
import { definitionOf, isOfMethods, METRIC_IDS, type MetricId } from './definitions.ts'
import type {
  Attributes,
  HistogramLike,
  MeterLike,
  MeterProviderLike,
  Observable,
  ObserverResult,
} from './meter.ts'
import type { MetricSources } from './metric-sources.ts'
import type { Labels } from './points.ts'

const METER = 'larder'
const MS_PER_S = 1_000
/** One bound for each octave, s. */
const BOUNDS_S = LATENCY_BOUNDS_MS.filter((_, i) => i % 4 === 0).map((ms) => ms / MS_PER_S)

/** Labels that have names of their own; the others have `larder.` before them. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  cache: 'larder.cache.name',
  method: 'code.function.name',
}

/**
 * Durations. OpenTelemetry has no histogram that can be read when a reader collects, only one that records each duration. Durations that
 * come with an event are recorded (`RECORDED`). For the others there are only their sum and their number (`SUMMED`).
 */
const SUMMED = ['cache.remote_read.duration', 'method.load.duration'] as const satisfies MetricId[]
const RECORDED = ['cache.load.duration', 'lock.wait.duration'] as const satisfies MetricId[]
export type RecordedId = (typeof RECORDED)[number]

export class Instruments {
  readonly #meter: MeterLike
  readonly #sources: MetricSources
  readonly #observed = new Map<MetricId, Observable>()
  readonly #summed = new Map<MetricId, { readonly time: Observable; readonly count: Observable }>()
  readonly #recorded = new Map<RecordedId, HistogramLike>()
  readonly #all: Observable[]
  #isObserved = false

  constructor(provider: MeterProviderLike, sources: MetricSources, hasMethods: boolean) {
    this.#meter = provider.getMeter(METER)
    this.#sources = sources
    for (const id of METRIC_IDS) {
      if (isOfMethods(id) && !hasMethods) continue
      if (isOneOf(SUMMED, id)) this.#addSummed(id)
      else if (isOneOf(RECORDED, id)) this.#recorded.set(id, histogramIn(this.#meter, id))
      else this.#observed.set(id, observableIn(this.#meter, id))
    }
    const summed = [...this.#summed.values()].flatMap(({ time, count }) => [time, count])
    this.#all = [...this.#observed.values(), ...summed]
  }

  /** Answers collections from now on. */
  observe(): void {
    if (this.#isObserved) return
    this.#isObserved = true
    this.#meter.addBatchObservableCallback(this.#collect, this.#all as never[])
  }

  unobserve(): void {
    this.#isObserved = false
    this.#meter.removeBatchObservableCallback(this.#collect, this.#all as never[])
  }

  record(id: RecordedId, durationMs: number, labels: Labels): void {
    this.#recorded.get(id)?.record(Math.max(0, durationMs) / MS_PER_S, attributesOf(labels))
  }

  readonly #collect = (result: ObserverResult): void => {
    const reading = this.#sources.read()
    for (const [id, instrument] of this.#observed) {
      for (const { labels, value } of reading.get(id) ?? []) {
        result.observe(instrument as never, Number(value), attributesOf(labels))
      }
    }
    for (const [id, { time, count }] of this.#summed) {
      for (const { labels, value } of reading.get(id) ?? []) {
        if (typeof value === 'number') continue
        const attributes = attributesOf(labels)
        result.observe(time as never, value.sumMs / MS_PER_S, attributes)
        result.observe(count as never, value.count, attributes)
      }
    }
  }

  #addSummed(id: MetricId): void {
    const { help } = definitionOf(id)
    const name = `larder.${id}`
    this.#summed.set(id, {
      time: this.#meter.createObservableCounter(`${name}.sum`, {
        unit: 's',
        description: `${help}; the sum`,
      }),
      count: this.#meter.createObservableCounter(`${name}.count`, {
        unit: '{request}',
        description: `${help}; how many`,
      }),
    })
  }
}

function isOneOf<Id extends MetricId>(ids: readonly Id[], id: MetricId): id is Id {
  return (ids as readonly MetricId[]).includes(id)
}

function histogramIn(meter: MeterLike, id: RecordedId): HistogramLike {
  const { help, unit } = definitionOf(id)
  const advice = { explicitBucketBoundaries: [...BOUNDS_S] }
  return meter.createHistogram(`larder.${id}`, { unit, description: help, advice })
}

function observableIn(meter: MeterLike, id: MetricId): Observable {
  const { kind, help, unit, merge } = definitionOf(id)
  const options = { unit, description: help }
  const name = `larder.${id}`
  if (kind === 'counter') return meter.createObservableCounter(name, options)
  // What adds up over processes can be summed by a backend; a state cannot.
  if (merge === undefined) return meter.createObservableUpDownCounter(name, options)
  return meter.createObservableGauge(name, options)
}

function attributesOf(labels: Labels): Attributes {
  return Object.fromEntries(
    Object.entries(labels).map(([label, value]) => [ATTRIBUTES[label] ?? `larder.${label}`, value]),
  )
}
