/** What a scraper reads with `@larder/plugins/metrics`: from both clients of Prometheus for Node.js. */

import {
  Cacheable,
  type CacheManager,
  type CacheManagerOptions,
  createCacheManager,
} from '@larder/core'
import type { PluginHost } from '@larder/core/store'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { localLocks, lruStore } from '@larder/local-store'
import { type PrometheusRegistry, prometheus } from '@larder/plugins/metrics'
import { redisStore } from '@larder/redis-store'
import * as successor from '@prometheus-io/client'
import * as promClient from 'prom-client'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { METRIC_IDS, prometheusName } from '../../packages/plugins/src/metrics/definitions.ts'
import { ManagerSource, MOST_NAMES } from '../../packages/plugins/src/metrics/manager-source.ts'
import { eventually } from '../support/eventually.ts'
import { scraped, total } from './scraped.ts'

type Registry = PrometheusRegistry & {
  metrics(): Promise<string>
  clear(): void
  resetMetrics(): void
  getMetricsAsArray(): readonly object[]
  getMetricsAsJSON(): Promise<readonly object[]>
}

const CLIENTS: Readonly<Record<string, () => Registry>> = {
  'prom-client': () => new promClient.Registry(),
  '@prometheus-io/client': () => new successor.Registry(),
}
const REQUESTS = 'larder_cache_requests_total'

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

const names = (registry: Registry): readonly string[] =>
  registry.getMetricsAsArray().map((metric) => (metric as { name: string }).name)

