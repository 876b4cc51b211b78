/** Boards on a Cluster of three masters, and behind Sentinel: what was copied is there after a failover, and nothing is made up meanwhile. */

import { BoardUnavailableError, type CacheManager, createCacheManager } from '@larder/core'
import { createCounter, createLeaderboard, createUniques } from '@larder/plugins/boards'
import { type RedisStoreOptions, redisStore } from '@larder/redis-store'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'
import { type RedisSentinel, startSentinel } from '../support/redis/redis-sentinel.ts'

const ROOM_MS = 30_000
const SALT = 'a secret of the tests'

function open(store: RedisStoreOptions, namespace = freshNamespace()): CacheManager {
  const caches = createCacheManager({
    namespace,
    remote: redisStore(store),
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  return caches
}

/** A board, a counter and visitors, as one thing that is asked for its state. */
function openAll(caches: CacheManager, storeTimeout: '1s' | '20s') {
  const board = createLeaderboard(caches, { name: 'b', update: 'last', storeTimeout })
  const hits = createCounter(caches, { name: 'c', storeTimeout })
  const visitors = createUniques(caches, { name: 'v', salt: SALT, storeTimeout })
  const state = async () => ({
    places: (await board.top(10)).map(({ member, score }) => `${member} ${score}`),
    hits: await hits.count('home'),
    visitors: await visitors.count('home'),
  })
  return { board, hits, visitors, state }
}

describe('a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
  }, 120_000)
  afterAll(() => cluster.stop())
  const store = (): RedisStoreOptions => ({ cluster: [...cluster.startupNodes] })

  it('has the shards of one key on all masters, and each id is counted once', async () => {
    const namespace = freshNamespace()
    const nodes = [open(store(), namespace), open(store(), namespace)]
    const options = { name: 'hits', shards: 64, storeTimeout: '20s' } as const
    const counters = nodes.map((caches) => createCounter(caches, options))
    const ids = Array.from({ length: 200 }, (_, i) => `id${i}`)
    const added = await Promise.all(
      counters.flatMap((hits) => ids.map((id) => hits.add('home', 1, { id }))),
    )
    expect(added.filter(({ isDuplicate }) => isDuplicate)).toHaveLength(ids.length)
    for (const hits of counters) expect(await hits.count('home')).toBe(ids.length)
    for (const master of await cluster.masters()) {
      const keys = (await master.command('KEYS', `*${namespace}:counter:hits*`)) as string[]
      expect(keys.length).toBeGreaterThan(0)
    }
  }, 60_000)

  it('has the periods of a key in one slot, so that they are counted together, and keys on all masters', async () => {
    const caches = open(store())
    const common = { per: 'hour', periods: 24, storeTimeout: '20s' } as const
    const hits = createCounter(caches, { name: 'hits', ...common })
    const visitors = createUniques(caches, { name: 'v', salt: SALT, exactBelow: 10, ...common })
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        await hits.add(`page${i}`, i)
        await visitors.seen(`page${i}`, ['ada', 'bob'])
        // Estimated: the scripts that merge run as well.
        await visitors.seen(
          `many${i}`,
          Array.from({ length: 12 }, (__, n) => n),
        )
        expect(await hits.count(`page${i}`, { last: 24 })).toBe(i)
        expect(await visitors.count(`page${i}`, { last: 24 })).toEqual({ count: 2, exact: true })
        const { exact } = await visitors.count(`many${i}`, { last: 24 })
        expect(exact).toBe(false)
      }),
    )
    for (const master of await cluster.masters()) {
      for (const kind of ['counter', 'uniques']) {
        const keys = (await master.command('KEYS', `*${caches.namespace}:${kind}*`)) as string[]
        expect(keys.length).toBeGreaterThan(0)
      }
    }
  }, 60_000)
})

describe('Sentinel', () => {
  let sentinel: RedisSentinel
  beforeAll(async () => {
    sentinel = await startSentinel()
  }, 60_000)
  afterAll(() => sentinel.stop())
  const store = (): RedisStoreOptions => ({
    options: { sentinels: [...sentinel.sentinelAddresses], name: sentinel.name },
  })

  it.each(['request', 'crash'] as const)(
    'a failover (%s) keeps what its replica had, and answers nothing else meanwhile',
    async (how) => {
      const { board, hits, visitors, state } = openAll(open(store()), '1s')
      await eventually('the store answers', () => board.submit('ada', 1), ROOM_MS)
      await board.submit('bob', 2)
      await hits.add('home', 3, { id: 'a' })
      await visitors.seen('home', ['ada', 'bob'])
      const before = await state()
      const master = await sentinel.master()
      expect(Number(await master.command('WAIT', '1', '20000'))).toBe(1)
      let isOver = false
      const failover = sentinel.failover(how).finally(() => {
        isOver = true
      })
      while (!isOver) {
        // Either what was there, or that the store cannot say: never an empty board.
        const now = await state().catch((error: unknown) => error)
        if (now instanceof BoardUnavailableError) await new Promise((done) => setImmediate(done))
        else expect(now).toEqual(before)
      }
      await failover
      await eventually('the new master takes scores', () => board.submit('ada', 5), ROOM_MS)
      // Ids are copied as well, so a call that is made again after a failover still counts once.
      expect(await hits.add('home', 3, { id: 'a' })).toEqual({ total: 3, isDuplicate: true })
      expect(await state()).toEqual({ ...before, places: ['ada 5', 'bob 2'] })
      if (how === 'crash') await master.start()
    },
    120_000,
  )
})
