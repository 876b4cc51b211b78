/** What becomes of values that were put while the store was away: on a manual clock, each cause by itself. */

import { type CacheEvents, type CacheManager, StoreRefusedError } from '@larder/core'
import { INTERNALS } from '@larder/core/store'
import type { MemoryRemoteStore } from '@larder/core/testing'
import { describe, expect, it } from 'vitest'
import { MemoryWorld, never } from './memory-world.ts'

const world = (): MemoryWorld => new MemoryWorld('away', { ttl: '1h', maxStaleness: '30s' })

function outcomesOf(caches: CacheManager): readonly CacheEvents['put']['outcome'][] {
  const outcomes: CacheEvents['put']['outcome'][] = []
  caches.on('put', ({ outcome }) => outcomes.push(outcome))
  return outcomes
}

/** Two nodes that know the store, and one value in it. */
async function startPair(place = world()) {
  const [a, b] = [place.startNode(), place.startNode()]
  await a.cache.set('k', 'old', { tags: ['t'] })
  await b.cache.get('k')
  await place.clock.advanceAsync(100)
  return { a, b, clock: place.clock, server: place.server, puts: outcomesOf(a.caches) }
}

const waitingOf = (caches: CacheManager): number => caches.status().recoveryQueue.waiting

const WRITES = ['put', 'evict', 'bumpTags'] as const

describe('the life of a value that waited', () => {
  it('counts from when it was put', async () => {
    const { a, b, clock } = await startPair()
    a.store.disconnect()
    await a.cache.set('k', 'new', { ttl: '60s' })
    await clock.advanceAsync(20_000)
    a.store.reconnect()
    await clock.advanceAsync(8_000)
    const found = await b.cache.getEntry('k')
    expect(found?.value).toBe('new')
    expect(found?.freshForMs).toBeLessThanOrEqual(32_000)
    await clock.advanceAsync(32_000)
    expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual([undefined, undefined])
  })

  it('may be over: then the key is evicted', async () => {
    const { a, b, clock, puts } = await startPair()
    a.store.disconnect()
    await a.cache.set('k', 'new', { ttl: '5s' })
    await clock.advanceAsync(6_000)
    expect(await a.cache.get('k')).toBeUndefined()
    a.store.reconnect()
    await clock.advanceAsync(8_000)
    expect(await b.cache.get('k')).toBeUndefined()
    expect(puts).toEqual(['queued', 'not-kept'])
  })

  it('ends here after maxStaleness, as that of whatever cannot be confirmed', async () => {
    const { a, clock } = await startPair()
    a.store.disconnect()
    await a.cache.set('k', 'new')
    await clock.advanceAsync(29_000)
    expect(await a.cache.get('k')).toBe('new')
    await clock.advanceAsync(1_000)
    expect(await a.cache.get('k')).toBeUndefined()
  })
})

it('what was loaded here after it is newer', async () => {
  const { a, b, clock, puts } = await startPair()
  a.store.disconnect()
  await a.cache.set('k', 'waiting')
  await clock.advanceAsync(30_000)
  expect(await a.cache.getOrLoad('k', () => 'loaded')).toBe('loaded')
  a.store.reconnect()
  await clock.advanceAsync(10_000)
  for (const { cache } of [a, b]) expect(await cache.get('k')).not.toBe('waiting')
  expect(puts).toEqual(['queued', 'not-kept'])
})

it('an eviction of another node that a failover lost holds, though the value is sent after that', async () => {
  const { a, b, clock, server } = await startPair()
  const replica = server.snapshot()
  a.store.disconnect()
  await a.cache.set('k', 'waiting')
  await clock.advanceAsync(1_000)
  await b.cache.evict('k')
  await clock.advanceAsync(1_000)
  server.restore(replica)
  // It finds the store as it has left it.
  a.store.reconnect()
  await clock.advanceAsync(1_000)
  b.store.disconnect()
  b.store.reconnect()
  await clock.advanceAsync(20_000)
  for (const { cache } of [a, b]) expect(await cache.get('k')).not.toBe('waiting')
})

it('a value is not sent to a store that has lost what this node knew', async () => {
  const { a, b, clock, server } = await startPair()
  // What a node changed itself it would repeat.
  await clock.advanceAsync(61_000)
  const replica = server.snapshot()
  await b.cache.set('k', 'older')
  await clock.advanceAsync(100)
  a.store.disconnect()
  await a.cache.set('k', 'waiting')
  await b.cache.evict('k')
  // Nobody who knows of the eviction is left.
  b.store.disconnect()
  server.restore(replica)
  a.store.reconnect()
  await clock.advanceAsync(20_000)
  expect(await a.cache.get('k')).toBeUndefined()
})

