/** Two that use one name and give other options: it is told, or does no harm. */

import { BoardOptionsError } from '@larder/core'
import {
  createCounter,
  createLeaderboard,
  createUniques,
  type LeaderboardOptions,
} from '@larder/plugins/boards'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openBoards, PLACES } from './support/stage.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const SALT = 'a secret of the tests'
const DAYS = { name: 'b', per: 'day', timeZone: 'UTC', periods: 3 } as const

describe.each(PLACES)('%s', (place) => {
  it.each<[keyof LeaderboardOptions, LeaderboardOptions]>([
    ['best', { ...DAYS, best: 'lowest' }],
    ['ties', { ...DAYS, ties: 'last' }],
    ['decimals', { ...DAYS, decimals: 2 }],
    ['per', { ...DAYS, per: 'week' }],
    ['timeZone', { ...DAYS, timeZone: 'Asia/Kolkata' }],
    ['name', { name: 'b' }],
  ])(
    'a board that is kept by another %s is neither changed nor misread',
    async (option, options) => {
      const { caches, time } = openBoards(place)
      const board = createLeaderboard(caches, DAYS)
      const other = createLeaderboard(caches, options)
      await board.submit('ada', 5)
      for (const call of [
        () => other.submit('bob', 7),
        () => other.top(5),
        () => other.rank('ada'),
      ])
        for (let n = 0; n < 3; n++) await expect(call(), option).rejects.toThrow(BoardOptionsError)
      expect(caches.status().breakers).toMatchObject([{ state: 'closed' }])
      time.now += HOUR_MS
      expect(await board.top(5)).toEqual([{ member: 'ada', score: 5, rank: 1 }])
    },
  )

  it('a board takes another update, another keep, more periods and another age of merges', async () => {
    const { caches } = openBoards(place)
    await createLeaderboard(caches, DAYS).submit('ada', 5)
    const options = { update: 'add', keep: 5, periods: 9, mergeMaxAge: '1m' } as const
    const other = createLeaderboard(caches, { ...DAYS, ...options })
    expect(await other.submit('ada', 2)).toMatchObject({ score: 7 })
    expect(await other.top(5, { merge: 9 })).toEqual([{ member: 'ada', score: 7, rank: 1 }])
  })

  it('a merge is no older than each of them was told', async () => {
    const { caches } = openBoards(place)
    const patient = createLeaderboard(caches, { ...DAYS, mergeMaxAge: '1h' })
    const hasty = createLeaderboard(caches, { ...DAYS, mergeMaxAge: '10s' })
    await patient.submit('ada', 5)
    expect(await patient.count({ merge: 3 })).toBe(1)
    await patient.submit('bob', 5)
    expect(await hasty.count({ merge: 3 })).toBe(2)
    expect(await patient.count({ merge: 3 })).toBe(1)
  })

  it('what counts by days and what counts by hours do not share a count', async () => {
    const { caches, time } = openBoards(place)
    // Midnight of a Monday that is a first, where all periods begin.
    time.now = Date.UTC(2027, 1, 1)
    for (const [i, per] of ([undefined, 'hour', 'day', 'week', 'month'] as const).entries()) {
      const hits = createCounter(caches, { name: 'c', per })
      expect(await hits.add('home', i + 1), per).toMatchObject({ total: i + 1 })
      const uniques = createUniques(caches, { name: 'u', per, salt: SALT })
      await uniques.seen('home', i)
      expect(await uniques.count('home'), per).toEqual({ count: 1, exact: true })
    }
  })
})

describe('in Redis', () => {
  let redis: Redis
  beforeAll(() => {
    redis = new Redis(inject('redisUrl'))
  })
  afterAll(() => redis.disconnect())

  it('what is kept for many periods is not ended by one who keeps few', async () => {
    const { caches } = openBoards('on Redis')
    for (const periods of [30, 2]) {
      await createLeaderboard(caches, { ...DAYS, periods }).submit('ada', periods)
      await createCounter(caches, { ...DAYS, periods }).add('home')
      for (const exactBelow of [0, 10]) {
        const options = { ...DAYS, name: `u${exactBelow}`, periods, exactBelow, salt: SALT }
        await createUniques(caches, options).seen('home', 'ada')
      }
    }
    const keys = await redis.keys(`{${caches.namespace}:*`)
    expect(keys).toHaveLength(7)
    for (const key of keys) expect(await redis.pttl(key), key).toBeGreaterThan(29 * DAY_MS)
  })

  it('a board of which one key was dropped for room shows nobody twice, and right ranks', async () => {
    for (const lost of ['ids', 'scores', 'order']) {
      const { caches } = openBoards('on Redis')
      const board = createLeaderboard(caches, { ...DAYS, update: 'last' })
      const fill = () =>
        board.submitMany([
          ['ada', 3],
          ['bob', 3],
          ['cy', 2],
        ])
      const drop = () =>
        redis.keys(`{${caches.namespace}:*:${lost}`).then((keys) => redis.del('none', ...keys))
      await fill()
      await drop()
      const first = await board.around('cy', 2, { kind: 'dense' })
      if (lost !== 'order') expect(first.map(({ rank }) => rank)).toEqual([1, 1, 2])
      await drop()
      await board.submit('ada', 1)
      const dense = (await board.top(9, { kind: 'dense' })).map(({ member, rank }) => [
        member,
        rank,
      ])
      const whole = [
        ['bob', 1],
        ['cy', 2],
        ['ada', 3],
      ]
      expect(dense, lost).toEqual(lost === 'order' ? [['ada', 1]] : whole)
      for (const key of await redis.keys(`{${caches.namespace}:*`))
        expect(await redis.pttl(key), key).toBeGreaterThan(0)
    }
  })
})
