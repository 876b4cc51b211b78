/** Tags evicted by a node whose store is away, or that does not know the store's clock yet. */

import { describe, expect, it } from 'vitest'
import { counting, MemoryWorld, never } from './memory-world.ts'

const TAGGED = { tags: ['t'] }
/** Longer than any call of the store may take, ms. */
const OVERDUE_MS = 300
/** Several syncs, ms. */
const SYNCED_MS = 3_000

const WAYS: readonly [string, (caches: ReturnType<MemoryWorld['startNode']>) => Promise<void>][] = [
  ['a tag', ({ caches }) => caches.evictTags(['t'])],
  ['a cache', ({ cache }) => cache.clear()],
  ['everything', ({ caches }) => caches.clear()],
]

/** A world with an entry in its store, and the node that has loaded it. */
async function begun() {
  const world = new MemoryWorld('evicted-tags', { ttl: '10m' })
  const old = world.startNode()
  await old.cache.getOrLoad('k', async () => 'old', TAGGED)
  await world.clock.advanceAsync(0)
  return { world, old }
}

describe.each(WAYS)('%s', (_, evict) => {
  describe.each(['up', 'down'] as const)('with the bus %s', (bus) => {
    it('evicted while the store was unreachable at the start is evicted for all at the first contact', async () => {
      const { world, old } = await begun()
      const late = world.startNode()
      for (const { store } of [old, late]) {
        if (bus === 'down') store.disconnect({ only: 'messages', silently: true })
      }
      late.store.disconnect({ only: 'commands' })
      await evict(late)
      expect(await old.cache.get('k')).toBe('old')
      late.store.reconnect()
      if (bus === 'down') late.store.disconnect({ only: 'messages', silently: true })
      await world.clock.advanceAsync(SYNCED_MS)
      expect(await late.cache.getOrLoad('k', async () => 'new', TAGGED)).toBe('new')
      await world.clock.advanceAsync(0)
      expect(await old.cache.getOrLoad('k', never, TAGGED)).toBe('new')
      expect(await world.startNode().cache.getOrLoad('k', never, TAGGED)).toBe('new')
    })
  })

  it('evicted during the first contact is evicted here, whatever was read before it failed', async () => {
    const { world } = await begun()
    const node = world.startNode({ maxStaleness: '1m' })
    node.store.faults.hang({ on: 'sync', times: 1 })
    const evicting = evict(node)
    await world.clock.advanceAsync(0)
    node.store.faults.heal()
    node.store.faults.hang({ on: 'bumpTags', times: 1 })
    node.store.faults.fail({ on: 'bumpTags' })
    await world.clock.advanceAsync(0)
    // It has not ended: the old value may still be read.
    expect(await node.cache.getOrLoad('k', never, TAGGED)).toBe('old')
    await world.clock.advanceAsync(OVERDUE_MS)
    await evicting
    expect(await node.cache.getOrLoad('k', counting(), TAGGED)).toBe('v1')
  })

  it('evicted by a node that lags behind the clock is evicted here, whatever was read before it failed', async () => {
    const { world, old } = await begun()
    const node = world.startNode({ maxStaleness: '1m' })
    await node.cache.get('other')
    node.store.disconnect({ only: 'messages', silently: true })
    await old.caches.evictTags(['other', 't'])
    await old.caches.clear()
    // Not in the millisecond of a sync, where it would not be clear which came first.
    await world.clock.advanceAsync(1)
    await old.cache.getOrLoad('k', async () => 'old', TAGGED)
    await world.clock.advanceAsync(0)
    node.store.faults.hang({ on: 'bumpTags', times: 1 })
    node.store.faults.fail({ on: 'bumpTags' })
    const evicting = evict(node)
    await world.clock.advanceAsync(0)
    expect(await node.cache.getOrLoad('k', never, TAGGED)).toBe('old')
    await world.clock.advanceAsync(OVERDUE_MS)
    await evicting
    expect(await node.cache.getOrLoad('k', counting(), TAGGED)).toBe('v1')
  })

  it('in doubt, heard of before the first contact has ended, is in doubt after it', async () => {
    const { world } = await begun()
    const refused = world.startNode()
    await refused.cache.get('other')
    refused.store.faults.fail({ on: 'bumpTags' })
    const node = world.startNode()
    node.store.faults.hang({ on: 'sync', times: 1 })
    const reading = node.cache.getOrLoad('other', async () => 'other')
    await world.clock.advanceAsync(0)
    await evict(refused)
    await world.clock.advanceAsync(0)
    node.store.faults.heal()
    await reading
    expect(await node.cache.getOrLoad('k', counting(), TAGGED)).toBe('v1')
  })
})