it('a store that takes evictions and no values gets the eviction', async () => {
  const { a, b, clock, puts } = await startPair()
  a.store.faults.fail({ on: 'put' }, new StoreRefusedError('put', 'full', 'OOM'))
  await a.cache.set('k', 'new')
  await clock.advanceAsync(8_000)
  expect([waitingOf(a.caches), a.caches.status().coherence.state]).toEqual([0, 'verified'])
  expect(puts).toEqual(['queued', 'not-kept'])
  expect(await b.cache.get('k')).toBeUndefined()
})

it.each(['full', 'not-durable', 'replicas'] as const)(
  'a store that takes nothing new (%s) is read from as before, also by a node without a local tier',
  async (reason) => {
    const place = world()
    const [a, b] = [place.startNode({ local: false }), place.startNode()]
    await a.cache.get('other')
    await b.cache.set('early', 'value')
    const refusal = new StoreRefusedError('a write', reason, 'OOM')
    a.store.faults.fail({ on: ['put', 'claim', 'fill', 'swap'] }, refusal)
    const breaker = a.seen('breaker')
    const names = Array.from({ length: 10 }, (_, i) => `k${i}`)
    await Promise.all(names.map((key) => a.cache.set(key, 'value')))
    expect(await a.cache.get('early')).toBe('value')
    const loaded = names.map((key) => a.cache.getOrLoad(`of ${key}`, async () => 'loaded'))
    expect(new Set(await Promise.all(loaded))).toEqual(new Set(['loaded']))
    expect(await a.cache.get('early')).toBe('value')
    expect(breaker).toEqual([])
  },
)

it('a value goes on waiting while the store takes neither it nor its eviction', async () => {
  const { a, b, clock, puts } = await startPair()
  const refusal = new StoreRefusedError('a write', 'readonly', 'READONLY')
  a.store.faults.fail({ on: [...WRITES] }, refusal)
  await a.cache.set('k', 'new')
  await clock.advanceAsync(20_000)
  expect([puts, waitingOf(a.caches)]).toEqual([['queued'], 1])
  // Who hears that the key is in doubt does not serve what it holds.
  expect(await b.cache.get('k')).toBeUndefined()
  a.store.faults.heal()
  await clock.advanceAsync(8_000)
  expect(puts).toEqual(['queued', 'stored'])
  expect(await b.cache.getOrLoad('k', never)).toBe('new')
})

describe('a key that another node could not evict', () => {
  /** The other node says what it cannot tell the store. */
  async function doubt(store: MemoryRemoteStore, evict: () => Promise<unknown>): Promise<void> {
    store.faults.fail({ on: [...WRITES] })
    await evict()
  }

  it('is not put with what was set before', async () => {
    const { a, b, clock, puts } = await startPair()
    a.store.faults.fail({ on: [...WRITES] })
    await a.cache.set('k', 'waiting')
    await doubt(b.store, () => b.cache.evict('k'))
    await clock.advanceAsync(100)
    expect(await a.cache.get('k')).toBeUndefined()
    expect(puts).toEqual(['queued', 'not-kept'])
    a.store.faults.heal()
    await clock.advanceAsync(8_000)
    expect(await a.cache.get('k')).toBeUndefined()
  })

  it('lets no value wait', async () => {
    const { a, b, clock, puts } = await startPair()
    await doubt(b.store, () => b.cache.evict('k'))
    await clock.advanceAsync(100)
    a.store.faults.fail({ on: [...WRITES] })
    await a.cache.set('k', 'new')
    expect(puts).toEqual(['not-kept'])
  })
})

describe('what does not fit', () => {
  it.each([
    ['in bytes', 'x'.repeat(900_000), 20],
    ['in number', 'x', 1_001],
  ])('%s is an eviction, and that is said', async (_, value, count) => {
    const { a, b, clock, puts } = await startPair()
    await b.cache.set(`k${count - 1}`, 'old')
    a.store.disconnect()
    for (let n = 0; n < count; n++) await a.cache.set(`k${n}`, value)
    expect(puts.filter((outcome) => outcome === 'queued').length).toBeGreaterThan(0)
    expect(puts.at(-1)).toBe('not-kept')
    a.store.reconnect()
    await clock.advanceAsync(8_000)
    expect(await b.cache.get(`k${count - 1}`)).toBeUndefined()
    expect(await b.cache.get('k0')).toBe(value)
  })
})

