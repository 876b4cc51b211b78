/** What event stores on Redis do at the edges: large numbers, keys of another kind, a server that does not keep things, Cluster, failover. */

import {
  type CacheManager,
  createCacheManager,
  EventConflictError,
  StoreKeyError,
} from '@larder/core'
import { createEventStore, type EventStoreOptions } from '@larder/plugins/messaging'
import { redisEventStore, redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startCluster } from '../support/redis/redis-cluster.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'
import { all, openTwo } from './support/stage.ts'

async function ownServer(args: readonly string[] = []): Promise<RedisServer> {
  const server = await startRedis({ args })
  onTestFinished(() => server.stop())
  return server
}

function openOn(server: RedisServer, options: Partial<EventStoreOptions<number>> = {}) {
  const [caches, other] = openTwo('on Redis', { url: server.url })
  const redis = new Redis(server.url)
  onTestFinished(() => redis.disconnect())
  const base = `{${caches.namespace}:events:n:0}`
  const store = createEventStore<number>(caches, { name: 'n', storeTimeout: '10s', ...options })
  return { caches, other, redis, base, store }
}

function troublesOf(caches: CacheManager): string[] {
  const troubles: string[] = []
  caches.on('trouble', ({ error }) => troubles.push(error.message))
  return troubles
}

it('versions and positions are exact beyond 2^31 and up to 2^53 - 1', async () => {
  const { store, redis, base } = openOn(await ownServer())
  for (const [stream, last] of [
    ['a', 2 ** 31 - 1],
    ['b', 2 ** 53 - 3],
  ] as const) {
    await store.append(stream, [0])
    // The entry that was made first lends its bytes to one with a large version.
    const [[, fields = []] = []] = await redis.xrangeBuffer(`${base}:stream:${stream}`, '-', '+')
    await redis.xadd(`${base}:stream:${stream}`, `${last}-0`, ...fields)
    expect((await store.append(stream, [1, 2], { expected: last })).version).toBe(last + 2)
    const versions = (await all(store.read(stream, { from: last }))).map(({ version }) => version)
    expect(versions).toEqual([last, last + 1, last + 2])
  }
  const most = Number.MAX_SAFE_INTEGER
  expect((await all(store.read('b', { backwards: true, limit: 1 })))[0]?.version).toBe(most)
  await expect(store.append('b', [3])).rejects.toMatchObject({ cause: expect.any(StoreKeyError) })
  expect((await all(store.read('b', { from: most }))).length).toBe(1)
})

it('a key of another kind is an error of its stream, and leaves nothing half done', async () => {
  const { store, redis, base } = openOn(await ownServer())
  await store.append('a', [1])
  await redis.set(`${base}:stream:b`, 'text')
  await expect(store.append('b', [1])).rejects.toMatchObject({ cause: expect.any(StoreKeyError) })
  expect((await all(store.readAll())).length).toBe(1)
  await redis.rename(`${base}:log`, `${base}:kept`)
  await redis.set(`${base}:log`, 'text')
  await expect(store.append('a', [2])).rejects.toMatchObject({ cause: expect.any(StoreKeyError) })
  expect(await redis.xlen(`${base}:stream:a`)).toBe(1)
  await redis.rename(`${base}:kept`, `${base}:log`)
  expect((await store.append('a', [2])).version).toBe(2)
})

it('Redis itself refuses a version that was there, when events were removed by hand', async () => {
  const { store, redis, base } = openOn(await ownServer())
  await store.append('a', [1, 2])
  await redis.xdel(`${base}:stream:a`, '2-0')
  await expect(store.append('a', [3])).rejects.toMatchObject({ cause: expect.any(StoreKeyError) })
  // What is gone is left out, and the log goes on.
  await store.append('b', [4])
  expect((await all(store.readAll())).map(({ data }) => data)).toEqual([1, 4])
  await redis.xdel(`${base}:log`, '3-0')
  await store.append('b', [5])
  expect((await all(store.readAll())).map(({ position }) => position)).toEqual([1, 4])
})

it('nothing of an event store ends by itself but what ids have done', async () => {
  const { store, redis, caches } = openOn(await ownServer(), { idFor: '1h' })
  await store.append('a', [1], { id: 'i' })
  const projection = store.project('p', () => undefined)
  await eventually('it is saved', () => projection.status()[0]?.position === 1)
  await projection.close()
  const keys = await redis.keys(`{${caches.namespace}:*`)
  expect(keys).toHaveLength(5)
  for (const key of keys) {
    const life = await redis.pttl(key)
    if (key.includes(':id:')) expect(life).toBeGreaterThan(3_000_000)
    else expect([key, life]).toEqual([key, -1])
  }
})

