/** A server whose clock is set back. */

import { partitionOf } from '@larder/core/store'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { Fleet, keysOfOnePartition, MAX_STALENESS_MS } from './fleet.ts'

const SET_BACK_MS = 600_000
/** Longer than nodes remember what they evicted, ms. */
const LONG_MS = 130_000

let fleet: Fleet

beforeEach(() => {
  fleet = new Fleet()
  onTestFinished(() => fleet.close())
})

it('an eviction is repeated after a failover, also if the clock was set back between entry and eviction', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.read('k', 'old'))
  await fleet.after(b.find('other'))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  fleet.server.shiftTime(-SET_BACK_MS)
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  const replica = fleet.server.snapshot()
  await fleet.after(a.cache.evict('k'))
  fleet.server.restore(replica)
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})

it('an eviction is heard of, also if its number is minted after a failover that lost one, by a clock that is behind', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  const [first, second] = keysOfOnePartition()
  await fleet.after(a.find(first))
  await fleet.after(b.find(first))
  await fleet.after(a.cache.evict(first))
  fleet.server.shiftTime(-SET_BACK_MS)
  const replica = fleet.server.snapshot()
  await fleet.after(a.cache.evict(first))
  await fleet.after(b.read(second, 'old'))
  fleet.server.restore(replica)
  await fleet.after(a.cache.evict(second))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await fleet.after(b.read(second, 'new'))).toBe('new')
})

it('a tag invalidation counts for what was born before a tag clock was lost, also if it began anew behind that', async () => {
  const a = fleet.startNode()
  await fleet.after(a.read('k', 'old'))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  loseTagClock()
  const b = fleet.startNode()
  await fleet.after(b.manager.evictTags(['t']))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await fleet.after(a.read('k', 'new'))).toBe('new')
  const late = fleet.startNode()
  expect(await fleet.after(late.find('k'))).toBe('new')
})

it('the same where the clock has gone past what was born before, when that is noticed', async () => {
  const a = fleet.startNode()
  await fleet.after(a.read('k', 'old'))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  fleet.server.shiftTime(-1_000 - MAX_STALENESS_MS)
  fleet.server.dropKey({ namespace: 'found', kind: 'tags' })
  const b = fleet.startNode()
  await fleet.after(b.manager.evictTags(['t']))
  fleet.server.shiftTime(SET_BACK_MS)
  await fleet.after(b.manager.evictTags(['u']))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await fleet.after(a.read('k', 'new'))).toBe('new')
})

it('a node that joins after a tag clock was lost does not read what it invalidated, born above the one it knows', async () => {
  const a = fleet.startNode()
  await fleet.after(a.read('k', 'old'))
  loseTagClock()
  const b = fleet.startNode()
  await fleet.after(b.manager.evictTags(['t']))
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})

it('a node that finds the tag clock behind does not read what it invalidated, born above it', async () => {
  const a = fleet.startNode()
  await fleet.after(a.find('other'))
  loseTagClock()
  const b = fleet.startNode()
  await fleet.after(b.find('other'))
  await fleet.clock.advanceAsync(10)
  await fleet.after(a.read('k', 'old'))
  loseTagClock()
  await fleet.after(b.manager.evictTags(['t']))
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})

it('nor what was written above it in the very millisecond in which its sync was answered', async () => {
  const a = fleet.startNode()
  await fleet.after(a.find('other'))
  loseTagClock()
  const b = fleet.startNode()
  await fleet.after(b.find('other'))
  await fleet.after(a.read('k', 'old'))
  await fleet.after(b.manager.evictTags(['t']))
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})

it('a partition whose history was lost is invalidated, also if it was so before, by a clock that was ahead', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  const [key] = keysOfOnePartition()
  await fleet.after(b.find(key))
  await loseAfterLong(() => fleet.after(a.cache.evict(key)))
  fleet.server.shiftTime(-SET_BACK_MS)
  fleet.server.dropKey({ namespace: 'found', kind: 'log', partition: partitionOf(`c:${key}`) })
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  await fleet.after(a.read(key, 'old'))
  await loseAfterLong(() => fleet.after(a.cache.evict(key)))
  const late = fleet.startNode()
  expect(await fleet.after(late.read(key, 'new'))).toBe('new')
})

