/** What counters promise, on each store. */

import { BoardRangeError, ClosedError } from '@larder/core'
import { createCounter } from '@larder/plugins/boards'
import { describe, expect, it } from 'vitest'
import { openBoards, PLACES } from './support/stage.ts'

const MOST = Number.MAX_SAFE_INTEGER
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

describe.each(PLACES)('a counter %s', (place) => {
  it('counts each id once for an hour, also over the edge of a period', async () => {
    const { caches, time } = openBoards(place)
    const hits = createCounter(caches, { name: 'hits', per: 'hour', periods: 3 })
    time.now += HOUR_MS - 1
    expect(await hits.add('home', 2, { id: 'a' })).toEqual({ total: 2, isDuplicate: false })
    expect(await hits.add('home', 2, { id: 'b' })).toEqual({ total: 4, isDuplicate: false })
    time.now += 1
    expect(await hits.add('home', 2, { id: 'a' })).toEqual({ total: 2, isDuplicate: true })
    expect(await hits.count('home')).toBe(0)
    // Of another key it is another one.
    expect(await hits.add('about', 1, { id: 'a' })).toEqual({ total: 1, isDuplicate: false })
    time.now += HOUR_MS
    expect(await hits.add('home', 2, { id: 'a' })).toEqual({ total: 2, isDuplicate: false })
    expect(await hits.count('home', { last: 3 })).toBe(6)
  })

  it('counts concurrent calls with one id once', async () => {
    const { caches } = openBoards(place)
    for (const shards of [1, 8]) {
      const hits = createCounter(caches, { name: `hits${shards}`, shards })
      const all = await Promise.all(
        Array.from({ length: 50 }, () => hits.add('home', 1, { id: 'a' })),
      )
      expect(all.filter(({ isDuplicate }) => !isDuplicate)).toHaveLength(1)
      expect(await hits.count('home')).toBe(1)
    }
  })

  it('reads the last periods, those in which nothing happened as well', async () => {
    const { caches, time } = openBoards(place)
    const options = { name: 'hits', per: 'day', timeZone: 'Europe/Berlin', periods: 3 } as const
    const hits = createCounter(caches, options)
    // 25 October 2026 has 25 hours in Berlin.
    const midnight = Date.UTC(2026, 9, 24, 22)
    time.now = midnight
    await hits.add('home')
    time.now = midnight + 25 * HOUR_MS - 1
    await hits.add('home', 4)
    time.now += 1 + DAY_MS
    await hits.add('home', 7)
    expect(await hits.series('home', { last: 3 })).toEqual([
      { from: new Date(midnight + 25 * HOUR_MS + DAY_MS), count: 7 },
      { from: new Date(midnight + 25 * HOUR_MS), count: 0 },
      { from: new Date(midnight), count: 5 },
    ])
    expect(await hits.count('home', { last: 3 })).toBe(12)
    time.now += DAY_MS
    expect(await hits.count('home', { last: 3 })).toBe(7)
    expect(await hits.count('nowhere', { last: 3 })).toBe(0)
  })

  it('spreads a key over shards, and adds them up; a count from before is in it', async () => {
    const { caches } = openBoards(place)
    await createCounter(caches, { name: 'hits' }).add('home', 10)
    const hits = createCounter(caches, { name: 'hits', shards: 16 })
    const added = await Promise.all(Array.from({ length: 100 }, () => hits.add('home')))
    expect(added[0]).toEqual({ total: undefined, isDuplicate: false })
    expect(await hits.count('home')).toBe(110)
  })

  it('is exact up to 2^53 - 1, and refuses what is beyond', async () => {
    const { caches } = openBoards(place)
    const hits = createCounter(caches, { name: 'hits' })
    expect(await hits.add('a', MOST)).toEqual({ total: MOST, isDuplicate: false })
    await expect(hits.add('a', 1, { id: 'x' })).rejects.toThrow(BoardRangeError)
    expect(await hits.add('a', -1)).toMatchObject({ total: MOST - 1 })
    // What was refused was not done.
    expect(await hits.add('a', 1, { id: 'x' })).toEqual({ total: MOST, isDuplicate: false })
    for (const by of [2 ** 53, 1.5, Number.NaN, Infinity, '1', null])
      await expect(hits.add('a', by as number)).rejects.toThrow(/counter\.add\.by/)
    await expect(hits.add('', 1)).rejects.toThrow(/counter\.add\.key/)
    await expect(hits.add('a', 1, { id: '' })).rejects.toThrow(/counter\.add\.id/)
    await expect(hits.count('a', { last: 2 })).rejects.toThrow(/counter\.count\.last/)
  })

  it('adds up in the process where it is told to, and sends the sums with the manager’s end', async () => {
    const { caches } = openBoards(place)
    const other = openBoards(place, { namespace: caches.namespace })
    const hits = createCounter(caches, { name: 'hits', buffer: '1m' })
    for (let n = 0; n < 100; n++) hits.add('home')
    hits.add('about', 5)
    hits.add('about', -2)
    expect(await hits.count('home')).toBe(0)
    expect(await hits.flush()).toBe(0)
    expect(await hits.count('home')).toBe(100)
    expect(await hits.count('about')).toBe(3)
    hits.add('home', 11)
    await caches.close()
    if (place === 'on Redis') {
      const again = createCounter(other.caches, { name: 'hits' })
      expect(await again.count('home')).toBe(111)
    }
    expect(() => hits.add('home')).toThrow(ClosedError)
  })
})