it('a store that numbers nothing cannot fence a value: the key is evicted', async () => {
  const place = world()
  const [store, other] = [place.server.store(), place.server.store()]
  const capabilities = { ...store.capabilities, sequences: false }
  const a = place.startNode({}, { remote: Object.assign(store, { capabilities }) })
  const b = place.startNode({}, { remote: other })
  const puts = outcomesOf(a.caches)
  await a.cache.set('k', 'old')
  expect(await b.cache.get('k')).toBe('old')
  store.disconnect()
  await a.cache.set('k', 'new')
  expect(await a.cache.get('k')).toBeUndefined()
  store.reconnect()
  await place.clock.advanceAsync(30_000)
  expect(await b.cache.get('k')).toBeUndefined()
  expect(puts).toEqual(['stored', 'not-kept'])
})

it('a window that was asked for before holds when the value is refused', async () => {
  const { a, b, clock } = await startPair()
  a.store.disconnect()
  await a.cache.evict('k', { settle: '60s' })
  await a.cache.set('k', 'waiting')
  await b.cache.set('k', 'newer')
  a.store.reconnect()
  await clock.advanceAsync(8_000)
  // What is loaded in the window is not kept longer than it lasts.
  expect(await b.cache.getOrLoad('k', () => 'loaded')).toBe('loaded')
  await clock.advanceAsync(60_000)
  expect(await b.cache.getOrLoad('k', () => 'loaded again')).toBe('loaded again')
})

it('a method that puts is overtaken by what another node did while it ran', async () => {
  const { a, b, clock } = await startPair()
  const method = a.caches[INTERNALS].methodCache({
    method: 'Away.put',
    cacheName: 'c',
    options: {},
    where: 'away',
  })
  const begun = await method.begin()
  await b.cache.evict('k')
  a.store.disconnect()
  await method.put('k', 'waiting', { mode: 'normal', tags: [] }, begun)
  expect(await a.cache.get('k')).not.toBe('waiting')
  a.store.reconnect()
  await clock.advanceAsync(8_000)
  for (const { cache } of [a, b]) expect(await cache.get('k')).toBeUndefined()
})

it('a value that was dropped while the store was asked about it is not sent', async () => {
  const { a, b, clock, puts } = await startPair()
  a.store.disconnect()
  await a.cache.set('k', 'waiting')
  a.store.reconnect()
  a.store.faults.hang({ on: 'readHeaders', times: 1 })
  for (let i = 0; i < 200 && a.store.faults.calls('readHeaders') === 0; i++) {
    await clock.advanceAsync(10)
  }
  const before = a.store.faults.calls('put')
  a.store.faults.fail({ on: 'evict', times: 1 })
  await a.cache.evict('k')
  a.store.faults.heal()
  await clock.advanceAsync(8_000)
  expect(a.store.faults.calls('put')).toBe(before)
  expect(puts).toEqual(['queued', 'not-kept'])
  for (const { cache } of [a, b]) expect(await cache.get('k')).toBeUndefined()
})

describe('what waits for the store', () => {
  it.each<[string, (node: ReturnType<MemoryWorld['startNode']>) => Promise<unknown>]>([
    ['an eviction', ({ cache }) => cache.evict('k')],
    ['a soft eviction', ({ cache }) => cache.evict('k', { soft: true })],
    ['an eviction by tag', ({ caches }) => caches.evictTags(['t'])],
    ['an eviction of a cache', ({ cache }) => cache.clear()],
    ['a put', ({ cache }) => cache.set('k', 'new')],
  ])(
    'is no failure of a background task, each time that the store is asked: %s',
    async (_, act) => {
      const world = new MemoryWorld('away')
      const node = world.startNode()
      await node.cache.set('k', 'v', { tags: ['t'] })
      const failures = node.seen('background-error')
      node.store.disconnect()
      await world.clock.advanceAsync(1_000)
      await act(node)
      await world.clock.advanceAsync(60_000)
      expect(failures).toEqual([])
      node.store.reconnect()
      await world.clock.advanceAsync(60_000)
      expect([failures, waitingOf(node.caches)]).toEqual([[], 0])
    },
  )
})
