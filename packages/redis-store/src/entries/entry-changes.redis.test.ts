/** Puts and evictions that share a script: each stands or fails alone, in the order in which they were asked for. */

import type { RemoteStore } from '@larder/core/store'
import { FLAG } from '@larder/core/store'
import { Redis } from 'ioredis'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../../../../test/support/eventually.ts'
import { startProxy } from '../../../../test/support/proxy/tcp-proxy.ts'
import { startRedis } from '../../../../test/support/redis/redis-server.ts'
import { sharedRedisUrl } from '../../../../test/support/redis/shared-redis.ts'
import {
  at,
  claim,
  entry,
  freshNamespace,
  HARD,
  headerOf,
  listen,
  openStore,
  put,
  SOFT,
} from '../../testing/stage.ts'
import { entryKey, logKey } from '../key-layout.ts'

const LARGE = Buffer.alloc(1_000_000, 7)

let namespace: string
let store: RemoteStore
let redis: Redis

beforeEach(async () => {
  namespace = freshNamespace()
  store = openStore({ url: sharedRedisUrl() }, namespace)
  redis = new Redis(sharedRedisUrl())
  onTestFinished(() => redis.disconnect())
  await learnScripts(store)
})

/** A script that the server does not know yet runs a little later, after others of its tick. */
async function learnScripts(on: RemoteStore): Promise<void> {
  await on.put(at('known', 63), put())
  await on.evict([at('known', 63)], HARD)
}

const commitOf = async (key: string, partition = 3): Promise<number | undefined> =>
  (await headerOf(store, at(key, partition)))?.commit

const statusOf = ({ status }: PromiseSettledResult<unknown>): string => status

describe('changes of one tick', () => {
  it('travel in one script of each kind, and those of one partition share a number and a message', async () => {
    await using server = await startRedis()
    await using proxy = await startProxy(server.port)
    const own = openStore({ url: proxy.url, pingEvery: '1h' }, namespace)
    await learnScripts(own)
    const recorder = listen(own, namespace)
    await eventually('it hears', () => recorder.states.includes('up'))
    proxy.resetCounters()
    const [first, second, elsewhere, [evicted]] = await Promise.all([
      own.put(at('a'), put()),
      own.put(at('b'), put()),
      own.put(at('c', 4), put()),
      own.evict([at('d')], HARD),
    ])
    expect(proxy.latestCommands().filter((name) => name === 'EVALSHA')).toHaveLength(2)
    expect([second.seq, second.previous]).toEqual([first.seq, first.previous])
    expect([first.partition, elsewhere.partition]).toEqual([3, 4])
    expect(evicted?.previous).toBe(first.seq)
    await eventually('all were told', () => recorder.messages.length >= 3)
    const told = recorder.messages.map((message) => message.kind === 'keys' && message.keys)
    expect(told).toContainEqual(['c:a', 'c:b'])
    expect(told).toContainEqual(['c:c'])
    expect(told).toContainEqual(['c:d'])
  })

  it('of one key keep the order in which they were asked for', async () => {
    const [last] = await Promise.all([
      store.put(at('put last'), put(entry({ commit: 1 }))),
      store.evict([at('put last')], HARD),
      store.put(at('put last'), put(entry({ commit: 2 }))),
      store.put(at('put last'), put(entry({ commit: 3 }))),
      store.put(at('evicted last'), put()),
      store.evict([at('evicted last'), at('other')], HARD),
      store.put(at('softened last'), put()),
      store.evict([at('softened last')], SOFT),
    ])
    expect(last?.stored).toBe(true)
    expect(await commitOf('put last')).toBe(3)
    expect(await commitOf('evicted last')).toBeUndefined()
    expect((await headerOf(store, at('softened last')))?.flags).toBe(FLAG.stale)
  })

  it('of one key keep that order also where those of its other kind were begun first', async () => {
    await store.put(at('gone'), put())
    await Promise.all([
      store.evict([at('gone')], HARD),
      store.put(at('evicted last'), put()),
      store.evict([at('evicted last')], HARD),
    ])
    expect(await commitOf('evicted last')).toBeUndefined()
  })

  it('that come too late become evictions, beside others that are stored', async () => {
    const before = await store.put(at('base'), put())
    await store.put(at('late'), put())
    const [late, fine, known] = await Promise.all([
      store.put(at('late'), put(entry({ commit: 2 }), before.seq)),
      store.put(at('fine'), put(entry({ commit: 3 }), before.seq)),
      store.put(at('unknown number'), put(entry({ commit: 4 }), before.seq - 1)),
    ])
    expect([late.stored, fine.stored, known.stored]).toEqual([false, true, false])
    expect([await commitOf('late'), await commitOf('fine')]).toEqual([undefined, 3])
    expect(fine.seq).toBe(late.seq)
    const changes = await store.changesSince(3, fine.previous)
    expect(changes.kind === 'delta' && [...changes.keys].sort()).toEqual([
      'c:fine',
      'c:late',
      'c:unknown number',
    ])
  })

  it('fail where the log is something else, and nowhere beside it', async () => {
    await redis.del(logKey(namespace, 5))
    await redis.set(logKey(namespace, 5), 'not a log')
    const outcomes = await Promise.allSettled([
      store.put(at('a', 4), put()),
      store.put(at('b', 5), put()),
      store.put(at('c', 6), put()),
      store.evict([at('d', 4)], HARD),
      store.evict([at('e', 5)], HARD),
      store.evict([at('f', 6)], SOFT),
      store.put(at('g', 5), put()),
    ])
    expect(outcomes.map(statusOf)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
    ])
    const [, failed] = outcomes
    expect(failed?.status === 'rejected' && String(failed.reason)).toContain('WRONGTYPE')
    expect(await commitOf('c', 6)).toBe(1)
    expect(await commitOf('b', 5)).toBeUndefined()
  })

  it('replace what is no entry', async () => {
    await redis.lpush(entryKey(namespace, 3, 'c:list'), 'x')
    await redis.lpush(entryKey(namespace, 3, 'c:other list'), 'x')
    await Promise.all([
      store.put(at('list'), put()),
      store.evict([at('other list'), at('c')], SOFT),
    ])
    expect(await commitOf('list')).toBe(1)
    expect(await redis.exists(entryKey(namespace, 3, 'c:other list'))).toBe(0)
  })

  it('may be large and many', async () => {
    const count = 3_000
    const replies = await Promise.all([
      ...Array.from({ length: count }, (_, i) => store.put(at(`${i}`), put())),
      store.put(at('large'), put(entry({ payload: LARGE }))),
      store.evict(
        Array.from({ length: count }, (_, i) => at(`${i}`, 7)),
        HARD,
      ),
    ])
    expect(replies).toHaveLength(count + 2)
    const [bytes] = await store.read([at('large')])
    expect(Buffer.from(bytes?.subarray(-LARGE.length) ?? []).equals(LARGE)).toBe(true)
    expect((await headerOf(store, at(`${count - 1}`)))?.createdAt).toBeGreaterThan(0)
    expect(await redis.zcard(logKey(namespace, 7))).toBeLessThanOrEqual(2 + 512 + 64)
  })

  it('end leases, and tell those who wait', async () => {
    const recorder = listen(store, namespace)
    await eventually('it hears', () => recorder.states.includes('up'))
    await store.claim(at('a'), claim(1))
    await store.claim(at('b'), claim(2))
    await Promise.all([store.put(at('a'), put()), store.evict([at('b')], HARD)])
    const bytes = entry({ commit: 9 })
    const fills = await Promise.all([
      store.fill(at('a'), 1, bytes, 1_000),
      store.fill(at('b'), 2, bytes, 1_000),
    ])
    expect(fills.map(({ stored }) => stored)).toEqual([false, false])
    await eventually('both keys are told', () => {
      const told = recorder.messages.flatMap((message) =>
        message.kind === 'keys' ? message.keys : [],
      )
      return told.includes('c:a') && told.includes('c:b')
    })
  })
})

