/** What a node evicted itself does not come back to it, whatever its store forgot. */

import { partitionOf } from '@larder/core/store'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { Fleet, MAX_STALENESS_MS } from './fleet.ts'

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
