/** What the simulation found where a store goes back in time, each as the shortest history that shows it. */

import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { deferred } from '../../support/eventually.ts'
import { Fleet, keysOfOnePartition, MAX_STALENESS_MS } from './fleet.ts'

let fleet: Fleet

beforeEach(() => {
  fleet = new Fleet()
  onTestFinished(() => fleet.close())
})

it('an eviction whose repetition after a failover fails is repeated again', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.read('k', 'old'))
  const replica = fleet.server.snapshot()
  await fleet.after(a.cache.evict('k'))
  fleet.server.restore(replica)
  a.store.faults.fail({ on: 'evict', times: 1 })
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})

it('an eviction that waited in the recovery queue is repeated after a failover', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.read('k', 'old'))
  const replica = fleet.server.snapshot()
  a.store.faults.fail({ on: 'put', times: 1 })
  await fleet.after(a.cache.set('k', 'put'))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  fleet.server.restore(replica)
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})

it('tags whose invalidation a failover lost are invalid again, also if the tag clock has moved on', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.read('k', 'old'))
  await fleet.after(b.find('other'))
  const replica = fleet.server.snapshot()
  await fleet.after(a.manager.evictTags(['t']))
  fleet.server.restore(replica)
  await fleet.after(b.manager.evictTags(['u']))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  const late = fleet.startNode()
  expect(await fleet.after(late.read('k', 'new'))).toBe('new')
})

it('a tag evicted after a failover also reaches what was born by a step of the tag clock that was lost, and minted ahead', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.find('other'))
  await fleet.after(b.find('other'))
  const replica = fleet.server.snapshot()
  for (const { store } of [a, b]) store.disconnect({ only: 'messages', silently: true })
  fleet.isHeld = (each) =>
    each.node === a.store.node && each.kind === 'request' && each.operation === 'tagsSince'
  await fleet.after(b.manager.evictTags(['unheard']))
  fleet.server.shiftTime(1_000)
  const evicting = a.manager.evictTags(['lost'])
  await fleet.clock.advanceAsync(0)
  fleet.server.shiftTime(-1_000)
  fleet.server.restore(replica)
  await fleet.after(a.cache.set('k', 'old', { tags: ['t'] }))
  await fleet.after(b.manager.evictTags(['t']))
  fleet.isHeld = () => false
  for (const arrive of fleet.held) arrive()
  await fleet.after(evicting)
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await fleet.after(a.read('k', 'new'))).toBe('new')
})

it('an eviction is repeated after a failover that went back to where its node still stood', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  const [first, second] = keysOfOnePartition()
  await fleet.after(a.read(first, 'old'))
  await fleet.after(b.find(first))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  const replica = fleet.server.snapshot()
  // b misses the first of two changes, and the log that would tell it: it stands before both.
  b.store.disconnect({ only: 'messages', silently: true })
  await fleet.after(a.cache.evict(second))
  b.store.faults.fail({ on: 'changesSince', times: 1 })
  await fleet.after(b.cache.evict(first))
  fleet.server.restore(replica)
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  const late = fleet.startNode()
  expect(await fleet.after(late.read(first, 'new'))).toBe('new')
})

it('an eviction from before its node knew anything is repeated after a failover', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.read('k', 'old'))
  const replica = fleet.server.snapshot()
  b.store.faults.fail({ on: 'sync', times: 1 })
  await fleet.after(b.cache.evict('k'))
  fleet.server.restore(replica)
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  const late = fleet.startNode()
  expect(await fleet.after(late.read('k', 'new'))).toBe('new')
})

it('an eviction is repeated after a failover, also if what followed closes the gap it left', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  const [first, second, third] = keysOfOnePartition()
  await fleet.after(a.read(first, 'old'))
  await fleet.after(b.find(first))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  const replica = fleet.server.snapshot()
  fleet.isHeld = (delivery) => delivery.kind === 'message' && delivery.node === b.store.node
  await fleet.after(a.cache.evict(second))
  fleet.isHeld = () => false
  b.store.faults.fail({ on: 'changesSince' })
  await fleet.after(b.cache.evict(first))
  fleet.server.restore(replica)
  b.store.faults.heal()
  await fleet.after(a.cache.evict(third))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  const late = fleet.startNode()
  expect(await fleet.after(late.read(first, 'new'))).toBe('new')
})

it('who did not hear of an eviction that a failover lost has no old copy, also if something newer was stored since', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.read('k', 'old'))
  await fleet.after(b.read('k', 'unused'))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  const replica = fleet.server.snapshot()
  fleet.isHeld = (delivery) => delivery.kind === 'message' && delivery.node === b.store.node
  await fleet.after(a.cache.evict('k'))
  fleet.isHeld = () => false
  fleet.server.restore(replica)
  await fleet.clock.advanceAsync(10)
  expect(await fleet.after(a.read('k', 'newer'))).toBe('newer')
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await fleet.after(b.read('k', 'unused'))).toBe('newer')
})

it.each(['another node', 'the evicting node'])(
  'a load of %s, whose lease a failover brings back, is evicted once more',
  async (whose) => {
    const [a, b] = [fleet.startNode(), fleet.startNode()]
    let finish: (value: string) => void = () => undefined
    const source = new Promise<string>((resolve) => {
      finish = resolve
    })
    await fleet.after(b.find('other'))
    const reading = a.readBy('k', () => source)
    await fleet.clock.advanceAsync(10)
    const replica = fleet.server.snapshot()
    await fleet.after((whose === 'another node' ? b : a).cache.evict('k'))
    await fleet.clock.advanceAsync(10)
    fleet.server.restore(replica)
    finish('old')
    await fleet.after(reading)
    await fleet.clock.advanceAsync(MAX_STALENESS_MS)
    const late = fleet.startNode()
    expect(await fleet.after(late.read('k', 'new'))).toBe('new')
  },
)

it('a refresh whose node heard of an eviction that a failover then lost is not kept, although its lease came back', async () => {
  const [a, b, c] = [fleet.startNode(), fleet.startNode(), fleet.startNode()]
  await fleet.after(a.cache.set('k', 'old'))
  await fleet.after(b.find('k'))
  await fleet.after(c.find('k'))
  const slow = deferred<string>()
  const refreshing = a.cache.refresh('k', () => slow.promise)
  await fleet.clock.advanceAsync(0)
  const replica = fleet.server.snapshot()
  await fleet.after(c.cache.evict('k'))
  // Nobody is left to repeat it.
  c.store.disconnect()
  fleet.server.restore(replica)
  for (const { store } of [a, b]) {
    store.disconnect()
    store.reconnect()
  }
  await fleet.clock.advanceAsync(0)
  slow.resolve('made before the eviction')
  expect(await fleet.after(refreshing)).toBe('made before the eviction')
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})