describe.each(Object.entries(CLIENTS))('a registry of %s', (client, makeRegistry) => {
  const scrape = async (registry: Registry) => scraped(await registry.metrics())

  it('prints what stats() and status() say, each metric with its help and type', async () => {
    const registry = makeRegistry()
    const server = new MemoryServer()
    const caches = startManager({
      remote: server.store(),
      codec: structuredCodec,
      plugins: [prometheus({ registry })],
    })
    const products = caches.cache<string>('products')
    await products.getOrLoad('1', () => 'one')
    await products.getOrLoad('1', () => 'one')
    await products.evict('1')
    const families = await scrape(registry)
    const { byCache } = caches.stats()

    expect([...families.keys()]).toEqual(METRIC_IDS.map((id) => prometheusName(id, 'larder_')))
    expect([...(families.get(REQUESTS)?.samples ?? [])]).toEqual([
      [
        `${REQUESTS}{namespace="shop",cache="products",result="local"}`,
        byCache['products']?.localHits,
      ],
      [`${REQUESTS}{namespace="shop",cache="products",result="remote"}`, 0],
      [`${REQUESTS}{namespace="shop",cache="products",result="stale"}`, 0],
      [`${REQUESTS}{namespace="shop",cache="products",result="joined"}`, 0],
      [`${REQUESTS}{namespace="shop",cache="products",result="miss"}`, 1],
    ])
    expect(total(families, 'larder_cache_misses_total', 'reason="absent"')).toBe(1)
    expect(total(families, 'larder_cache_evictions_total')).toBe(1)
    expect(total(families, 'larder_breaker_state', 'use="store"')).toBe(0)
    expect(total(families, 'larder_coherence_verified')).toBe(1)
  })

  it('prints histograms in seconds whose buckets are cumulative and end with all', async () => {
    const registry = makeRegistry()
    const caches = startManager({ plugins: [prometheus({ registry })] })
    for (const key of ['a', 'b', 'c']) await caches.cache('c').getOrLoad(key, () => key)
    const family = (await scrape(registry)).get('larder_cache_load_duration_seconds')
    const samples = [...(family?.samples ?? [])]
    const buckets = samples.filter(([name]) => name.includes('_bucket'))
    const { loadLatency } = caches.stats()

    expect(family?.type).toBe('histogram')
    expect(buckets.map(([, n]) => n)).toEqual(buckets.map(([, n]) => n).sort((a, b) => a - b))
    expect(buckets.at(-1)?.[0]).toContain('le="+Inf"')
    expect(buckets.at(-1)?.[1]).toBe(3)
    expect(samples.find(([name]) => name.includes('_sum'))?.[1]).toBe(loadLatency.sumMs / 1_000)
    expect(samples.find(([name]) => name.includes('_count'))?.[1]).toBe(3)
    for (const [name] of buckets) expect(name).toMatch(/le="(\+Inf|[\d.e-]+)"/)
  })

  it('says the same as stats() after a thousand concurrent reads', async () => {
    const registry = makeRegistry()
    const caches = startManager({ plugins: [prometheus({ registry })] })
    const cache = caches.cache<number>('c')
    const reads = Array.from({ length: 1_000 }, (_, i) => cache.getOrLoad(`${i % 50}`, () => i))
    await Promise.all([...reads, registry.metrics(), registry.metrics()])
    const families = await scrape(registry)
    const { localHits, joined, misses } = caches.stats()

    expect(total(families, REQUESTS)).toBe(1_000)
    expect(total(families, REQUESTS, 'result="local"')).toBe(localHits)
    expect(total(families, REQUESTS, 'result="joined"')).toBe(joined)
    expect(total(families, REQUESTS, 'result="miss"')).toBe(misses)
  })

  it('has each metric once for two managers, and tells them apart by namespace', async () => {
    const registry = makeRegistry()
    const shop = startManager({ plugins: [prometheus({ registry })] })
    const blog = startManager({ namespace: 'blog', plugins: [prometheus({ registry })] })
    await shop.cache('c').getOrLoad('k', () => 1)
    await blog.cache('c').getOrLoad('k', () => 1)
    await blog.cache('c').getOrLoad('l', () => 1)
    const families = await scrape(registry)

    expect(names(registry).length).toBe(METRIC_IDS.length)
    expect(total(families, REQUESTS, 'namespace="shop"')).toBe(1)
    expect(total(families, REQUESTS, 'namespace="blog"')).toBe(2)
  })

  it('adds up two managers of one namespace, and does not shrink when one of them is closed', async () => {
    const registry = makeRegistry()
    const plugin = prometheus({ registry })
    const first = startManager({ plugins: [plugin] })
    const second = startManager({ plugins: [plugin] })
    for (const caches of [first, second]) await caches.cache('c').getOrLoad('k', () => 1)
    expect(total(await scrape(registry), REQUESTS)).toBe(2)
    expect(total(await scrape(registry), 'larder_cache_entries')).toBe(2)
    expect(total(await scrape(registry), 'larder_coherence_verified')).toBe(1)

    await first.close()
    expect(total(await scrape(registry), REQUESTS)).toBe(2)
    expect(total(await scrape(registry), 'larder_cache_entries')).toBe(1)
    await second.close()
    expect(names(registry)).toEqual([])
  })

  it('can be left and entered again by the same plugin', async () => {
    const registry = makeRegistry()
    const plugin = prometheus({ registry })
    for (let round = 0; round < 3; round++) {
      const caches = startManager({ plugins: [plugin] })
      await caches.cache('c').getOrLoad('k', () => 1)
      expect(total(await scrape(registry), REQUESTS)).toBe(1)
      await caches.close()
      expect(names(registry)).toEqual([])
    }
  })

  it('may be cleared: managers go on, close, and register again when they are told to', async () => {
    const registry = makeRegistry()
    const plugin = prometheus({ registry })
    const caches = startManager({ plugins: [plugin] })
    const other = startManager({ namespace: 'blog', plugins: [prometheus({ registry })] })
    await caches.cache('c').getOrLoad('k', () => 1)
    registry.clear()
    expect(await registry.metrics()).not.toContain('larder')

    plugin.register()
    plugin.register()
    expect(total(await scrape(registry), REQUESTS)).toBe(1)
    await other.close()
    expect(names(registry).length).toBe(METRIC_IDS.length)
    await caches.close()
    expect(names(registry)).toEqual([])
  })

  it('can be scraped while a manager closes, and after', async () => {
    const registry = makeRegistry()
    const server = new MemoryServer()
    const plugins = [prometheus({ registry })]
    const caches = startManager({ remote: server.store(), codec: structuredCodec, plugins })
    await caches.cache('c').getOrLoad('k', () => 1)
    const closing = caches.close()
    const families = await scrape(registry)
    await closing

    expect(total(families, REQUESTS)).toBe(1)
    expect(total(families, 'larder_degraded')).toBe(1)
    expect((await scrape(registry)).size).toBe(0)
  })

  it('gives so many caches series of their own and counts the rest together, never less than before', async () => {
    const registry = makeRegistry()
    const caches = startManager({ plugins: [prometheus({ registry })] })
    const read = (name: string) => caches.cache(name).getOrLoad('k', () => 1)
    for (let i = 0; i < MOST_NAMES + 20; i++) await read(`c${i}`)
    const before = await scrape(registry)
    // Names that are numbers come first in an object, whenever they were added.
    await read('7')
    const after = await scrape(registry)
    const missed = [...(before.get(REQUESTS)?.samples ?? [])].filter(([name]) =>
      name.includes('miss'),
    )

    expect(missed.length).toBe(MOST_NAMES + 1)
    expect(total(before, REQUESTS, 'cache="(others)"')).toBe(20)
    expect(total(after, REQUESTS, 'cache="(others)"')).toBe(21)
    expect(total(after, REQUESTS, 'cache="7"')).toBe(0)
    for (const [series, value] of before.get(REQUESTS)?.samples ?? []) {
      expect(after.get(REQUESTS)?.samples.get(series)).toBeGreaterThanOrEqual(value)
    }
  })

  it('prints names with quotes, backslashes and line ends so that they can be read', async () => {
    const registry = makeRegistry()
    const caches = startManager({ plugins: [prometheus({ registry })] })
    for (const name of ['a "b"', 'c\\d', 'e\nf']) {
      try {
        await caches.cache(name).getOrLoad('k', () => 1)
      } catch {
        // A name that caches cannot have needs no series.
      }
    }
    expect(total(await scrape(registry), REQUESTS)).toBe(caches.stats().misses)
  })

  it('keeps its numbers when all metrics are reset', async () => {
    const registry = makeRegistry()
    const caches = startManager({ plugins: [prometheus({ registry })] })
    await caches.cache('c').getOrLoad('k', () => 1)
    registry.resetMetrics()
    expect(total(await scrape(registry), REQUESTS)).toBe(1)
  })

  it('prints OpenMetrics, and what it printed before after that', async () => {
    const registry = makeRegistry() as Registry & { setContentType(type: string): void }
    const caches = startManager({ plugins: [prometheus({ registry })] })
    await caches.cache('c').getOrLoad('k', () => 1)
    const before = await registry.metrics()
    registry.setContentType(promClient.Registry.OPENMETRICS_CONTENT_TYPE)
    const text = await registry.metrics()
    registry.setContentType(promClient.Registry.PROMETHEUS_CONTENT_TYPE)

    expect(text).toContain('# TYPE larder_cache_requests counter')
    expect(text).not.toContain('_total_total')
    expect(total(scraped(text), 'larder_cache_requests', 'result="miss"')).toBe(1)
    expect(await registry.metrics()).toBe(before)
  })

  it('is gathered from the workers of a cluster', async () => {
    const registry = makeRegistry()
    const caches = startManager({ plugins: [prometheus({ registry })] })
    await caches.cache('c').getOrLoad('k', () => 1)
    const workers = [await registry.getMetricsAsJSON(), await registry.getMetricsAsJSON()]
    const sent = structuredClone(workers) as object[]
    const Aggregator =
      client === 'prom-client' ? promClient.AggregatorRegistry : successor.AggregatorRegistry
    const together = (Aggregator as typeof promClient.AggregatorRegistry).aggregate(sent)
    const families = scraped(await together.metrics())

    expect(total(families, REQUESTS)).toBe(2)
    expect(total(families, 'larder_coherence_verified')).toBe(1)
  })

  it('refuses a prefix under which it has another metric', () => {
    const registry = makeRegistry()
    registry.registerMetric({ name: 'larder_cache_drops_total', get: () => ({}) })
    expect(() => startManager({ plugins: [prometheus({ registry })] })).toThrow(
      /prometheus\.prefix.*larder_cache_drops_total is/s,
    )
    expect(names(registry)).toEqual(['larder_cache_drops_total'])
    startManager({ plugins: [prometheus({ registry, prefix: 'cache_' })] })
    expect(names(registry)).toContain('cache_cache_drops_total')
  })
})

