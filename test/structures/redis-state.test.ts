/** What is in Redis: how it ends, in how few round trips, what it costs when half of it is lost, and in which slot it is. */

import { StructureUnavailableError } from '@larder/core'
import { encryption } from '@larder/plugins/encryption'
import { createList, createMap, createSet } from '@larder/plugins/structures'
import { redisStore, redisStructures } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'
import { openStructures } from './support/stage.ts'

const HOUR_MS = 3_600_000
const COMMON = { ttl: '1h', storeTimeout: '10s' } as const

let redis: Redis
beforeAll(() => {
  redis = new Redis(inject('redisUrl'))
})
afterAll(() => redis.disconnect())

const keysOf = (namespace: string): Promise<string[]> => redis.keys(`{${namespace}:structure:*`)

it('each change sets the end of both keys, in the step that makes it', async () => {
  const caches = openStructures('on Redis')
  const map = createMap<Record<string, number>>(caches, { name: 'm', ...COMMON })
  const brief = createMap<Record<string, number>>(caches, { name: 'm', ...COMMON, ttl: '1m' })
  const at = `{${caches.namespace}:structure:map.m:u}`
  const lives = async () =>
    Promise.all([`${at}:items`, `${at}:order`].map((key) => redis.pttl(key)))
  for (const [change, most] of [
    [() => map.set('u', { a: 1, b: 2 }), HOUR_MS],
    [() => brief.set('u', { a: 2 }), 60_000],
    [() => map.delete('u', 'a'), HOUR_MS],
    [() => brief.update('u', 'b', () => 3), 60_000],
  ] as const) {
    await change()
    for (const life of await lives()) {
      expect(life).toBeGreaterThan(most - 30_000)
      expect(life).toBeLessThanOrEqual(most)
    }
  }
  expect((await keysOf(caches.namespace)).sort()).toEqual([`${at}:items`, `${at}:order`])
  await map.clear('u')
  expect(await keysOf(caches.namespace)).toEqual([])
})

it('removing the last item leaves no key', async () => {
  const caches = openStructures('on Redis')
  const set = createSet<string>(caches, { name: 's', ...COMMON })
  await set.addMany('k', ['a', 'b'])
  await set.removeMany('k', ['a', 'b'])
  expect(await keysOf(caches.namespace)).toEqual([])
})

it('a structure whose half was lost is what its items say', async () => {
  for (const lost of ['items', 'order']) {
    const caches = openStructures('on Redis')
    const list = createList<string>(caches, { name: 'l', most: 3, ...COMMON })
    await list.pushMany('k', ['a', 'b', 'c'])
    const at = `{${caches.namespace}:structure:list.l:k}`
    await redis.del(`${at}:${lost}`)
    const kept = lost === 'items' ? [] : ['a', 'b', 'c']
    expect((await list.items('k', { from: 'oldest' })).map(({ value }) => value)).toEqual(kept)
    expect(await list.count('k')).toBe(kept.length)
    if (lost === 'order') expect(await redis.pttl(`${at}:order`)).toBeGreaterThan(0)
    await redis.del(`${at}:${lost}`)
    await list.push('k', 'd')
    expect((await list.items('k', { from: 'oldest' })).map(({ value }) => value)).toEqual(
      [...kept, 'd'].slice(-3),
    )
  }
})

it('members and items go through the steps of the manager, and nothing of them is in the clear', async () => {
  const key = Buffer.alloc(32, 7)
  const caches = openStructures('on Redis', { plugins: [encryption({ keys: [{ key }] })] })
  const set = createSet<string>(caches, { name: 's', ...COMMON })
  const map = createMap<Record<string, string>>(caches, { name: 'm', ...COMMON })
  await set.addMany('k', ['secret-a', 'secret-b'])
  await map.set('k', { a: 'secret-c', b: 'secret-d' })
  expect(await set.members('k')).toEqual(['secret-a', 'secret-b'])
  expect(await map.getAll('k')).toEqual({ a: 'secret-c', b: 'secret-d' })
  for (const each of await keysOf(caches.namespace)) {
    const held = each.endsWith(':items')
      ? await redis.hgetall(each)
      : await redis.zrange(each, '0', '-1')
    expect(JSON.stringify(held)).not.toContain('secret')
  }
  // Bytes that were moved to another item are not read.
  const items = `{${caches.namespace}:structure:map.m:k}:items`
  const moved = await redis.hgetBuffer(items, 'a')
  await redis.hset(items, 'b', moved ?? '')
  await expect(map.get('k', 'b')).rejects.toThrow(StructureUnavailableError)
  await expect(map.get('k', 'b')).rejects.toThrow(/An item of the map m cannot be read/)
  expect(await map.get('k', 'a')).toBe('secret-c')
  await map.set('k', { b: 'whole again' })
  expect(await map.get('k', 'b')).toBe('whole again')
})

