/** What the SDK of OpenTelemetry collects with `@larder/plugins/metrics`, and when it finds a provider. */

import { type CacheManager, type CacheManagerOptions, createCacheManager } from '@larder/core'
import { ManualClock } from '@larder/core/testing'
import { localLocks, lruStore } from '@larder/local-store'
import { openTelemetryMetrics } from '@larder/plugins/metrics'
import { createNoopMeter, metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import * as api110 from 'otel-api-1.10'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { METRIC_IDS } from '../../packages/plugins/src/metrics/definitions.ts'
import { GlobalMeterProvider } from '../../packages/plugins/src/metrics/global-meter-provider.ts'
import { eventually } from '../support/eventually.ts'

function startManager(options: Partial<CacheManagerOptions> = {}): CacheManager {
  const caches = createCacheManager({
    namespace: 'shop',
    local: lruStore(),
    default: false,
    logger: false,
    defaults: { ttl: '1h', jitter: 0 },
    ...options,
  })
  onTestFinished(() => caches.close())
  return caches
}

interface Collected {
  readonly name: string
  readonly unit: string
  readonly kind: string
  readonly points: readonly { readonly attributes: object; readonly value: unknown }[]
}

function makeProvider() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  onTestFinished(() => meterProvider.shutdown())
  const collect = async (): Promise<ReadonlyMap<string, Collected>> => {
    exporter.reset()
    await meterProvider.forceFlush()
    const found = exporter.getMetrics().flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics: list }) =>
        list.map(({ descriptor: { name, unit }, dataPoints, dataPointType }) => ({
          name,
          unit,
          kind: String(dataPointType),
          points: dataPoints.map(({ attributes, value }) => ({ attributes, value })),
        })),
      ),
    )
    return new Map(found.map((metric) => [metric.name, metric]))
  }
  return { meterProvider, collect }
}

const numbers = (metric: Collected | undefined): number =>
  (metric?.points ?? []).reduce((sum, { value }) => sum + Number(value), 0)

const REQUESTS = 'larder.cache.requests'

describe('a provider that is given', () => {
  it('collects what stats() says, with names and units by the conventions', async () => {
    const { meterProvider, collect } = makeProvider()
    const caches = startManager({ plugins: [openTelemetryMetrics({ meterProvider })] })
    for (const key of ['a', 'b', 'a']) await caches.cache('c').getOrLoad(key, () => key)
    const collected = await collect()

    expect(collected.get(REQUESTS)).toMatchObject({ unit: '{request}' })
    expect(collected.get(REQUESTS)?.points).toContainEqual({
      attributes: {
        'larder.namespace': 'shop',
        'larder.cache.name': 'c',
        'larder.result': 'local',
      },
      value: caches.stats().localHits,
    })
    expect(numbers(collected.get(REQUESTS))).toBe(3)
    expect(collected.get('larder.cache.entries')?.points[0]?.value).toBe(2)
    expect(collected.get('larder.coherence.verified')?.points[0]?.value).toBe(1)
    expect(collected.get('larder.cache.size')?.unit).toBe('By')
    for (const name of collected.keys()) {
      const id = name.slice('larder.'.length).replace(/\.(sum|count)$/, '')
      expect(METRIC_IDS, name).toContain(id)
    }
  })

  it('is told of each load by its outcome, and of waits for locks, in seconds', async () => {
    const { meterProvider, collect } = makeProvider()
    const plugins = [openTelemetryMetrics({ meterProvider })]
    const caches = startManager({ locks: localLocks(), plugins })
    await caches.cache('c').getOrLoad('a', () => 1)
    await caches
      .cache('c')
      .getOrLoad('b', () => Promise.reject(new Error('no')))
      .catch(() => undefined)
    await caches.locks.run('a', {}, async () => undefined)
    const collected = await collect()
    const loads = collected.get('larder.cache.load.duration')

    expect(loads).toMatchObject({ unit: 's' })
    expect(loads?.points.map(({ attributes }) => attributes)).toEqual(
      ['value', 'error'].map((outcome) => ({
        'larder.namespace': 'shop',
        'larder.cache.name': 'c',
        'larder.outcome': outcome,
      })),
    )
    expect(collected.get('larder.lock.wait.duration')?.points[0]?.value).toMatchObject({ count: 1 })
    expect(numbers(collected.get('larder.lock.outcomes'))).toBe(2)
  })

  it('adds up managers of one plugin, does not shrink, and begins anew when all were closed', async () => {
    const { meterProvider, collect } = makeProvider()
    const plugin = openTelemetryMetrics({ meterProvider })
    const [first, second] = [
      startManager({ plugins: [plugin] }),
      startManager({ plugins: [plugin] }),
    ]
    for (const caches of [first, second]) await caches.cache('c').getOrLoad('k', () => 1)
    expect(numbers((await collect()).get(REQUESTS))).toBe(2)
    await first.close()
    expect(numbers((await collect()).get(REQUESTS))).toBe(2)
    await second.close()

    const third = startManager({ plugins: [plugin] })
    await third.cache('c').getOrLoad('k', () => 1)
    expect(numbers((await collect()).get(REQUESTS))).toBe(1)
  })

  it('is collected during a close', async () => {
    const { meterProvider, collect } = makeProvider()
    const caches = startManager({ plugins: [openTelemetryMetrics({ meterProvider })] })
    await caches.cache('c').getOrLoad('k', () => 1)
    const closing = caches.close()
    await expect(collect()).resolves.toBeDefined()
    await closing
  })
})