const registryOf = () => new promClient.Registry() as unknown as Registry

it('counts locks with their waits, and limits with who decided', async () => {
  const registry = registryOf()
  const caches = startManager({ locks: localLocks(), plugins: [prometheus({ registry })] })
  await caches.locks.run('a', {}, async () => undefined)
  const limiter = caches.limiter({ name: 'api', limit: 1, per: '1m' })
  for (let i = 0; i < 3; i++) await limiter.consume('ada')
  const families = scraped(await registry.metrics())

  expect(total(families, 'larder_lock_outcomes_total', 'outcome="granted"')).toBe(1)
  expect(total(families, 'larder_lock_outcomes_total', 'outcome="released"')).toBe(1)
  expect(total(families, 'larder_lock_wait_duration_seconds', '_count', 'outcome="granted"')).toBe(
    1,
  )
  expect(total(families, 'larder_limit_decisions_total', 'limiter="api"', 'allowed="true"')).toBe(1)
  expect(total(families, 'larder_limit_decisions_total', 'limiter="api"', 'allowed="false"')).toBe(
    2,
  )
  expect(await registry.metrics()).not.toContain('ada')
})

it('counts calls to a store that failed, and says that it is away', async () => {
  const registry = registryOf()
  const remote = redisStore({ url: 'redis://127.0.0.1:1' })
  const caches = startManager({ remote, plugins: [prometheus({ registry })] })
  const failed = await eventually('calls have failed', async () => {
    await caches.cache('c').getOrLoad('k', () => 1)
    await caches.cache('c').evict('k')
    const families = scraped(await registry.metrics())
    return total(families, 'larder_store_errors_total') > 0 ? families : undefined
  })
  expect(total(failed, 'larder_store_errors_total', 'operation="')).toBeGreaterThan(0)
  expect(total(failed, 'larder_degraded')).toBe(1)
  expect(total(failed, 'larder_bus_up')).toBe(0)
  expect(total(failed, 'larder_coherence_verified')).toBe(0)
})

