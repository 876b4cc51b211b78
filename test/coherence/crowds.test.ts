/** Thousands of keys at once on a real Redis, by two nodes of a process that has other things to do as well. */

import {
  Cacheable,
  CacheConfig,
  type CacheEventName,
  type CacheManager,
  createCacheManager,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startRedis } from '../support/redis/redis-server.ts'

const KEYS = Array.from({ length: 5_000 }, (_, i) => `k${i}`)
/** Longer than a round takes on the busiest machine. */
const TTL = '1h'
const BUSY_EVERY_MS = 60
const BUSY_FOR_MS = 30
const TIMEOUT_MS = 120_000

let nodes: readonly CacheManager[]
let trouble: unknown[]

beforeEach(async () => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  trouble = []
  nodes = [0, 1].map(() => {
    const caches = createCacheManager({
      namespace: 'crowds',
      local: lruStore(),
      remote: redisStore({ url: server.url }),
      default: false,
      // On a machine with many other processes the server itself may not run for a second.
      storeTimeout: '5s',
      defaults: { ttl: TTL, jitter: 0, refreshAhead: false, leaseWait: '1m' },
    })
    onTestFinished(() => caches.close())
    for (const name of ['store-error', 'breaker', 'recovery-queue'] satisfies CacheEventName[]) {
      caches.on(name, (event) => trouble.push({ name, event }))
    }
    return caches
  })
  // Connected before it gets busy: what a start looks like is another question.
  for (const caches of nodes) await caches.cache('c').get('none')
  const burning = setInterval(() => {
    const until = performance.now() + BUSY_FOR_MS
    while (performance.now() < until);
  }, BUSY_EVERY_MS)
  onTestFinished(() => clearInterval(burning))
})

/** Loads whatever is missing, and counts. */
function source() {
  const loads = new Map<string, number>()
  const load = async (missing: readonly unknown[]): Promise<string[]> => {
    for (const key of missing) loads.set(String(key), (loads.get(String(key)) ?? 0) + 1)
    return missing.map((key) => `value of ${key}`)
  }
  const loadedMoreThan = (times: number): number =>
    [...loads.values()].filter((count) => count > times).length
  return { loads, load, loadedMoreThan }
}

function readAll(load: (missing: readonly unknown[]) => Promise<string[]>) {
  return Promise.all(nodes.map((caches) => caches.cache<string>('c').getManyOrLoad(KEYS, load)))
}

it('one load a key through getManyOrLoad', { timeout: TIMEOUT_MS }, async () => {
  const { loads, load, loadedMoreThan } = source()
  const values = await readAll(load)
  expect(values[1]).toEqual(KEYS.map((key) => `value of ${key}`))
  expect([loads.size, loadedMoreThan(1), trouble]).toEqual([KEYS.length, 0, []])
})

it('one load a key when all expire together', { timeout: TIMEOUT_MS }, async () => {
  const { loads, load, loadedMoreThan } = source()
  const [first, second] = nodes.map((caches) => caches.cache<string>('c'))
  const entries = KEYS.map((key) => [key, key] as const)
  await first?.warm(entries, { chunk: KEYS.length, ttl: '3s' })
  // Both hold what they found, as far as it has not expired yet.
  await second?.getMany(KEYS)
  for (const cache of [first, second]) {
    await eventually(
      'all have expired',
      async () => ((await cache?.getMany(KEYS)) ?? []).every((value) => value === undefined),
      60_000,
    )
  }
  await readAll(load)
  expect([loads.size, loadedMoreThan(1), trouble]).toEqual([KEYS.length, 0, []])
})

it('one load a key through a list method', { timeout: TIMEOUT_MS }, async () => {
  const { loads, load, loadedMoreThan } = source()
  const services = nodes.map((manager) => {
    @CacheConfig({ cache: 'items', manager: () => manager })
    class Items {
      @Cacheable({ each: { key: (id: string) => id } })
      async findMany(ids: readonly string[]): Promise<string[]> {
        return load(ids)
      }
    }
    return new Items()
  })
  await Promise.all(services.map((service) => service.findMany(KEYS)))
  expect([loads.size, loadedMoreThan(1), trouble]).toEqual([KEYS.length, 0, []])
})

it('all that is warmed is stored', { timeout: TIMEOUT_MS }, async () => {
  const { load } = source()
  const [first, second] = nodes
  await first?.cache<string>('c').warm(
    KEYS.map((key) => [key, key] as const),
    { chunk: KEYS.length },
  )
  expect(await second?.cache<string>('c').getManyOrLoad(KEYS, load)).toEqual(KEYS)
  expect(trouble).toEqual([])
})
