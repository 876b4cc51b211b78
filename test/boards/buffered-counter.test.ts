/** What a counter that adds up in the process promises, and what it tells of what it does not. */

import { InvalidOptionError } from '@larder/core'
import { createCounter } from '@larder/plugins/boards'
import { describe, expect, it } from 'vitest'
import { openLossy } from './support/lossy.ts'

describe('a buffered counter', () => {
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
    await clock.advanceAsync(999)
    expect(await hits.count('home')).toBe(0)
    await clock.advanceAsync(1)
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

  it('tells at the end what the store does not take any more', async () => {
    const { caches, faults } = openLossy()
    const told: unknown[] = []
    caches.on('background-error', ({ error }) => told.push((error as Error).message))
    const hits = createCounter(caches, { name: 'hits', buffer: '1s' })
    hits.add('home')
    hits.add('about')
    faults.isAway = true
    await caches.close()
    expect(hits.lost).toBe(2)
    expect(told).toEqual([
      '2 sums of the counter hits were given up: the manager was closed, and the store did not take them.',
    ])
  })

  it('sends what waits at the end, although calls failed until then', async () => {
    const { caches, faults, store } = openLossy()
    const hits = createCounter(caches, { name: 'hits', buffer: '1s' })
    faults.isAway = true
    hits.add('home', 2)
    for (let n = 0; n < 5; n++) await hits.flush()
    expect(caches.status().breakers).toMatchObject([{ state: 'open' }])
    faults.isAway = false
    hits.add('home', 3)
    await caches.close()
    expect(hits.lost).toBe(0)
    expect(store.added).toEqual([2, 3])
  })

  it('sends no sum again that its id may be forgotten of', async () => {
    const { caches, clock, faults, store } = openLossy()
    const hits = createCounter(caches, { name: 'hits', buffer: '1s' })
    faults.losesAnswers = true
    hits.add('home', 2)
    await hits.flush()
    faults.losesAnswers = false
    // This process stood still, and ids are remembered for an hour.
    clock.advance(4_000_000)
    expect(await hits.flush()).toBe(0)
    expect(store.added).toEqual([2])
    expect(hits.lost).toBe(1)
    hits.add('home', 3)
    faults.losesAnswers = true
    await hits.flush()
    faults.losesAnswers = false
    // The machine slept, and the clock of this process stood still.
    clock.sleep(4_000_000)
    expect(await hits.flush()).toBe(0)
    expect(store.added).toEqual([2, 3])
    expect(hits.lost).toBe(2)
  })

  it('keeps two sums of a key at most, however long the store is away', async () => {
    const { caches, clock, faults } = openLossy()
    const hits = createCounter(caches, { name: 'hits', buffer: '1s' })
    faults.isAway = true
    for (let n = 0; n < 20; n++) {
      hits.add('home')
      expect(await hits.flush()).toBeLessThanOrEqual(2)
    }
    faults.isAway = false
    await clock.advance(60_000)
    expect(await hits.flush()).toBe(0)
    expect(await hits.count('home')).toBe(20)
  })

  it('loses nothing of very many keys while the store answers', async () => {
    const { caches } = openLossy()
    const hits = createCounter(caches, { name: 'hits', buffer: '1m' })
    for (let n = 0; n < 25_000; n++) hits.add(n)
    expect(await hits.flush()).toBe(0)
    expect(hits.lost).toBe(0)
    expect(await hits.count(24_999)).toBe(1)
  })

  it('keeps so many keys while the store is away, and tells how much it did not take', async () => {
    const { caches, faults } = openLossy()
    const told: unknown[] = []
    caches.on('background-error', ({ error }) => told.push((error as Error).message))
    const hits = createCounter(caches, { name: 'hits', buffer: '1m' })
    faults.isAway = true
    hits.add('home')
    await hits.flush()
    for (let n = 0; n < 10_005; n++) hits.add(n)
    hits.add(0)
    expect(hits.lost).toBe(5)
    await hits.flush()
    expect(told).toEqual([
      '5 sums of the counter hits were given up: the store is away, and sums of 10000 keys wait already.',
    ])
  })

  it('sends some sums at a time, so that none is late because of the others', async () => {
    const { caches, store } = openLossy()
    const hits = createCounter(caches, { name: 'hits', buffer: '1m' })
    for (let n = 0; n < 2_000; n++) hits.add(n)
    expect(await hits.flush()).toBe(0)
    expect(store.mostAtOnce).toBeLessThanOrEqual(250)
    expect(store.added).toHaveLength(2_000)
  })

  it('ends soon when the store is away and very much waits', async () => {
    const { caches, store, faults } = openLossy()
    const hits = createCounter(caches, { name: 'hits', buffer: '1m' })
    for (let n = 0; n < 2_000; n++) hits.add(n)
    faults.isAway = true
    await caches.close()
    expect(store.asked).toBeLessThanOrEqual(250)
    expect(hits.lost).toBe(2_000)
  })
})
