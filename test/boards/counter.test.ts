/** What counters promise, on each store. */

import { BoardRangeError, ClosedError, InvalidOptionError } from '@larder/core'
import type { BoardProvider } from '@larder/core/store'
import { ManualClock } from '@larder/core/testing'
import { localBoards } from '@larder/local-store'
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

describe('a buffered counter', () => {
  /** A store whose answers can be lost after it has done what it was asked. */
  function openLossy() {
    const faults = { losesAnswers: false, isAway: false }
    const store = localBoards({ now: () => 0 })
    const lossy: BoardProvider = {
      name: 'lossy',
      capabilities: store.capabilities,
      open: (namespace) => store.open(namespace),
      submit: (...args) => store.submit(...args),
      look: (...args) => store.look(...args),
      remove: (...args) => store.remove(...args),
      counts: (...args) => store.counts(...args),
      seen: (...args) => store.seen(...args),
      unique: (...args) => store.unique(...args),
      close: () => store.close(),
      async add(...args) {
        if (faults.isAway) throw new Error('away')
        const reply = await store.add(...args)
        if (faults.losesAnswers) throw new Error('lost')
        return reply
      },
    }
    const clock = new ManualClock()
    const { caches } = openBoards('in process', { boards: lossy, clock })
    return { caches, clock, faults }
  }

  it('counts nothing twice when answers are lost, and nothing less', async () => {
    const { caches, clock, faults } = openLossy()
    const hits = createCounter(caches, { name: 'hits', buffer: '1s' })
    faults.losesAnswers = true
    hits.add('home', 3)
    expect(await hits.flush()).toBe(1)
    hits.add('home', 4)
    expect(await hits.flush()).toBe(2)
    faults.losesAnswers = false
    // The breaker lets one call through after a while.
    for (let n = 0; n < 5; n++) {
      await clock.advance(60_000)
      await hits.flush()
    }
    expect(await hits.flush()).toBe(0)
    expect(await hits.count('home')).toBe(7)
    expect(hits.lost).toBe(0)
  })

  it('sends by itself after the time that it was given', async () => {
    const { caches, clock } = openLossy()
    const hits = createCounter(caches, { name: 'hits', buffer: '1s' })
    hits.add('home')
    await clock.advance(999)
    expect(await hits.count('home')).toBe(0)
    await clock.advance(1)
    expect(await hits.count('home')).toBe(1)
  })

  it('gives up what could not be sent for half an hour, and tells it', async () => {
    const { caches, clock, faults } = openLossy()
    const told: unknown[] = []
    caches.on('background-error', ({ task }) => told.push(task))
    const hits = createCounter(caches, { name: 'hits', buffer: '1s' })
    faults.isAway = true
    hits.add('home')
    await hits.flush()
    await clock.advance(1_800_001)
    expect(await hits.flush()).toBe(0)
    expect(hits.lost).toBe(1)
    expect(told).toEqual(['buffered counter'])
  })

  it('says what may be lost, and takes no ids', () => {
    const { caches } = openLossy()
    const hits = createCounter(caches, { name: 'hits', buffer: '1s' })
    // @ts-expect-error: an id would be lost in the sum
    hits.add('home', 1, { id: 'a' })
    expect(() => createCounter(caches, { name: 'hits', buffer: '1ms' })).toThrow(InvalidOptionError)
    expect(() => createCounter(caches, { name: 'hits', shards: 0 })).toThrow(
      /createCounter\.shards/,
    )
  })
})
