/** What is given to boards, counters and unique visitors and is not what they take, or changes after it was given. */

import { BoardRangeError, InvalidOptionError } from '@larder/core'
import { createCounter, createLeaderboard, createUniques } from '@larder/plugins/boards'
import { describe, expect, it } from 'vitest'
import { openBoards, PLACES } from './support/stage.ts'

const MOST = Number.MAX_SAFE_INTEGER
const DAY_MS = 86_400_000
const SALT = 'a secret of the tests'

describe.each(PLACES)('%s', (place) => {
  it('a large score that is not whole is refused, and not rounded', async () => {
    const { caches } = openBoards(place)
    const board = createLeaderboard(caches, { name: 'b' })
    for (const score of [2 ** 49 + 0.5, 2 ** 50 + 0.25, -(2 ** 51) - 0.5])
      await expect(board.submit('ada', score)).rejects.toThrow(InvalidOptionError)
    const cents = createLeaderboard(caches, { name: 'c', decimals: 2 })
    await expect(cents.submit('ada', 2 ** 43 + 0.125)).rejects.toThrow(InvalidOptionError)
    expect(await board.count()).toBe(0)
  })

  it('scores that are no list of pairs are refused, an endless one as well', async () => {
    const { caches } = openBoards(place)
    const board = createLeaderboard(caches, { name: 'b' })
    const endless = (function* (): Generator<[string, number]> {
      for (let n = 0; ; n++) yield [`m${n}`, n]
    })()
    for (const scores of [5, {}, undefined, null, 'text', { length: 2 }, endless])
      await expect(board.submitMany(scores as [])).rejects.toThrow(
        /leaderboard\.submitMany\.scores /,
      )
    const thousand = Array.from({ length: 1_000 }, (_, n) => [n, n] as const)
    expect(await board.submitMany(new Map(thousand))).toHaveLength(1_000)
    await expect(board.submitMany([...thousand, ['one more', 1]])).rejects.toThrow(/more than 1000/)
  })

  it('a list of visitors with holes is refused, and nobody is counted', async () => {
    const { caches } = openBoards(place)
    const uniques = createUniques(caches, { name: 'v', salt: SALT })
    const visitors: string[] = []
    visitors[2] = 'ada'
    await expect(uniques.seen('home', visitors)).rejects.toThrow(InvalidOptionError)
    expect(await uniques.count('home')).toEqual({ count: 0, exact: true })
  })

  it('a salt that is wiped after it was given stays what it was', async () => {
    const { caches } = openBoards(place)
    const salt = new Uint8Array(32).fill(7)
    const uniques = createUniques(caches, { name: 'v', salt })
    await uniques.seen('home', 'ada')
    salt.fill(0)
    await uniques.seen('home', 'ada')
    expect(await uniques.count('home')).toEqual({ count: 1, exact: true })
  })

  it('counts together that are no exact number any more are refused', async () => {
    const { caches, time } = openBoards(place)
    const hits = createCounter(caches, { name: 'hits', per: 'day', periods: 3 })
    for (const by of [MOST, 2, -MOST]) {
      await hits.add('home', by)
      time.now += DAY_MS
    }
    time.now -= DAY_MS
    // The sum of the first two is beyond the range, that of all is not.
    expect(await hits.count('home', { last: 3 })).toBe(2)
    await hits.add('home', MOST)
    await expect(hits.count('home', { last: 3 })).rejects.toThrow(BoardRangeError)
    expect((await hits.series('home', { last: 3 })).map(({ count }) => count)).toEqual([0, 2, MOST])
    const spread = createCounter(caches, { name: 'spread', shards: 2 })
    // Of so many ids, both places have some; the first one of each place is counted.
    const added = await Promise.allSettled(
      Array.from({ length: 16 }, (_, n) => spread.add('home', MOST, { id: `${n}` })),
    )
    expect(added.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    await expect(spread.count('home')).rejects.toThrow(BoardRangeError)
  })
})
