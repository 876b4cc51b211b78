/** What the simulation found in reads, loads and puts, each as the shortest history that shows it. */

import { partitionOf } from '@larder/core/store'
import { garble } from '@larder/core/testing'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { deferred } from '../../support/eventually.ts'
import { Fleet, MAX_STALENESS_MS } from './fleet.ts'

let fleet: Fleet

beforeEach(() => {
  fleet = new Fleet()
  onTestFinished(() => fleet.close())
})

it('a claim that is answered with bytes that are no entry does not keep its caller waiting', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.read('k', 'value'))
  b.store.faults.corrupt(garble, { on: ['read', 'claim'] })
  expect(await fleet.after(b.read('k', 'value again'))).toBe('value again')
})

it('nodes that revalidate the same stale entry load it once', async () => {
  const policy = { ttl: '1s', staleWhileRevalidate: '10s' } as const
  const nodes = [fleet.startNode(policy), fleet.startNode(policy), fleet.startNode(policy)] as const
  for (const node of nodes) await fleet.after(node.read('k', 'old'))
  await fleet.clock.advanceAsync(1_500)
  const load = vi.fn(async () => 'new')
  for (const node of nodes) expect(await fleet.after(node.readBy('k', load))).toBe('old')
  await fleet.clock.advanceAsync(100)
  for (const node of nodes) expect(await fleet.after(node.readBy('k', load))).toBe('new')
  expect(load).toHaveBeenCalledTimes(1)
})

it('what cannot be judged by a recent tag clock is not served, whether the store holds it or not', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.read('k', 'old'))
  await fleet.after(b.find('other'))
  b.store.disconnect({ only: 'messages', silently: true })
  b.store.faults.fail({ on: 'sync' })
  await fleet.after(a.manager.evictTags(['t']))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  expect(await fleet.after(b.find('k'))).toBeUndefined()
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})

it('an entry read from the store is trusted no longer than the tag clock it was judged by', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.read('k', 'old'))
  await fleet.after(b.find('other'))
  b.store.disconnect({ only: 'messages', silently: true })
  b.store.faults.fail({ on: 'sync' })
  await fleet.after(a.manager.evictTags(['t']))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS * 0.5)
  expect(await fleet.after(b.read('k', 'new'))).toBe('old')
  await fleet.clock.advanceAsync(MAX_STALENESS_MS * 0.5)
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})

it.each([
  ['is an error', 0, undefined],
  ['falls back on the entry', '1h', 'old'],
] as const)(
  'a failed load of a node that can verify nothing %s with staleIfError %s',
  async (_, staleIfError, expected) => {
    const [a, b] = [fleet.startNode({ staleIfError }), fleet.startNode({ staleIfError })]
    await fleet.after(b.read('k', 'old'))
    b.store.disconnect()
    await fleet.after(a.cache.evict('k'))
    await fleet.clock.advanceAsync(MAX_STALENESS_MS)
    const read = fleet.after(b.readBy('k', () => Promise.reject(new Error('no source'))))
    if (expected === undefined) await expect(read).rejects.toThrow('no source')
    else expect(await read).toBe(expected)
  },
)

it('nobody joins a load that could not be told of an eviction for maxStaleness', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(b.find('other'))
  const slow = deferred<string>()
  const first = b.readBy('k', () => slow.promise)
  await fleet.clock.advanceAsync(0)
  b.store.disconnect()
  await fleet.after(a.cache.evict('k'))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  const second = b.read('k', 'new')
  await fleet.clock.advanceAsync(0)
  slow.resolve('old')
  expect(await fleet.after(first)).toBe('old')
  expect(await fleet.after(second)).toBe('new')
  expect(await fleet.after(b.read('k', 'newer'))).toBe('new')
})

it('a load that a refresh has overtaken is not kept', async () => {
  const a = fleet.startNode({ remote: false })
  await fleet.after(a.find('other'))
  const slow = deferred<string>()
  const first = a.readBy('k', () => slow.promise)
  await fleet.clock.advanceAsync(0)
  const refresh = { mode: 'refresh', tags: [] } as const
  await fleet.after(a.method.getOrLoad('k', { load: async () => 'refreshed' }, refresh))
  await fleet.after(a.cache.evict('k'))
  slow.resolve('old')
  expect(await fleet.after(first)).toBe('old')
  expect(await fleet.after(a.read('k', 'new'))).toBe('new')
})

it('tags invalidated on a node that lags behind are invalid there at once, also if the store refuses', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(b.find('other'))
  b.store.disconnect({ only: 'messages', silently: true })
  await fleet.after(a.manager.evictTags(['u']))
  // Not in the millisecond of a sync, where it would not be clear which came first.
  await fleet.clock.advanceAsync(1)
  await fleet.after(a.read('k', 'old'))
  expect(await fleet.after(b.read('k', 'new'))).toBe('old')
  b.store.faults.fail({ on: 'bumpTags' })
  await fleet.after(b.manager.evictTags(['t']))
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})

