/** What a refresh meets: reads that began before it and end after it, answers that cannot be read, refreshes of other nodes. */

import { partitionOf } from '@larder/core/store'
import { beforeEach, describe, expect, it } from 'vitest'
import { deferred } from '../support/eventually.ts'
import { MemoryWorld } from './memory-world.ts'

/** Longer than any call of the store may take, ms. */
const OVERDUE_MS = 600
const K = { partition: partitionOf('c:k'), key: 'c:k' }

let world: MemoryWorld

beforeEach(() => {
  world = new MemoryWorld('refresh-races', { ttl: '1h', maxStaleness: '1m' })
})

const settle = (): Promise<void> => world.clock.advanceAsync(0)

describe.each([
  ['both tiers', {}],
  ['kept out of the shared tier', { remote: false }],
] as const)('%s', (_, policy) => {
  const startNode = async () => {
    const node = world.startNode(policy)
    await node.cache.evict('other')
    await settle()
    return node
  }

  it.each(['answers', 'is away', 'is away from then on'])(
    'a load that began before a refresh does not replace its result, where the store %s',
    async (store) => {
      const node = await startNode()
      const { cache } = node
      if (store === 'is away') node.store.faults.fail({})
      const gate = deferred<string>()
      const reading = cache.getOrLoad('k', () => gate.promise)
      await settle()
      if (store === 'is away from then on') node.store.faults.fail({})
      const refreshing = cache.refresh('k', async () => 'new')
      await world.clock.advanceAsync(OVERDUE_MS)
      gate.resolve('old')
      await world.clock.advanceAsync(OVERDUE_MS)
      expect(await Promise.all([reading, refreshing])).toEqual(['old', 'new'])
      expect(await cache.getOrLoad('k', async () => 'new')).toBe('new')
    },
  )
})

it('an entry that was there before does not answer a refresh, also where the first look at it could not be read', async () => {
  const [a, b] = [world.startNode({ local: false }), world.startNode()]
  await b.cache.getOrLoad('k', async () => 'old')
  await a.cache.get('other')
  await settle()
  a.store.faults.corrupt(() => Buffer.from('garbage'), { on: 'read', times: 1 })
  expect(await a.cache.refresh('k', async () => 'new')).toBe('new')
  expect(await a.cache.get('k')).toBe('new')
})

it('of two nodes that refresh what stays with them, nobody keeps what was loaded before the later one asked', async () => {
  const [a, b] = [1, 2].map(() => world.startNode({ remote: false }))
  if (a === undefined || b === undefined) throw new Error('Two nodes were started')
  for (const { cache } of [a, b]) await cache.evict('other')
  const [early, late] = [deferred<string>(), deferred<string>()]
  const first = b.cache.refresh('k', () => early.promise)
  await settle()
  const second = a.cache.refresh('k', () => late.promise)
  await settle()
  early.resolve('old')
  await settle()
  late.resolve('new')
  await settle()
  expect(await Promise.all([first, second])).toEqual(['old', 'new'])
  for (const { cache } of [a, b]) expect(await cache.getOrLoad('k', async () => 'new')).toBe('new')
})

it('of two refreshes without the store, the later one is kept', async () => {
  const node = world.startNode()
  await node.cache.evict('other')
  node.store.faults.fail({ on: 'claim' })
  const [early, late] = [deferred<string>(), deferred<string>()]
  const first = node.cache.refresh('k', () => early.promise)
  await settle()
  // The first is over before the second has begun to load.
  node.store.faults.delay(50, { on: 'read', times: 1 })
  const second = node.cache.refresh('k', () => late.promise)
  await settle()
  early.resolve('old')
  await world.clock.advanceAsync(50)
  late.resolve('new')
  await settle()
  expect(await Promise.all([first, second])).toEqual(['old', 'new'])
  expect(await node.cache.getOrLoad('k', async () => 'new')).toBe('new')
})

it('what another node loads after a miss does not answer a refresh: it tells nobody who holds an older value', async () => {
  const [a, b, holder] = [world.startNode(), world.startNode(), world.startNode()]
  for (const { cache } of [a, b]) await cache.get('other')
  expect(await holder.cache.getOrLoad('k', async () => 'old')).toBe('old')
  await settle()
  world.server.dropKey({ namespace: world.namespace, kind: 'entry', ...K })
  // Between the look of the refresh and its claim, another node begins to load.
  a.store.faults.delay(50, { on: 'claim', times: 1 })
  const refreshing = a.cache.refresh('k', async () => 'new')
  await settle()
  const gate = deferred<string>()
  const missing = b.cache.getOrLoad('k', () => gate.promise)
  await settle()
  await world.clock.advanceAsync(50)
  gate.resolve('new')
  await world.clock.advanceAsync(OVERDUE_MS)
  expect(await Promise.all([refreshing, missing])).toEqual(['new', 'new'])
  expect(await holder.cache.getOrLoad('k', async () => 'new')).toBe('new')
})

it('a refresh that another node’s refresh has overtaken, and that the store then refuses, leaves nothing old', async () => {
  const [a, b] = [world.startNode(), world.startNode()]
  for (const { cache } of [a, b]) await cache.get('other')
  const [early, late] = [deferred<string>(), deferred<string>()]
  const first = b.cache.refresh('k', () => early.promise)
  await settle()
  // Asked for while the first one loads; its claim waits for that.
  const second = a.cache.refresh('k', () => late.promise)
  await settle()
  early.resolve('old')
  await world.clock.advanceAsync(OVERDUE_MS)
  a.store.faults.fail({ on: 'put' })
  late.resolve('new')
  await settle()
  expect(await Promise.all([first, second])).toEqual(['old', 'new'])
  expect(await a.cache.getOrLoad('k', async () => 'new')).toBe('new')
  a.store.faults.heal()
  await world.clock.advanceAsync(5_000)
  for (const { cache } of [a, b]) expect(await cache.getOrLoad('k', async () => 'new')).toBe('new')
})

