/** What a cache tells of its entries, and what events carry; on a manual clock and an in-memory store. */

import { inspect } from 'node:util'
import { InvalidOptionError } from '@larder/core'
import type { ManualClock } from '@larder/core/testing'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { MemoryWorld } from './memory-world.ts'

let world: MemoryWorld
let clock: ManualClock

beforeEach(() => {
  world = new MemoryWorld('entries', { maxStaleness: '1m', ttl: '10s' })
  clock = world.clock
})

const TIERS = [
  ['both tiers', {}, {}, 'local'],
  ['in process', {}, { remote: undefined, codec: undefined }, 'local'],
  ['the shared tier only', { local: false }, {}, 'remote'],
] as const

const LIVES = { staleWhileRevalidate: '5s', staleIfError: '20s' } as const

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

describe.each(TIERS)('an entry, %s', (_, policy, options, tier) => {
  const startNode = async (more = {}) => {
    const node = world.startNode({ ...policy, ...LIVES, ...more }, options)
    await node.cache.get('warm-up')
    return node
  }

  it('tells its age, its remaining life and its tags, and is not read by that', async () => {
    const { cache, caches, seen } = await startNode({ tags: ['of all'] })
    await cache.set('k', 'v', { tags: ['t', '*', '@x'] })
    const before = caches.stats()
    const events = [seen('hit'), seen('miss'), seen('stale'), seen('load')]
    await clock.advanceAsync(1_000)
    const of = { key: 'c:k', kind: 'value', value: 'v', error: undefined, tier }
    const tags = expect.arrayContaining(['of all', 't', '*', '@x'])
    const view = (state: string, ageMs: number) => ({
      ...of,
      state,
      ageMs,
      freshForMs: Math.max(0, 10_000 - ageMs),
      staleForMs: Math.max(0, 15_000 - ageMs),
      livesForMs: 35_000 - ageMs,
      tags,
    })
    expect(await cache.getEntry('k')).toEqual(view('fresh', 1_000))
    await clock.advanceAsync(11_000)
    expect(await cache.getEntry('k')).toEqual(view('stale', 12_000))
    await clock.advanceAsync(8_000)
    // There might be something newer in the store.
    const fallback = {
      ...view('fallback', 20_000),
      tier: options === TIERS[1][2] ? 'local' : 'remote',
    }
    expect(await cache.getEntry('k')).toEqual(fallback)
    await clock.advanceAsync(15_001)
    expect(await cache.getEntry('k')).toBeUndefined()
    expect(events).toEqual([[], [], [], []])
    expect(caches.stats()).toMatchObject({ localHits: before.localHits, misses: before.misses })
  })

  it('may be nothing, a result of nothing, an error, or evicted', async () => {
    const { cache } = await startNode({ negativeTtl: '1m', cacheErrors: () => '1m' })
    await cache.set('nothing', null)
    const failing = cache.getOrLoad('error', () => Promise.reject(new Error('down')))
    await expect(failing).rejects.toThrow('down')
    await cache.set('soft', 'v')
    await cache.evict('soft', { soft: true })
    await cache.set('hard', 'v')
    await cache.evict('hard')
    await clock.advanceAsync(0)
    expect(await cache.getEntries(['nothing', 'error', 'soft', 'hard', 'never'])).toMatchObject([
      { kind: 'negative', value: null, state: 'fresh' },
      { kind: 'error', value: undefined, error: { message: 'down' } },
      { kind: 'value', value: 'v', state: 'fallback', freshForMs: 0 },
      undefined,
      undefined,
    ])
  })

  it('that has no value is gone when it is evicted softly, whichever way', async () => {
    const { cache, caches } = await startNode({ negativeTtl: '1m', cacheErrors: () => '1m' })
    const soft = { soft: true }
    const ways: readonly (() => Promise<void>)[] = [
      () => cache.evictMany(['nothing', 'error'], soft),
      () => cache.evictTags(['t'], soft),
      () => cache.clear(soft),
      () => caches.clear(soft),
    ]
    for (const evict of ways) {
      await cache.set('nothing', null, { tags: ['t'] })
      const fail = () => Promise.reject(new Error('down'))
      await expect(cache.getOrLoad('error', fail, { tags: ['t'] })).rejects.toThrow('down')
      await clock.advanceAsync(0)
      await evict()
      expect(await cache.getEntries(['nothing', 'error'])).toEqual([undefined, undefined])
      const found = cache.getMany(['nothing', 'error'], { allowStale: true })
      expect(await found).toEqual([undefined, undefined])
    }
  })

  it('is gone with its tag, and its keys with it', async () => {
    const { cache } = await startNode({ cacheErrors: () => '1m' })
    await cache.set('a', 1, { tags: ['t'] })
    await cache.set(['b', 2], 2)
    await cache.set('c', 3)
    await expect(cache.getOrLoad('e', () => Promise.reject(new Error('down')))).rejects.toThrow()
    await cache.evictTags(['t'])
    await cache.evict('c')
    const keys = await all(cache.keys())
    expect(keys).toHaveLength(1)
    expect(await all(cache.entries())).toEqual([[keys[0], 2]])
    await cache.clear()
    expect(await all(cache.keys())).toEqual([])
  })

  it('leaves out of an iteration what is held for failed loads only, and counts as no read', async () => {
    const { cache, caches } = await startNode()
    await cache.set('k', 'v')
    await clock.advanceAsync(9_000)
    await cache.set('l', 'v')
    const { localHits, remoteHits, misses } = caches.stats()
    expect((await all(cache.keys())).toSorted()).toEqual(['k', 'l'])
    await clock.advanceAsync(7_000)
    expect(await all(cache.keys())).toEqual(['l'])
    expect(caches.stats()).toMatchObject({ localHits, remoteHits, misses })
  })

  it('comes as a copy with isolation cloned', async () => {
    const { cache } = await startNode({ isolation: 'cloned' })
    await cache.set('k', { n: 1 })
    const view = await cache.getEntry('k')
    ;(view?.value as { n: number }).n = 2
    for await (const [, value] of cache.entries()) (value as { n: number }).n = 3
    expect(await cache.get('k')).toEqual({ n: 1 })
  })

  it('checks its options', async () => {
    const { cache } = await startNode()
    await expect(cache.getEntry('k', { allowStale: true } as never)).rejects.toThrow(
      InvalidOptionError,
    )
    await expect(cache.getEntries('k' as never)).rejects.toThrow(InvalidOptionError)
    const signal = AbortSignal.abort(new Error('gone'))
    await expect(cache.getEntry('k', { signal })).rejects.toThrow('gone')
  })

  it('is in events by a getter that nothing shows by itself', async () => {
    const { cache, seen } = await startNode()
    const events = ['hit', 'load', 'put', 'stale'].map((name) => seen(name as 'hit'))
    await cache.getOrLoad('k', async () => 'secret')
    await clock.advanceAsync(0)
    await cache.get('k')
    await cache.set('k', 'secret')
    await clock.advanceAsync(11_000)
    await cache.get('k')
    for (const list of events) {
      expect(list).toHaveLength(1)
      const [event] = list as { value: unknown }[]
      expect(event?.value).toBe('secret')
      expect(`${inspect(event, { depth: 9 })}${JSON.stringify({ ...event })}`).not.toContain(
        'secret',
      )
    }
  })

  it('is frozen in events when hits hand it out frozen', async () => {
    const { cache, caches } = await startNode()
    const refused = vi.fn()
    for (const name of ['hit', 'load', 'put'] as const) {
      caches.on(name, ({ value }) => {
        try {
          ;(value as { n: number[] }).n.push(2)
        } catch (error) {
          refused(name, error)
        }
      })
    }
    expect(await cache.getOrLoad('k', async () => ({ n: [1] }))).toEqual({ n: [1] })
    await clock.advanceAsync(0)
    expect(await cache.get('k')).toEqual({ n: [1] })
    await cache.set('k', { n: [1] })
    expect(await cache.get('k')).toEqual({ n: [1] })
    expect(new Set(refused.mock.calls.map(([name]) => name))).toEqual(
      new Set(['load', 'hit', 'put']),
    )
  })

  it('is a copy in events with isolation cloned', async () => {
    const { cache, caches } = await startNode({ isolation: 'cloned' })
    caches.on('hit', ({ value }) => {
      ;(value as { n: number }).n = 2
    })
    caches.on('load', ({ value }) => {
      ;(value as { n: number }).n = 3
    })
    await cache.getOrLoad('k', async () => ({ n: 1 }))
    await clock.advanceAsync(0)
    await cache.get('k')
    expect(await cache.get('k')).toEqual({ n: 1 })
  })
})

describe('entries of other nodes', () => {
  it('are found in the store, and not taken over by that', async () => {
    const [a, b] = [world.startNode(LIVES), world.startNode(LIVES)]
    await a.cache.set('k', 'v')
    await clock.advanceAsync(1_000)
    expect(await b.cache.getEntry('k')).toMatchObject({ tier: 'remote', ageMs: 1_000, value: 'v' })
    expect(await all(b.cache.keys())).toEqual(['k'])
    expect(b.caches.stats().localEntries).toBe(0)
    expect(await a.cache.getEntry('k')).toMatchObject({ tier: 'local' })
  })
})
