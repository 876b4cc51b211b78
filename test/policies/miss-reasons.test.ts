/** Why a read was a miss: told by the event and counted, by whichever tier knew more. On a manual clock. */

import type { CacheEvents, MissReason } from '@larder/core'
import type { ManualClock } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { beforeEach, describe, expect, it } from 'vitest'
import { counting, MemoryWorld, never } from './memory-world.ts'

let world: MemoryWorld
let clock: ManualClock

beforeEach(() => {
  world = new MemoryWorld('miss-reasons', { maxStaleness: '2s' })
  clock = world.clock
})

type Node = ReturnType<MemoryWorld['startNode']>

const settle = (): Promise<void> => clock.advanceAsync(0)

/** What a read that finds nothing says, asked by `get` and by `getOrLoad`. */
async function reasonsOf(node: Node, key = 'k'): Promise<readonly (MissReason | 'hit')[]> {
  const misses = node.seen('miss') as CacheEvents['miss'][]
  const reasons: (MissReason | 'hit')[] = []
  for (const read of [
    () => node.cache.get(key),
    () => node.cache.getOrLoad(key, async () => 'loaded', { ttl: 0 }),
  ]) {
    const before = misses.length
    await read()
    await settle()
    reasons.push(misses[before]?.reason ?? 'hit')
  }
  return reasons
}

describe('a miss', () => {
  it('of nothing is absent', async () => {
    expect(await reasonsOf(world.startNode())).toEqual(['absent', 'absent'])
    expect(await reasonsOf(world.startNode({ remote: false }))).toEqual(['absent', 'absent'])
    expect(await reasonsOf(world.startNode({ local: false }))).toEqual(['absent', 'absent'])
  })

  it('after an eviction of the key is absent: nothing of it is left', async () => {
    const { cache, ...node } = world.startNode()
    await cache.set('k', 'v')
    await cache.evict('k')
    expect(await reasonsOf({ cache, ...node })).toEqual(['absent', 'absent'])
  })

  it('of what was there for its time is expired, by what this node kept of it', async () => {
    const a = world.startNode({ ttl: '1s' })
    await a.cache.set('k', 'v')
    await clock.advanceAsync(1_500)
    const misses = a.seen('miss') as CacheEvents['miss'][]
    await a.cache.getOrLoad('k', counting())
    expect(misses.map(({ reason }) => reason)).toEqual(['expired'])
  })

  it('of what is only kept for when loads fail is expired, on a node that has never seen it too', async () => {
    const policy = { ttl: '1s', staleIfError: '1h' } as const
    const [a, b] = [world.startNode(policy), world.startNode(policy)]
    await a.cache.set('k', 'v')
    await clock.advanceAsync(1_500)
    expect(await reasonsOf(a)).toEqual(['expired', 'expired'])
    expect(await reasonsOf(b)).toEqual(['expired', 'expired'])
  })

  it.each([
    ['softly', { staleIfError: '1h' }],
    ['into a settle window', {}],
  ] as const)('of what was evicted %s is evicted', async (how, policy) => {
    const [a, b] = [world.startNode(policy), world.startNode(policy)]
    await a.cache.set('k', 'v')
    await a.cache.evict('k', how === 'softly' ? { soft: true } : { settle: '5s' })
    expect(await reasonsOf(b)).toEqual(['evicted', 'evicted'])
  })

  it('of what a tag, its cache or everything took with it is tag, in both tiers', async () => {
    const [a, b] = [world.startNode(), world.startNode()]
    const ways = [
      () => a.caches.evictTags(['t']),
      () => a.cache.clear(),
      () => a.caches.clear(),
    ] as const
    for (const evict of ways) {
      await a.cache.set('k', 'v', { tags: ['t'] })
      await evict()
      await settle()
      expect(await reasonsOf(b)).toEqual(['tag', 'tag'])
    }
    const near = world.startNode({ remote: false })
    await near.cache.set('n', 'v', { tags: ['t'] })
    await near.caches.evictTags(['t'])
    const misses = near.seen('miss') as CacheEvents['miss'][]
    await near.cache.getOrLoad('n', counting())
    expect(misses.map(({ reason }) => reason)).toEqual(['tag'])
  })

  it('of what another version wrote is version', async () => {
    await world.startNode().cache.set('k', 'v')
    expect(await reasonsOf(world.startNode({ version: 2 }))).toEqual(['version', 'version'])
  })

  it('of bytes that are not an entry is undecodable, and counted as such', async () => {
    const node = world.startNode({ local: false })
    await node.cache.set('k', 'v')
    node.store.faults.corrupt(() => new Uint8Array([1, 2, 3]), { on: 'read' })
    const misses = node.seen('miss') as CacheEvents['miss'][]
    await node.cache.get('k')
    expect(misses.map(({ reason }) => reason)).toEqual(['undecodable'])
    // Its claim found it whole: a read that was damaged on its way is no miss.
    expect(await node.cache.getOrLoad('k', never)).toBe('v')
    expect(node.caches.stats()).toMatchObject({
      undecodable: 2,
      misses: 1,
      byCache: { c: { undecodable: 2 } },
    })
  })

  it('is store-away while the store does not answer, or cannot be judged', async () => {
    const node = world.startNode({ local: false })
    await node.cache.set('k', 'v')
    node.store.disconnect()
    expect(await reasonsOf(node)).toEqual(['store-away', 'store-away'])
    const late = world.startNode({ local: false })
    late.store.disconnect()
    expect(await reasonsOf(late)).toEqual(['store-away', 'store-away'])
  })

  it('of a key whose eviction waits for the store is evicted', async () => {
    const node = world.startNode()
    await node.cache.set('k', 'v')
    node.store.disconnect()
    await node.cache.evict('k')
    expect(await reasonsOf(node)).toEqual(['evicted', 'evicted'])
  })
})

