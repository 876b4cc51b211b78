/** What is in Redis: how it ends, in how few round trips, what it costs when half of it is lost, and in which slot it is. */

import { createCacheManager } from '@larder/core'
import {
  createCounter,
  createLeaderboard,
  createUniques,
  type LeaderboardOptions,
} from '@larder/plugins/boards'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'
import { NOON, openBoards } from './support/stage.ts'

let redis: Redis
beforeAll(() => {
  redis = new Redis(inject('redisUrl'))
})
afterAll(() => redis.disconnect())

const DAY_MS = 86_400_000
const keysOf = (namespace: string): Promise<string[]> => redis.keys(`{${namespace}:board:*`)

function openOn(url: string, options: Partial<LeaderboardOptions> = {}) {
  const caches = createCacheManager({
    namespace: freshNamespace(),
    remote: redisStore({ url }),
    default: false,
    logger: false,
  })
  onTestFinished(() => caches.close())
  return {
    caches,
    board: createLeaderboard(caches, { name: 'b', storeTimeout: '10s', ...options }),
  }
}

it('every key of a period ends with the last period that shows it', async () => {
  const { caches, time } = openBoards('on Redis')
  const board = createLeaderboard(caches, { name: 'b', per: 'day', periods: 3 })
  await board.submit('ada', 1)
  time.now += DAY_MS
  await board.submit('ada', 2)
  const keys = await keysOf(caches.namespace)
  expect(keys).toHaveLength(7)
  const lives = await Promise.all(keys.map((key) => redis.pttl(key)))
  // From noon on: half a day, two more days, and hours for days that are longer.
  for (const life of lives) {
    expect(life).toBeGreaterThan(2 * DAY_MS)
    expect(life).toBeLessThan(3 * DAY_MS)
  }
  const start = NOON - DAY_MS / 2
  const base = `{${caches.namespace}:board:b}`
  expect(keys.sort()).toEqual(
    [
      `${base}:clock`,
      ...[start, start + DAY_MS].flatMap((at) =>
        ['ids', 'order', 'scores'].map((kind) => `${base}:${at}:${kind}`),
      ),
    ].sort(),
  )
})

it('a merge leaves nothing behind, or what it says until it is too old', async () => {
  const { caches } = openBoards('on Redis')
  const options = { name: 'b', per: 'day', periods: 3 } as const
  const board = createLeaderboard(caches, options)
  await board.submit('ada', 1)
  expect(await board.rank('ada', { merge: 3 })).toBe(1)
  const keys = await keysOf(caches.namespace)
  expect(keys).toHaveLength(4)
  const patient = createLeaderboard(caches, { ...options, mergeMaxAge: '1h' })
  expect(await patient.count({ merge: 3 })).toBe(1)
  const merged = (await keysOf(caches.namespace)).filter((key) => !keys.includes(key))
  expect(merged).toHaveLength(3)
  for (const key of merged) expect(await redis.pttl(key)).toBeGreaterThan(3_590_000)
  await board.submit('bob', 1)
  expect(await patient.count({ merge: 3 })).toBe(1)
  expect(await board.count({ merge: 3 })).toBe(2)
})

it('a member whose half was lost can be submitted, looked for and removed again', async () => {
  for (const lost of ['ids', 'order', 'scores']) {
    const { caches } = openBoards('on Redis')
    const board = createLeaderboard(caches, { name: 'b', update: 'last' })
    await board.submitMany([
      ['ada', 1],
      ['bob', 2],
    ])
    const [key] = (await keysOf(caches.namespace)).filter((each) => each.endsWith(lost))
    await redis.del(key ?? '')
    await board.rank('ada')
    await board.submit('ada', 3)
    expect(await board.score('ada')).toBe(3)
    expect(await board.remove('ada')).toBe(true)
    expect(await board.rank('ada')).toBeUndefined()
  }
})