describe('the global provider', () => {
  afterEach(() => {
    metrics.disable()
    api110.metrics.disable()
    // The first version that registers anything is remembered there, and refuses the other one.
    Reflect.deleteProperty(globalThis, Symbol.for('opentelemetry.js.api.1'))
  })

  it.each([
    ['the API of the plugin', metrics],
    ['API 1.10', api110.metrics],
  ])('is found where it is set after the manager, through %s', async (_, api) => {
    const clock = new ManualClock()
    const caches = startManager({ clock, plugins: [openTelemetryMetrics()] })
    await caches.cache('c').getOrLoad('k', () => 1)
    const { meterProvider, collect } = makeProvider()
    api.setGlobalMeterProvider(meterProvider as never)
    const found = await eventually('it is found', async () => {
      clock.advance(1_000)
      const collected = await collect()
      return collected.has(REQUESTS) ? collected : undefined
    })
    expect(numbers(found.get(REQUESTS))).toBe(1)
  })

  it('is found where it is set before', async () => {
    const { meterProvider, collect } = makeProvider()
    metrics.setGlobalMeterProvider(meterProvider)
    const caches = startManager({ plugins: [openTelemetryMetrics()] })
    await caches.cache('c').getOrLoad('k', () => 1)
    const found = await eventually('it is found', async () => (await collect()).get(REQUESTS))
    expect(numbers(found)).toBe(1)
  })

  it.each([
    ['1.9', { metrics, createNoopMeter }],
    ['1.10', { metrics: api110.metrics, createNoopMeter: api110.createNoopMeter }],
  ])('that never comes is looked for ever more seldom, and not after the end: API %s', (_, api) => {
    const clock = new ManualClock()
    const found: unknown[] = []
    const looking = new GlobalMeterProvider(clock, (provider) => found.push(provider))
    looking.look(api)
    const pauses: number[] = []
    for (let i = 0; i < 9; i++) {
      const pause = (clock.nextAt ?? 0) - clock.now()
      pauses.push(pause / 1_000)
      clock.advance(pause)
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
    looking.stop()
    expect(clock.pending).toBe(0)
    expect(found).toEqual([])
  })

  it('holds up neither the process nor a close while it is looked for', async () => {
    const clock = new ManualClock()
    const caches = startManager({ clock, plugins: [openTelemetryMetrics()] })
    await eventually('it is looked for', () => clock.pending > 0)
    expect(clock.held).toBe(0)
    await caches.close()
    expect(clock.pending).toBe(0)
  })
})

it('listens to nothing that local hits would pay for', async () => {
  const heard: string[] = []
  const host = {
    namespace: 'shop',
    on: (name: string) => heard.push(name),
    manager: { isClosed: false },
    clock: new ManualClock(),
  }
  const { meterProvider } = makeProvider()
  openTelemetryMetrics({ meterProvider }).start?.(host as never)
  expect(new Set(heard)).toEqual(new Set(['limit', 'load', 'lock', 'store-error']))
})

it.each([
  [{ meterProvider: {} }, 'openTelemetryMetrics.meterProvider'],
  [{ meterProvider: null }, 'openTelemetryMetrics.meterProvider'],
  [{ methods: 1 }, 'openTelemetryMetrics.methods'],
  [{ provider: 1 }, 'provider'],
])('refuses %o', (options, option) => {
  expect(() => openTelemetryMetrics(options as never)).toThrow(option)
})
