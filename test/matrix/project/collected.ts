/** Numbers of a cache as OpenTelemetry collects them, of a provider that is given and of one that is set later. */

import { deepStrictEqual as equal } from 'node:assert'
import { setTimeout as pause } from 'node:timers/promises'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { openTelemetryMetrics } from '@larder/plugins/metrics'
import { metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'

interface Counted {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly value: unknown
}

/** Half a minute. */
const MOST_LOOKS = 600
const LOOK_MS = 50
const REQUESTS = 'larder.cache.requests'

function provider() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  /** Reads of a cache by their result. */
  const collect = async (): Promise<Readonly<Record<string, unknown>>> => {
    exporter.reset()
    await meterProvider.forceFlush()
    const points = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
      .filter(({ descriptor }) => descriptor.name === REQUESTS)
      .flatMap(({ dataPoints }): readonly Counted[] => dataPoints)
    return Object.fromEntries(
      points.map(({ attributes, value }) => [String(attributes['larder.result']), value]),
    )
  }
  return { meterProvider, collect }
}

/** A manager whose cache `prices` has been read three times, once in vain. */
async function read(plugin: ReturnType<typeof openTelemetryMetrics>) {
  const caches = createCacheManager({
    namespace: 'collected',
    local: lruStore(),
    plugins: [plugin],
    default: false,
  })
  const prices = caches.cache<number>('prices', { ttl: '1m' })
  for (let i = 0; i < 3; i++) await prices.getOrLoad('book', () => 7)
  return caches
}

/** The API is loaded, and a provider found, a moment after the manager was made. */
async function collected({ collect }: ReturnType<typeof provider>): Promise<void> {
  let results = await collect()
  for (let i = 0; i < MOST_LOOKS && results['local'] === undefined; i++) {
    await pause(LOOK_MS)
    results = await collect()
  }
  const { local, miss } = results
  equal({ local, miss }, { local: 2, miss: 1 })
}

async function main(): Promise<void> {
  const given = provider()
  const one = await read(openTelemetryMetrics({ meterProvider: given.meterProvider }))
  await collected(given)
  await one.close()
  await given.meterProvider.shutdown()

  const other = await read(openTelemetryMetrics())
  const late = provider()
  metrics.setGlobalMeterProvider(late.meterProvider)
  await collected(late)
  await other.close()
  await late.meterProvider.shutdown()
}

main().then(
  () => console.log('collected as it was counted'),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