it('a node whose clock is wrong counts for the period that Redis is in', async () => {
  const { caches, board } = openOn(inject('redisUrl'), { per: 'hour', periods: 2, update: 'last' })
  const counter = createCounter(caches, { name: 'c', per: 'hour', periods: 2 })
  const options = { name: 'v', per: 'hour', periods: 2, salt: 'a secret of the tests' } as const
  const visitors = createUniques(caches, options)
  const now = Date.now()
  const clock = vi.spyOn(Date, 'now')
  onTestFinished(() => clock.mockRestore())
  for (const [i, aheadMs] of [DAY_MS, -DAY_MS, 0].entries()) {
    clock.mockReturnValue(now + aheadMs)
    await board.submit('ada', i)
    await counter.add('home')
    await visitors.seen('home', i)
  }
  // Two periods, because the hour may have ended meanwhile.
  expect(await board.score('ada', { merge: 2 })).toBe(2)
  expect(await counter.count('home', { last: 2 })).toBe(3)
  expect(await visitors.count('home', { last: 2 })).toEqual({ count: 3, exact: true })
  const hours = (await keysOf(caches.namespace)).filter((key) => key.endsWith(':order'))
  expect(hours.length).toBeLessThanOrEqual(2)
})

it('a key that holds something else fails this board only', async () => {
  const { caches } = openBoards('on Redis')
  const board = createLeaderboard(caches, { name: 'b' })
  await redis.set(`{${caches.namespace}:board:b}:0:order`, 'text')
  for (let n = 0; n < 20; n++)
    await expect(board.submit('ada', 1)).rejects.toMatchObject({ code: 'LARDER_BOARD_UNAVAILABLE' })
  const other = createLeaderboard(caches, { name: 'c' })
  await other.submit('ada', 1)
  expect(caches.status().breakers).toEqual([{ use: 'boards', provider: 'redis', state: 'closed' }])
})

describe('with a server of its own', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())

  async function scripts(work: () => Promise<unknown>): Promise<number> {
    const calls = async (): Promise<number> => {
      const stats = String(await server.command('INFO', 'commandstats'))
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0)
    }
    const before = await calls()
    await work()
    return (await calls()) - before
  }

  it('each call is one round trip, a merge of many periods as well', async () => {
    const { board } = openOn(server.url, { per: 'day', periods: 30 })
    const calls: (() => Promise<unknown>)[] = [
      () => board.submit('ada', 1),
      () => board.submitMany(Array.from({ length: 1_000 }, (_, i) => [i, i])),
      () => board.rank('ada', { kind: 'dense' }),
      () => board.around('ada', 5),
      () => board.top(10, { merge: 30 }),
      () => board.count(),
      () => board.remove('ada'),
    ]
    // Each script is known by then.
    for (const call of calls) await call()
    for (const call of calls) expect(await scripts(call)).toBe(1)
  })

  it('answers within its time when Redis hangs, and says so', async () => {
    const { board } = openOn(server.url, { storeTimeout: '50ms' })
    await board.submit('ada', 1)
    await server.command('CLIENT', 'PAUSE', '2000', 'ALL')
    await expect(board.submit('ada', 2)).rejects.toMatchObject({
      code: 'LARDER_BOARD_UNAVAILABLE',
      cause: { code: 'LARDER_STORE_TIMEOUT' },
    })
  })
})

describe('a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
  }, 120_000)
  afterAll(() => cluster.stop())

  it('has a board with all its periods and merges in one slot, and boards on all masters', async () => {
    await using caches = createCacheManager({
      namespace: freshNamespace(),
      remote: redisStore({ cluster: [...cluster.startupNodes] }),
      default: false,
      logger: false,
    })
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const options = { name: `b${i}`, per: 'hour', periods: 24, storeTimeout: '10s' } as const
        const board = createLeaderboard(caches, options)
        await board.submitMany([
          ['ada', i],
          ['bob', -1],
        ])
        expect(await board.rank('bob', { merge: 24 })).toBe(2)
        expect(await board.remove('bob')).toBe(true)
        expect(await board.top(5, { merge: 24 })).toEqual([{ member: 'ada', score: i, rank: 1 }])
      }),
    )
    for (const master of await cluster.masters())
      expect(Number(await master.command('DBSIZE'))).toBeGreaterThan(0)
  })
})