it('a refresh that gives way to a soft eviction of its node leaves nothing old, also not for failed loads', async () => {
  const { cache } = world.startNode({ staleIfError: '1h' })
  await cache.getOrLoad('k', async () => 'old')
  const gate = deferred<string>()
  const refreshing = cache.refresh('k', () => gate.promise)
  await settle()
  const evicting = cache.evict('k', { soft: true })
  gate.resolve('new')
  await settle()
  await evicting
  expect(await refreshing).toBe('new')
  await expect(cache.getOrLoad('k', () => Promise.reject(new Error('down')))).rejects.toThrow(
    'down',
  )
})

it.each(['loads nothing new', 'ends before it'])(
  'a refresh that has lost its lease leaves nothing old: a later one %s',
  async (later) => {
    const [a, b] = [world.startNode(), world.startNode()]
    for (const { cache } of [a, b]) await cache.getOrLoad('k', async () => 'old')
    const gate = deferred<string>()
    const refreshing = a.cache.refresh('k', () => gate.promise)
    await settle()
    world.server.dropKey({ namespace: world.namespace, kind: 'entry', ...K })
    if (later === 'ends before it') {
      const failing = a.cache.refresh('k', () => Promise.reject(new Error('down')))
      const failed = expect(failing).rejects.toThrow('down')
      await world.clock.advanceAsync(OVERDUE_MS)
      await failed
    }
    gate.resolve('new')
    await world.clock.advanceAsync(OVERDUE_MS)
    expect(await refreshing).toBe('new')
    for (const { cache } of [a, b])
      expect(await cache.getOrLoad('k', async () => 'new')).toBe('new')
  },
)

it.each([
  ['stays local', { remote: false }],
  ['is too large for the store', { maxValueBytes: 1_000 }],
  ['is refused by the store', {}],
] as const)(
  'a refresh that a later read did not join, because a tag was evicted meanwhile, leaves nothing old: its result %s',
  async (what, policy) => {
    const [a, b] = [world.startNode(policy), world.startNode(policy)]
    for (const { cache } of [a, b]) await cache.evict('other')
    expect(await b.cache.getOrLoad('k', async () => 'old')).toBe('old')
    await settle()
    world.server.dropKey({ namespace: world.namespace, kind: 'entry', ...K })
    const [value, tags] = ['new'.repeat(1_000), ['t']]
    const gate = deferred<string>()
    const refreshing = a.cache.refresh('k', () => gate.promise, { tags })
    await settle()
    await a.caches.evictTags(tags)
    const reading = a.cache.getOrLoad('k', async () => 'read', { tags })
    await settle()
    if (what === 'is refused by the store') a.store.faults.fail({ on: 'put', times: 1 })
    gate.resolve(value)
    await world.clock.advanceAsync(OVERDUE_MS)
    expect(await refreshing).toBe(value)
    await reading
    await world.clock.advanceAsync(5_000)
    expect(await b.cache.getOrLoad('k', async () => 'newest')).not.toBe('old')
  },
)

it.each([
  ['evict', undefined],
  ['set', 'set'],
] as const)(
  'a refresh that gives way to %s of its own node is not over before that is',
  async (how, found) => {
    const node = world.startNode()
    const { cache, store } = node
    await cache.set('k', 'old')
    const gate = deferred<string>()
    const refreshing = cache.refresh('k', () => gate.promise)
    await settle()
    const operation = how === 'evict' ? 'evict' : 'put'
    store.faults.delay(OVERDUE_MS / 4, { on: operation, times: 1 })
    store.faults.fail({ on: how === 'evict' ? 'put' : 'renew', times: 1 })
    const changing = how === 'evict' ? cache.evict('k') : cache.set('k', 'set')
    gate.resolve('new')
    let isOver = false
    void refreshing.then(() => {
      isOver = true
    })
    await settle()
    expect(isOver).toBe(false)
    await world.clock.advanceAsync(OVERDUE_MS)
    await changing
    expect([await refreshing, await cache.get('k')]).toEqual(['new', found])
  },
)

it.each(['the shared tier is away', 'the value stays here'])(
  'of two refreshes, the one that ends first leaves nothing from before it: %s',
  async (where) => {
    const node = world.startNode(where === 'the value stays here' ? { remote: false } : {})
    const { cache, store } = node
    await cache.evict('other')
    if (where === 'the shared tier is away') store.faults.fail({})
    const old = cache.getOrLoad('k', async () => 'old')
    await world.clock.advanceAsync(OVERDUE_MS)
    expect(await old).toBe('old')
    const [early, late] = [deferred<string>(), deferred<string>()]
    const first = cache.refresh('k', () => early.promise)
    await world.clock.advanceAsync(OVERDUE_MS)
    const second = cache.refresh('k', () => late.promise)
    // What stays here waits for the first one, but not for ever.
    await world.clock.advanceAsync(where === 'the value stays here' ? 60_000 : OVERDUE_MS)
    early.resolve('new')
    expect(await first).toBe('new')
    expect(await cache.get('k')).not.toBe('old')
    late.resolve('newest')
    await world.clock.advanceAsync(OVERDUE_MS)
    expect(await second).toBe('newest')
  },
)