it('an eviction is repeated by a node that never knew the clock as it was when the entry was written', async () => {
  const a = fleet.startNode()
  await fleet.after(a.read('k', 'old'))
  fleet.server.shiftTime(-SET_BACK_MS)
  const b = fleet.startNode()
  await fleet.after(b.find('other'))
  const replica = fleet.server.snapshot()
  await fleet.after(b.cache.evict('k'))
  fleet.server.restore(replica)
  expect(await fleet.after(b.find('k'))).toBe(undefined)
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  const late = fleet.startNode()
  expect(await fleet.after(late.read('k', 'new'))).toBe('new')
})

it('an eviction is repeated also if the clock has caught up since it was set back', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(b.find('other'))
  await fleet.after(a.read('k', 'old'))
  fleet.server.shiftTime(-10_000)
  const replica = fleet.server.snapshot()
  await fleet.after(b.cache.evict('k'))
  await fleet.clock.advanceAsync(20_000)
  fleet.server.restore(replica)
  expect(await fleet.after(b.find('k'))).toBe(undefined)
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  const late = fleet.startNode()
  expect(await fleet.after(late.read('k', 'new'))).toBe('new')
})

it.each(['evict', 'set', 'put', 'refresh'] as const)(
  'what is changed by %s in a history begun anew is not forgotten when the old one comes back at once',
  async (how) => {
    const [a, b] = [fleet.startNode(), fleet.startNode()]
    await fleet.after(a.read('k', 'old'))
    await fleet.after(b.read('k', 'unused'))
    await fleet.clock.advanceAsync(MAX_STALENESS_MS)
    const replica = fleet.server.snapshot()
    fleet.server.shiftTime(-SET_BACK_MS)
    fleet.server.flush()
    const call = { mode: 'normal', tags: [] } as const
    const refresh = { mode: 'refresh', tags: [] } as const
    if (how === 'evict') await fleet.after(a.cache.evict('k'))
    if (how === 'set') await fleet.after(a.cache.set('k', 'new'))
    if (how === 'put') await fleet.after(a.method.put('k', 'new', call, await a.method.begin()))
    if (how === 'refresh')
      await fleet.after(a.method.getOrLoad('k', { load: async () => 'new' }, refresh))
    fleet.server.restore(replica)
    await fleet.clock.advanceAsync(2 * MAX_STALENESS_MS)
    const late = fleet.startNode()
    for (const node of [a, b, late]) {
      expect(await fleet.after(node.read('k', 'new'))).toBe('new')
    }
  },
)

it('an entry outlives its ttl by as much as the clock was set back, and no more', async () => {
  const policy = { ttl: '10s' } as const
  const a = fleet.startNode(policy)
  await fleet.after(a.read('k', 'old'))
  await fleet.clock.advanceAsync(1_000)
  fleet.server.shiftTime(-5_000)
  const b = fleet.startNode(policy)
  await fleet.clock.advanceAsync(13_000)
  expect(await fleet.after(b.read('k', 'new'))).toBe('old')
  expect(await fleet.after(a.read('k', 'new'))).toBe('old')
  await fleet.clock.advanceAsync(1_001)
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
  expect(await fleet.after(a.read('k', 'newer'))).toBe('new')
})

function loseTagClock(): void {
  fleet.server.shiftTime(-SET_BACK_MS)
  fleet.server.dropKey({ namespace: 'found', kind: 'tags' })
}

/** Loses a change in a failover, when nodes no longer repeat it by themselves. */
async function loseAfterLong(change: () => Promise<unknown>): Promise<void> {
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  const replica = fleet.server.snapshot()
  await change()
  await fleet.clock.advanceAsync(LONG_MS)
  fleet.server.restore(replica)
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
}