describe('counts', () => {
  it('of misses by reason add up to all of them, by cache and in all', async () => {
    const node = world.startNode({ ttl: '1s' })
    await node.cache.set('k', 'v', { tags: ['t'] })
    await node.caches.evictTags(['t'])
    await node.cache.getOrLoad('k', counting())
    await node.cache.getOrLoad('other', counting())
    const { misses, missesBy, byCache } = node.caches.stats()
    expect(Object.values(missesBy).reduce((sum, n) => sum + n, 0)).toBe(misses)
    expect(missesBy).toMatchObject({ tag: 1, absent: 1 })
    expect(byCache['c']?.missesBy).toEqual(missesBy)
  })

  it('leave out loads behind a caller that was served: it missed nothing', async () => {
    const node = world.startNode({ ttl: '1s', staleWhileRevalidate: '1h' })
    const loads = node.seen('load') as CacheEvents['load'][]
    await node.cache.getOrLoad('k', counting())
    await settle()
    await clock.advanceAsync(1_500)
    await node.cache.getOrLoad('k', counting())
    await settle()
    expect(node.caches.stats()).toMatchObject({ misses: 1, staleHits: 1, loads: 2 })
    expect(loads.map(({ reason }) => reason)).toEqual(['miss', 'refresh'])
  })

  it('of drops are entries that had to make room, by cache', async () => {
    const node = world.startNode({ remote: false }, { local: lruStore({ maxEntries: 2 }) })
    const dropped = node.seen('drop')
    for (const key of ['a', 'b', 'c', 'd', 'e']) await node.cache.set(key, key)
    expect(node.caches.stats()).toMatchObject({ drops: 3, byCache: { c: { drops: 3 } } })
    expect(dropped).toHaveLength(3)
  })

  it('of evictions are what was asked for here: keys, caches, and tags by themselves', async () => {
    const [a, b] = [world.startNode(), world.startNode()]
    await a.cache.evictMany(['k', 'l', 'm'])
    await a.cache.clear()
    await a.caches.clear()
    await a.caches.evictTags(['t', 'u'])
    await a.caches.deferEvictions(() => a.cache.evict('n'))
    await settle()
    expect(a.caches.stats()).toMatchObject({
      evictions: 6,
      tagEvictions: 2,
      byCache: { c: { evictions: 5 } },
    })
    expect(b.caches.stats()).toMatchObject({ evictions: 0, tagEvictions: 0 })
    a.store.disconnect()
    await a.cache.evict('k')
    expect(a.caches.stats().evictions).toBe(7)
  })
})

it('a wrong reading of every entry is told of a few times, and counted each time', async () => {
  const node = world.startNode({ local: false })
  await node.cache.set('k', 'v')
  node.store.faults.corrupt(() => new Uint8Array([1]), { on: 'read' })
  const told = node.seen('undecodable') as CacheEvents['undecodable'][]
  for (let n = 0; n < 100; n++) await node.cache.get('k')
  expect(told.map(({ count }) => count)).toEqual(Array(10).fill(1))
  await clock.advanceAsync(10_000)
  await node.cache.get('k')
  expect(told.at(-1)).toMatchObject({ reason: 'format', count: 91 })
  expect(node.caches.stats().undecodable).toBe(101)
  await expect(node.cache.getOrLoad('other', never)).rejects.toThrow('must not load')
})