it('a key that holds something else fails this structure only', async () => {
  const caches = openStructures('on Redis')
  const map = createMap<Record<string, number>>(caches, { name: 'm', ...COMMON })
  await redis.set(`{${caches.namespace}:structure:map.m:u}:items`, 'text')
  for (let n = 0; n < 20; n++)
    await expect(map.set('u', { a: 1 })).rejects.toThrow(StructureUnavailableError)
  await map.set('v', { a: 1 })
  expect(await map.get('v', 'a')).toBe(1)
  const { breakers } = caches.status()
  expect(breakers).toContainEqual({ use: 'structures', provider: 'redis', state: 'closed' })
})

it('is kept on a Redis of its own where one is given', async () => {
  const caches = openStructures('in process', {
    structures: redisStructures({ url: inject('redisUrl') }),
  })
  const map = createMap<Record<string, number>>(caches, { name: 'm', ...COMMON })
  await map.set('u', { a: 1 })
  expect(await keysOf(caches.namespace)).toHaveLength(2)
})

describe('with a server of its own', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] })
  })
  afterAll(() => server.stop())
  const open = () => openStructures('in process', { remote: redisStore({ url: server.url }) })

  async function scripts(work: () => Promise<unknown>): Promise<number> {
    const calls = async (): Promise<number> => {
      const stats = String(await server.command('INFO', 'commandstats'))
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0)
    }
    const before = await calls()
    await work()
    return (await calls()) - before
  }

  it('each call is one round trip', async () => {
    const caches = open()
    const map = createMap<Record<string, number>>(caches, { name: 'm', ...COMMON })
    const set = createSet<number>(caches, { name: 's', ...COMMON })
    const list = createList<number>(caches, { name: 'l', ...COMMON })
    const many = Array.from({ length: 1_000 }, (_, i) => i)
    const calls: (() => Promise<unknown>)[] = [
      () => map.set('u', { a: 1, b: 2 }),
      () => map.get('u', 'a'),
      () => map.getMany('u', ['a', 'b']),
      () => map.getAll('u'),
      () => map.count('u'),
      () => map.delete('u', 'a'),
      () => map.clear('u'),
      () => set.addMany('k', many),
      () => set.hasMany('k', many),
      () => set.members('k'),
      () => list.pushMany('k', many),
      () => list.items('k'),
    ]
    // Each script is known by then.
    for (const call of calls) await call()
    for (const call of calls) expect(await scripts(call)).toBe(1)
  })

  it('answers within its time when Redis hangs, and says so', async () => {
    const map = createMap<Record<string, number>>(open(), {
      name: 'm',
      ttl: '1h',
      storeTimeout: '50ms',
    })
    await map.set('u', { a: 1 })
    await server.command('CLIENT', 'PAUSE', '2000', 'ALL')
    await expect(map.get('u', 'a')).rejects.toMatchObject({
      code: 'LARDER_STRUCTURE_UNAVAILABLE',
      cause: { code: 'LARDER_STORE_TIMEOUT' },
    })
  })

  it('a server that is full is still read, and what is removed makes room', async () => {
    const map = createMap<Record<string, number>>(open(), { name: 'full', ...COMMON })
    await map.set('u', { a: 1, b: 2 })
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
    for (let n = 0; n < 20; n++)
      await expect(map.set('u', { a: 2 })).rejects.toThrow(StructureUnavailableError)
    expect(await map.getAll('u')).toEqual({ a: 1, b: 2 })
    expect(await map.delete('u', 'a')).toBe(1)
    expect(await map.clear('u')).toBe(true)
    await server.command('CONFIG', 'SET', 'maxmemory', '0')
    await map.set('u', { a: 3 })
  })
})

describe('a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
  }, 120_000)
  afterAll(() => cluster.stop())

  it('has a structure in one slot, and structures on all masters', async () => {
    const caches = openStructures('in process', {
      namespace: freshNamespace(),
      remote: redisStore({ cluster: [...cluster.startupNodes] }),
    })
    const map = createMap<Record<string, number>>(caches, { name: 'm', localCopy: '1m', ...COMMON })
    const set = createSet<number>(caches, { name: 's', ...COMMON })
    const list = createList<number>(caches, { name: 'l', ...COMMON })
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        await map.set(i, { a: i, b: i })
        await map.update(i, 'a', (a = 0) => a + 1)
        expect(await map.getAll(i)).toEqual({ b: i, a: i + 1 })
        await map.delete(i, 'a')
        expect(await map.getAll(i)).toEqual({ b: i })
        await set.addMany(i, [1, 2])
        expect(await set.has(i, 2)).toBe(true)
        await list.push(i, i)
        expect(await list.count(i)).toBe(1)
      }),
    )
    for (const master of await cluster.masters()) {
      const keys = (await master.command('KEYS', `*${caches.namespace}:structure*`)) as string[]
      expect(keys.length).toBeGreaterThan(0)
    }
  }, 60_000)
})
