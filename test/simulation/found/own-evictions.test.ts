/** What a node evicted itself does not come back to it, whatever its store forgot. */

import { partitionOf } from '@larder/core/store'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { Fleet, MAX_STALENESS_MS } from './fleet.ts'

/** Longer than any call of the store may take, ms. */
const OVERDUE_MS = 600

let fleet: Fleet

beforeEach(() => {
  fleet = new Fleet()
  onTestFinished(() => fleet.close())
})

it.each([false, true])(
  'a node does not read back what it evicted, when a failover lost the eviction (soft: %s)',
  async (soft) => {
    const [a] = [fleet.startNode(), fleet.startNode()]
    await fleet.after(a.read('k', 'old'))
    await fleet.clock.advanceAsync(10)
    const replica = fleet.server.snapshot()
    await fleet.after(a.cache.evict('k', { soft }))
    fleet.server.restore(replica)
    // Before any sync could notice.
    expect(await fleet.after(a.read('k', 'new'))).toBe('new')
    expect(await fleet.after(a.find('k'))).toBe('new')
  },
)

it.each(['evict', 'set', 'refresh'] as const)(
  'what a node read while its %s was on the way is gone, also if the store began a history anew before that',
  async (how) => {
    const [a, b] = [fleet.startNode(), fleet.startNode()]
    await fleet.after(b.read('k', 'old'))
    await fleet.after(a.find('other'))
    await fleet.clock.advanceAsync(10)
    fleet.server.shiftTime(-600_000)
    fleet.server.dropKey({ namespace: 'found', kind: 'log', partition: partitionOf('c:k') })
    const operations = ['evict', 'put']
    fleet.isHeld = (each) => each.kind === 'request' && operations.includes(each.operation)
    const refresh = { mode: 'refresh', tags: [] } as const
    const changes = {
      evict: () => a.cache.evict('k'),
      set: () => a.cache.set('k', 'new'),
      refresh: () => a.method.getOrLoad('k', { load: async () => 'new' }, refresh),
    }
    const changing = changes[how]()
    await fleet.clock.advanceAsync(0)
    await fleet.after(a.find('k'))
    // No sync is quick enough to notice.
    fleet.isHeld = (each) => each.kind === 'request' && each.operation === 'sync'
    for (const arrive of fleet.held) arrive()
    await changing
    expect(await a.read('k', 'new')).toBe('new')
  },
)

it('a node does not read back what it replaced, when a failover lost the put', async () => {
  const a = fleet.startNode({ local: false })
  await fleet.after(a.read('k', 'old'))
  await fleet.clock.advanceAsync(10)
  const replica = fleet.server.snapshot()
  await fleet.after(a.cache.set('k', 'put'))
  fleet.server.restore(replica)
  expect(await fleet.after(a.read('k', 'new'))).not.toBe('old')
})

it('what another node put after an eviction is read back after a failover', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.read('k', 'old'))
  await fleet.clock.advanceAsync(10)
  await fleet.after(a.cache.evict('k'))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  await fleet.after(b.cache.set('k', 'newer'))
  expect(await fleet.after(a.find('k'))).toBe('newer')
})

it('an eviction that a failover lost is repeated, also if its number was minted by a clock behind the node’s last change', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(b.find('k'))
  await fleet.after(a.cache.evict('k'))
  await fleet.clock.advanceAsync(10)
  fleet.server.shiftTime(-600_000)
  fleet.server.dropKey({ namespace: 'found', kind: 'log', partition: partitionOf('c:k') })
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  await fleet.after(a.read('k', 'old'))
  await fleet.clock.advanceAsync(10)
  const replica = fleet.server.snapshot()
  await fleet.after(a.cache.evict('k'))
  fleet.server.restore(replica)
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
  expect(await fleet.after(a.read('k', 'new'))).toBe('new')
})

describe.each(['everywhere', 'here only'] as const)('what was set to be kept %s', (where) => {
  it.each(['tag', 'cache', 'everything'] as const)(
    'is evicted with what it was to replace by an eviction by %s that follows during the first contact, and fails',
    async (how) => {
      const [a, b] = [fleet.startNode({ remote: where === 'everywhere' }), fleet.startNode()]
      await fleet.after(b.cache.set('k', 'old'))
      // The first sync of a finds a history that is not the one of a message it heard, and has to tell the store so.
      fleet.isHeld = (each) =>
        each.node === a.store.node && each.kind === 'reply' && each.operation === 'sync'
      const setting = a.cache.set('k', 'set', { tags: ['t'] })
      await fleet.clock.advanceAsync(0)
      await fleet.after(b.cache.evict('k'))
      fleet.isHeld = (each) =>
        each.node === a.store.node && each.kind === 'request' && each.operation === 'bumpTags'
      for (const arrive of fleet.held.splice(0)) arrive()
      await fleet.clock.advanceAsync(0)
      const evictions = {
        tag: () => a.manager.evictTags(['t']),
        cache: () => a.cache.clear(),
        everything: () => a.manager.clear(),
      }
      const evicting = evictions[how]()
      await fleet.clock.advanceAsync(OVERDUE_MS)
      await Promise.all([setting, evicting])
      const found = a.find('k')
      await fleet.clock.advanceAsync(OVERDUE_MS)
      expect(await found).toBe(undefined)
    },
  )
})