it('counts evictions of everything, which belong to no one cache', async () => {
  const registry = registryOf()
  const caches = startManager({ plugins: [prometheus({ registry })] })
  await caches.cache('c').set('k', 1)
  await caches.cache('c').evict('k')
  await caches.clear()
  await caches.evictTags(['t'])
  const families = scraped(await registry.metrics())

  expect(total(families, 'larder_cache_evictions_total')).toBe(caches.stats().evictions)
  expect(total(families, 'larder_cache_evictions_total', 'cache="c"')).toBe(1)
  expect(total(families, 'larder_tag_evictions_total')).toBe(1)
})

it('is one for each manager: numbers would count twice', async () => {
  const registry = registryOf()
  const twice = prometheus({ registry })
  const others = [prometheus({ registry }), prometheus({ registry, methods: true })]
  for (const plugins of [[twice, twice], others]) {
    expect(() => startManager({ plugins })).toThrow('plugins.prometheus')
    await eventually('they have left', () => names(registry).length === 0)
  }
  startManager({ plugins: [prometheus({ registry }), prometheus({ registry, prefix: 'shop_' })] })
  expect(names(registry).length).toBe(2 * METRIC_IDS.length)
})

it('shares its metrics with another copy of the module', async () => {
  const registry = registryOf()
  const caches = startManager({ plugins: [prometheus({ registry })] })
  vi.resetModules()
  const copy = await import('@larder/plugins/metrics')
  expect(copy.prometheus).not.toBe(prometheus)
  const other = startManager({ namespace: 'blog', plugins: [copy.prometheus({ registry })] })
  for (const manager of [caches, other]) await manager.cache('c').getOrLoad('k', () => 1)
  expect(total(scraped(await registry.metrics()), REQUESTS)).toBe(2)
  await caches.close()
  expect(total(scraped(await registry.metrics()), REQUESTS)).toBe(1)
  await other.close()
  expect(names(registry)).toEqual([])
})