describe('a server that is full', () => {
  it('refuses each put of a tick and lets each eviction through', async () => {
    await using server = await startRedis()
    const own = openStore({ url: server.url }, namespace)
    await learnScripts(own)
    await own.put(at('old'), put())
    const before = await own.put(at('base'), put())
    await own.put(at('changed'), put())
    const admin = new Redis(server.url)
    onTestFinished(() => admin.disconnect())
    await admin.config('SET', 'maxmemory-policy', 'noeviction')
    await admin.config('SET', 'maxmemory', '1')
    const outcomes = await Promise.allSettled([
      own.evict([at('old')], HARD),
      own.put(at('a'), put()),
      // This one becomes an eviction, after which a server lets everything of a script through.
      own.put(at('changed'), put(entry(), before.seq)),
      own.put(at('b'), put()),
      own.evict([at('c', 5)], HARD),
    ])
    expect(outcomes.map(statusOf)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    const [, refused] = outcomes
    expect(refused).toMatchObject({ reason: { code: 'LARDER_STORE_REFUSED', reason: 'full' } })
    expect(await admin.exists(entryKey(namespace, 3, 'c:a'), entryKey(namespace, 3, 'c:b'))).toBe(0)
    await admin.config('SET', 'maxmemory', '0')
    await Promise.all([own.put(at('a'), put()), own.put(at('b'), put())])
  })
})

describe('a server that has become a replica', () => {
  it('refuses each change of a tick, and is left for another connection', async () => {
    await using server = await startRedis()
    await using proxy = await startProxy(server.port)
    const own = openStore({ url: proxy.url, pingEvery: '1h' }, namespace)
    await learnScripts(own)
    const admin = new Redis(server.url)
    onTestFinished(() => admin.disconnect())
    await admin.replicaof('127.0.0.1', 1)
    const before = proxy.connections()
    const outcomes = await Promise.allSettled([
      own.put(at('a'), put()),
      own.put(at('b', 4), put()),
      own.evict([at('c')], HARD),
    ])
    expect(outcomes.map(statusOf)).toEqual(['rejected', 'rejected', 'rejected'])
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({
        reason: { code: 'LARDER_STORE_REFUSED', reason: 'readonly' },
      })
    await eventually('it connects anew', () => proxy.connections() > before)
  })
})

describe('a reply that is lost', () => {
  it('fails all that waited for it, and the changes were made', async () => {
    await using server = await startRedis()
    await using proxy = await startProxy(server.port)
    const own = openStore({ url: proxy.url, pingEvery: '1h' }, namespace)
    await learnScripts(own)
    const direct = openStore({ url: server.url }, namespace)
    await direct.sync([3])
    await direct.put(at('c'), put())
    proxy.blackhole(true, 'to-client')
    const changes = [
      own.put(at('a'), put()),
      own.put(at('b'), put()),
      own.evict([at('c')], HARD),
    ] as const
    const outcomes = Promise.allSettled(changes)
    await eventually('the server has done it', async () => {
      const [a, b, c] = await direct.read([at('a'), at('b'), at('c')])
      return a !== undefined && b !== undefined && c === undefined
    })
    proxy.cut()
    expect((await outcomes).map(statusOf)).toEqual(['rejected', 'rejected', 'rejected'])
  })
})
