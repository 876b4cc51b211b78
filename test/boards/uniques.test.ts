/** What counts of unique visitors promise, on each store. */

import { createHash } from 'node:crypto'
import { InvalidOptionError } from '@larder/core'
import { createUniques, type UniquesOptions } from '@larder/plugins/boards'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type RedisCluster, startCluster } from '../support/redis/redis-cluster.ts'
import { openBoards, PLACES } from './support/stage.ts'

const DAY_MS = 86_400_000
/** 3 standard errors of a HyperLogLog with 2^14 registers. */
const THREE_SIGMA = (3 * 1.04) / Math.sqrt(2 ** 14)
const SALT = 'a secret of the tests'

function idsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i)
}

describe.each(PLACES)('unique visitors %s', (place) => {
  const open = (options: Partial<UniquesOptions> = {}) => {
    const { caches, time } = openBoards(place)
    const all = { name: 'v', salt: SALT, storeTimeout: '10s', ...options } as const
    const uniques = createUniques(caches, all)
    const see = async (ids: readonly number[]): Promise<void> => {
      for (let i = 0; i < ids.length; i += 1_000)
        await uniques.seen('home', ids.slice(i, i + 1_000))
    }
    return { uniques, see, time, caches }
  }

  it('are exact below the number that was given, and say when they are not', async () => {
    const { uniques, see } = open({ exactBelow: 100 })
    expect(await uniques.count('home')).toEqual({ count: 0, exact: true })
    await see(idsFrom(0, 99))
    await see(idsFrom(0, 99))
    expect(await uniques.count('home')).toEqual({ count: 99, exact: true })
    await uniques.seen('home', 'one more')
    const { count, exact } = await uniques.count('home')
    expect(exact).toBe(false)
    expect(Math.abs(count - 100)).toBeLessThanOrEqual(3)
    expect(await uniques.count('about')).toEqual({ count: 0, exact: true })
  })

  it('are within 3 standard errors with 100 000 visitors', async () => {
    const { uniques, see } = open()
    await see(idsFrom(0, 100_000))
    const { count, exact } = await uniques.count('home')
    expect(exact).toBe(false)
    expect(Math.abs(count - 100_000) / 100_000).toBeLessThan(THREE_SIGMA)
  }, 60_000)

  it('count somebody who came on several days once, exactly and estimated', async () => {
    for (const exactBelow of [1_000, 100]) {
      const { uniques, see, time } = open({ per: 'day', periods: 7, exactBelow })
      for (let day = 0; day < 7; day++) {
        // Every day the same 150, and 50 who come once.
        await see(idsFrom(0, 150))
        await see(idsFrom(1_000 * (day + 1), day === 3 ? 0 : 50))
        time.now += DAY_MS
      }
      time.now -= DAY_MS
      const week = await uniques.count('home', { last: 7 })
      expect(week.exact).toBe(exactBelow === 1_000)
      if (week.exact) expect(week.count).toBe(450)
      else expect(Math.abs(week.count - 450)).toBeLessThanOrEqual(450 * THREE_SIGMA)
      // Those who come after the past days were put together are in it.
      await see(idsFrom(50_000, 100))
      const later = await uniques.count('home', { last: 7 })
      expect(Math.abs(later.count - 550)).toBeLessThanOrEqual(550 * THREE_SIGMA)
      // Two days on, of seven days five are left, and two are empty.
      time.now += 2 * DAY_MS
      const left = await uniques.count('home', { last: 7 })
      expect(Math.abs(left.count - 450)).toBeLessThanOrEqual(450 * THREE_SIGMA)
      time.now += 30 * DAY_MS
      expect(await uniques.count('home', { last: 7 })).toEqual({ count: 0, exact: true })
    }
  })

  it('unite a period that is estimated with one that is still counted, either one first', async () => {
    for (const [past, present] of [
      [500, 50],
      [50, 500],
    ] as const) {
      const { uniques, see, time } = open({ per: 'day', periods: 2, exactBelow: 100 })
      await see(idsFrom(0, past))
      time.now += DAY_MS
      await see(idsFrom(10_000, present))
      const { count, exact } = await uniques.count('home', { last: 2 })
      expect(exact).toBe(false)
      expect(Math.abs(count - 550)).toBeLessThanOrEqual(550 * THREE_SIGMA)
    }
  })

  it('know nobody by another salt', async () => {
    const { uniques, caches } = open()
    await uniques.seen('home', 'ada')
    const other = createUniques(caches, { name: 'v', salt: `${SALT}!` })
    await other.seen('home', 'ada')
    expect(await uniques.count('home')).toEqual({ count: 2, exact: true })
  })

  it('check what they are told', async () => {
    const { caches, uniques } = open()
    for (const options of [
      {},
      { salt: 'short' },
      { salt: 7 },
      { salt: SALT, exactBelow: -1 },
      { salt: SALT, shards: 2 },
    ]) {
      const make = () => createUniques(caches, { name: 'v', ...(options as { salt: string }) })
      expect(make).toThrow(InvalidOptionError)
      expect(make).not.toThrow(/short'/)
    }
    await expect(uniques.seen('home', '')).rejects.toThrow(/uniques\.seen\.visitors/)
    await expect(uniques.seen('', 'ada')).rejects.toThrow(/uniques\.seen\.key/)
    await expect(uniques.seen('home', idsFrom(0, 1_001))).rejects.toThrow(/visitors\.length/)
    await expect(uniques.count('home', { last: 2 })).rejects.toThrow(/uniques\.count\.last/)
    await uniques.seen('home', [])
  })
})

describe('in Redis', () => {
  let redis: Redis
  beforeAll(() => {
    redis = new Redis(inject('redisUrl'))
  })
  afterAll(() => redis.disconnect())

  it('nothing tells who came, and everything ends', async () => {
    const { caches } = openBoards('on Redis')
    const uniques = createUniques(caches, { name: 'v', per: 'day', salt: SALT, exactBelow: 3 })
    await uniques.seen('home', 'ada')
    const [key = ''] = await redis.keys(`{${caches.namespace}:uniques:*`)
    const [digest] = await redis.smembersBuffer(key)
    expect(digest).toHaveLength(16)
    const plain = createHash('sha256').update('ada').digest().subarray(0, 16)
    expect(digest?.equals(plain)).toBe(false)
    await uniques.seen('home', ['bob', 'cy', 'dee'])
    await uniques.count('home', { last: 2 })
    for (const each of await redis.keys(`{${caches.namespace}:uniques:*`))
      expect(await redis.pttl(each), each).toBeGreaterThan(0)
  })
})

describe('on a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicasPerMaster: 0 })
  }, 120_000)
  afterAll(() => cluster.stop())

  it('each key is in one slot, with all its periods', async () => {
    const { caches } = openBoards('on Redis', {
      boards: undefined,
      remote: redisStore({ cluster: [...cluster.startupNodes] }),
    })
    const options = {
      name: 'v',
      per: 'hour',
      periods: 24,
      salt: SALT,
      storeTimeout: '10s',
    } as const
    for (const exactBelow of [0, 100]) {
      const uniques = createUniques(caches, { ...options, exactBelow })
      await Promise.all(
        Array.from({ length: 30 }, async (_, page) => {
          await uniques.seen(`${exactBelow}:${page}`, ['ada', 'bob', 'ada'])
          const { count } = await uniques.count(`${exactBelow}:${page}`, { last: 24 })
          expect(count).toBe(2)
        }),
      )
    }
  })
})