it('a sync that was under way when an invalidation failed confirms nothing', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(b.find('other'))
  b.store.disconnect({ only: 'messages', silently: true })
  await fleet.after(a.manager.evictTags(['u']))
  await fleet.after(a.read('k', 'old'))
  fleet.isHeld = (delivery) => delivery.kind === 'reply' && delivery.operation === 'sync'
  while (fleet.held.length < 2) await fleet.clock.advanceAsync(100)
  b.store.faults.fail({ on: 'bumpTags' })
  await fleet.after(b.manager.evictTags(['t']))
  fleet.isHeld = () => false
  for (const arrive of fleet.held) arrive()
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})

it('a put that began before its node knew the partition does not overtake an eviction', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  fleet.tamperWithSync(b.store, (reply) => ({ ...reply, heads: reply.heads.map(() => undefined) }))
  await fleet.after(b.find('other'))
  const begun = await b.method.begin()
  await fleet.after(a.cache.evict('k'))
  await fleet.after(b.method.put('k', 'old', { mode: 'normal', tags: [] }, begun))
  expect(await fleet.after(a.read('k', 'new'))).toBe('new')
})

it('what a tag invalidated does not stand in for a load that failed', async () => {
  const [a, b] = [fleet.startNode({ staleIfError: '1h' }), fleet.startNode({ staleIfError: '1h' })]
  await fleet.after(b.read('k', 'old'))
  b.store.disconnect({ only: 'messages', silently: true })
  const sync = fleet.tamperWithSync(b.store, (reply) => ({ ...reply, tags: undefined }))
  await fleet.after(a.manager.evictTags(['t']))
  await fleet.clock.advanceAsync(MAX_STALENESS_MS)
  sync.mockRestore()
  const read = fleet.after(b.readBy('k', () => Promise.reject(new Error('no source'))))
  await expect(read).rejects.toThrow('no source')
})

it('a put that began before an eviction that still waits in the recovery queue evicts', async () => {
  const a = fleet.startNode()
  await fleet.after(a.find('other'))
  const begun = await a.method.begin()
  a.store.faults.fail({ on: 'evict', times: 1 })
  await fleet.after(a.cache.evict('k'))
  await fleet.after(a.method.put('k', 'old', { mode: 'normal', tags: [] }, begun))
  expect(await fleet.after(a.read('k', 'new'))).toBe('new')
})

it('a reader who has found the old entry does not keep it in the place of what a refresh fills in a settle window', async () => {
  const [a, b] = [fleet.startNode(), fleet.startNode()]
  await fleet.after(a.cache.evict('k', { settle: '1h' }))
  await fleet.clock.advanceAsync(10)
  await fleet.after(b.read('k', 'old'))
  const slow = deferred<string>()
  const refreshing = a.cache.refresh('k', () => slow.promise)
  await fleet.clock.advanceAsync(0)
  fleet.isHeld = (each) => each.kind === 'reply' && each.operation === 'read'
  const reading = a.readBy('k', () => Promise.reject(new Error('must not load')))
  await fleet.clock.advanceAsync(0)
  slow.resolve('new')
  await fleet.clock.advanceAsync(0)
  for (const arrive of fleet.held.splice(0)) arrive()
  expect(await fleet.after(Promise.all([reading, refreshing]))).toEqual(['old', 'new'])
  expect(await fleet.after(a.find('k'))).toBe('new')
})

it.each(['the store lost a log', 'its machine slept'] as const)(
  'a refresh tells the others also where %s, which its node noticed after the look',
  async (what) => {
    const [a, b] = [fleet.startNode(), fleet.startNode()]
    for (const node of [a, b]) await fleet.after(node.find('other'))
    await fleet.after(b.read('k', 'old'))
    const slow = deferred<string>()
    const refreshing = a.cache.refresh('k', () => slow.promise)
    await fleet.clock.advanceAsync(0)
    const log = { namespace: 'found', kind: 'log', partition: partitionOf('c:k') } as const
    if (what === 'its machine slept') fleet.clock.sleep(10_000)
    else fleet.server.dropKey(log)
    for (const { store } of [b, a]) {
      store.disconnect()
      store.reconnect()
      await fleet.clock.advanceAsync(0)
      expect(await fleet.after(b.read('k', 'old'))).toBe('old')
    }
    slow.resolve('new')
    expect(await fleet.after(refreshing)).toBe('new')
    for (const node of [a, b]) expect(await fleet.after(node.read('k', 'new'))).toBe('new')
  },
)

it('a node that learns of a settle window from the store keeps nothing past it that it loads without the store', async () => {
  const a = fleet.startNode()
  await fleet.after(a.cache.evict('k', { settle: '10s' }))
  const b = fleet.startNode()
  await fleet.after(b.find('k'))
  b.store.faults.fail({ on: 'claim' })
  expect(await fleet.after(b.read('k', 'maybe old'))).toBe('maybe old')
  b.store.faults.heal()
  for (let i = 0; i < 10; i++) await fleet.clock.advanceAsync(1_001)
  expect(await fleet.after(b.read('k', 'new'))).toBe('new')
})