describe('a server that does not keep things', () => {
  it('is told as trouble: one that drops keys for room, and one without an append-only file', async () => {
    const server = await ownServer(['--maxmemory-policy', 'allkeys-lru', '--appendonly', 'no'])
    const { caches, store } = openOn(server)
    const troubles = troublesOf(caches)
    await store.append('a', [1])
    await eventually('both are told', () => troubles.length === 2)
    expect(troubles.join()).toMatch(/maxmemory-policy allkeys-lru/)
    expect(troubles.join()).toMatch(/appendonly yes/)
  })

  it('is told by the manager that uses the provider of its store', async () => {
    const server = await ownServer(['--maxmemory-policy', 'volatile-lru', '--appendonly', 'yes'])
    const caches = createCacheManager({
      namespace: freshNamespace(),
      remote: redisStore({ url: server.url }),
      default: false,
      logger: false,
    })
    onTestFinished(() => caches.close())
    const troubles = troublesOf(caches)
    await createEventStore<number>(caches, { name: 'n', storeTimeout: '10s' }).append('a', [1])
    await eventually('it is told', () => troubles.length === 1)
    expect(troubles[0]).toMatch(/maxmemory-policy volatile-lru/)
  })

  it('is not told of where it keeps things, nor where the user may not ask', async () => {
    const server = await ownServer(['--appendonly', 'yes'])
    const { caches, store } = openOn(server)
    const troubles = troublesOf(caches)
    await store.append('a', [1])
    await store.append('a', [2])
    expect(troubles).toEqual([])
  })

  it('that is full refuses an append, and nothing of it is kept', async () => {
    const server = await ownServer()
    const { store, redis } = openOn(server)
    await store.append('a', [1])
    await redis.config('SET', 'maxmemory', '1')
    await expect(store.append('a', [2, 3])).rejects.toMatchObject({
      code: 'LARDER_EVENT_STORE_UNAVAILABLE',
    })
    // However often: what it has can be read.
    for (let i = 0; i < 20; i++) await store.append('a', [4]).catch(() => undefined)
    expect((await all(store.read('a'))).map(({ data }) => data)).toEqual([1])
    await redis.config('SET', 'maxmemory', '0')
    expect((await all(store.readAll())).map(({ data }) => data)).toEqual([1])
  })
})

describe('durable', () => {
  it('waits for the disk, or says why it cannot', async () => {
    const server = await ownServer(['--appendonly', 'yes'])
    const { store, redis } = openOn(server, { durable: true, storeTimeout: '30s' })
    const info = await redis.call('COMMAND', 'INFO', 'WAITAOF')
    const canWait = Array.isArray(info) && Array.isArray(info[0])
    const appends = Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => store.append(`s${i}`, [i], { id: 'i' })),
    )
    if (canWait) {
      for (const { status } of await appends) expect(status).toBe('fulfilled')
      expect((await store.append('s0', [0], { id: 'i' })).isDuplicate).toBe(true)
    } else {
      for (const each of await appends)
        expect(String((each as PromiseRejectedResult).reason.cause.cause)).toMatch(/needs WAITAOF/)
    }
    // The answer was withheld, and the append was made: an id tells.
    expect((await all(store.readAll())).length).toBe(20)
  })
})

it('an append whose answer was lost is found by its id, or by the version', async () => {
  const server = await ownServer(['--appendonly', 'yes'])
  const { store } = openOn(server, { storeTimeout: 200 })
  await store.append('a', [1])
  await server.pause()
  const lost = store.append('a', [2], { expected: 1, id: 'i' })
  await expect(lost).rejects.toMatchObject({ code: 'LARDER_EVENT_STORE_UNAVAILABLE' })
  await server.resume()
  const again = await eventually('it answers', () =>
    store.append('a', [2], { expected: 1, id: 'i' }),
  )
  expect(again.version).toBe(2)
  await expect(store.append('a', [2], { expected: 1 })).rejects.toThrow(EventConflictError)
  expect((await all(store.read('a'))).map(({ data }) => data)).toEqual([1, 2])
})

it('a projection goes on after the store was away', async () => {
  const server = await ownServer(['--appendonly', 'yes'])
  const { store } = openOn(server)
  const seen: number[] = []
  const projection = store.project('p', ({ data }) => void seen.push(data), { pollEvery: 10 })
  onTestFinished(() => projection.close())
  await store.append('a', [1])
  await eventually('the first one', () => seen.length === 1)
  await server.restart({ keepData: true })
  await eventually('it can be appended', () => store.append('a', [2], { id: 'i' }))
  await eventually('the next one', () => seen.includes(2))
  expect([...new Set(seen)]).toEqual([1, 2])
})

it('on a Cluster, partitions are on several masters, and each is whole', async () => {
  const cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
  onTestFinished(() => cluster.stop())
  const caches = createCacheManager({
    namespace: freshNamespace(),
    eventStore: redisEventStore({ cluster: [...cluster.startupNodes] }),
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  const options = { name: 'n', partitions: 12, storeTimeout: '10s' } as const
  const store = createEventStore<number>(caches, options)
  const seen = new Map<number, number[]>()
  const projection = store.project(
    'p',
    ({ data, partition }) => void seen.set(partition, [...(seen.get(partition) ?? []), data]),
    { pollEvery: 20 },
  )
  onTestFinished(() => projection.close())
  const appends = Array.from({ length: 120 }, (_, i) =>
    store.append(`s${i % 30}`, [i], { id: `${i}` }),
  )
  await Promise.all(appends)
  const events = await all(store.readAll())
  expect(events).toHaveLength(120)
  await eventually('all are projected', () => [...seen.values()].flat().length === 120)
  for (const [partition, data] of seen) {
    const own = events.filter((event) => event.partition === partition)
    expect(data).toEqual(own.map((event) => event.data))
    expect(own.map(({ position }) => position)).toEqual(own.map((_, i) => i + 1))
  }
  const perMaster = await Promise.all(
    cluster.startupNodes.map(async (node) => {
      const redis = new Redis(node.port, node.host)
      const keys = await redis.keys('*:log')
      redis.disconnect()
      return keys.length
    }),
  )
  expect(perMaster.filter((count) => count > 0).length).toBeGreaterThan(1)
}, 120_000)