it('adds the default labels of a registry to its own', async () => {
  const registry = new promClient.Registry()
  registry.setDefaultLabels({ app: 'web', namespace: 'other' })
  const caches = startManager({ plugins: [prometheus({ registry })] })
  await caches.cache('c').getOrLoad('k', () => 1)
  for (let i = 0; i < 2; i++) {
    const families = scraped(await registry.metrics())
    expect(total(families, REQUESTS, 'app="web"', 'namespace="shop"')).toBe(1)
  }
})

it('has one breaker state for providers of the same name: the worst', () => {
  const breakers = (['open', 'closed', 'open', 'half-open'] as const).map((state) => ({
    use: 'locks',
    provider: 'redis',
    state,
  }))
  const caches = startManager()
  const health = caches.health()
  const manager = { health: () => ({ ...health, status: { ...health.status, breakers } }) }
  const host = { namespace: 'shop', manager, on: () => undefined, stats: () => caches.stats() }
  const source = new ManagerSource(host as unknown as PluginHost, { methods: false })
  expect(
    source
      .read()
      .get('breaker.state')
      ?.map(({ value }) => value),
  ).toEqual([2])
})

describe('methods', () => {
  class Products {
    @Cacheable({ cache: 'products', key: (id: string) => id })
    async find(id: string): Promise<string> {
      return id
    }
  }

  it.each([
    [true, 2],
    [false, 0],
  ])('are counted where `methods` is %s', async (methods, reads) => {
    const registry = registryOf()
    const caches = startManager({ default: true, plugins: [prometheus({ registry, methods })] })
    for (let i = 0; i < 2; i++) await new Products().find('1')
    const families = scraped(await registry.metrics())
    const name = Object.keys(caches.stats().byMethod)[0] ?? ''

    expect(name).not.toBe('')
    expect(total(families, 'larder_method_requests_total', `method="${name}"`)).toBe(reads)
    expect(total(families, REQUESTS)).toBe(2)
  })

  it('of which there are ten thousand have a bounded number of series, which add up', async () => {
    const caches = startManager()
    await caches.cache('c').getOrLoad('k', () => 1)
    const stats = caches.stats()
    const { c: one } = stats.byCache
    const byMethod = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`C.m${i}`, one]))
    const host = { namespace: 'shop', manager: caches, on: caches.on.bind(caches) }
    const source = new ManagerSource(
      { ...host, stats: () => ({ ...stats, byMethod }) } as unknown as PluginHost,
      { methods: true },
    )
    const points = source.read().get('method.requests') ?? []
    const misses = points.filter(({ labels }) => labels['result'] === 'miss')

    expect(misses.length).toBe(MOST_NAMES + 1)
    expect(misses.reduce((sum, { value }) => sum + Number(value), 0)).toBe(10_000)
  })
})

it.each([
  [{}, 'prometheus.registry'],
  [{ registry: { registerMetric: () => undefined } }, 'prometheus.registry'],
  [{ registry: promClient.register, prefix: '1a' }, 'prometheus.prefix'],
  [{ registry: promClient.register, prefix: 'a-b' }, 'prometheus.prefix'],
  [{ registry: promClient.register, methods: 'yes' }, 'prometheus.methods'],
  [{ registry: promClient.register, prefx: 'a' }, 'prefx'],
])('refuses %o', (options, option) => {
  expect(() => prometheus(options as never)).toThrow(option)
})

it('listens to nothing that local hits would pay for', () => {
  const heard: string[] = []
  const host = { on: (name: string) => heard.push(name), namespace: 'shop', manager: {} }
  prometheus({ registry: registryOf() }).start?.(host as never)
  expect(heard.sort()).toEqual(['limit', 'lock', 'store-error'])
})
