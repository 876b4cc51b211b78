/**
 * `refresh` of what stays local, on nodes that share a store all the same: who asks for it says that the old value is wrong, and
 * the others hold that, too.
 */

import type { CacheOptions } from '@larder/core'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { deferred } from '../support/eventually.ts'
import { counting, MemoryWorld, never } from './memory-world.ts'

type Node = ReturnType<MemoryWorld['startNode']>

const POLICY = { remote: false } as const
/** Longer than any call of the store may take, ms. */
const OVERDUE_MS = 600
/** Several syncs, ms. */
const SYNCED_MS = 3_000

let world: MemoryWorld

beforeEach(() => {
  world = new MemoryWorld('local-refresh', { ttl: '1h', maxStaleness: '2s' })
})

const settle = (): Promise<void> => world.clock.advanceAsync(0)

/** Two nodes that have met the store. */
async function startNodes(policy: CacheOptions = {}) {
  const nodes = [1, 2].map(() => world.startNode({ ...POLICY, ...policy })) as [Node, Node]
  for (const { cache } of nodes) await cache.evict('other')
  await settle()
  return nodes
}

/** The same, and each holds an old value of `k`, for itself. */
async function twoNodes() {
  const [a, b] = await startNodes()
  for (const { cache } of [a, b]) expect(await cache.getOrLoad('k', async () => 'old')).toBe('old')
  await settle()
  return [a, b] as const
}

describe('what is refreshed by a node', () => {
  it('is kept there, and what others hold of it is gone when the refresh has ended', async () => {
    const [a, b] = await twoNodes()
    expect(await a.cache.refresh('k', async () => 'new')).toBe('new')
    await settle()
    expect(await b.cache.get('k')).toBe(undefined)
    expect(await b.cache.getOrLoad('k', async () => 'new')).toBe('new')
    expect(await a.cache.getOrLoad('k', never)).toBe('new')
    // A load that nobody asked to be a refresh tells nobody.
    await settle()
    expect(await a.cache.getOrLoad('k', never)).toBe('new')
  })

  it('is kept also where it is the first that the process does', async () => {
    const a = world.startNode(POLICY)
    expect(await a.cache.refresh('k', async () => 'new')).toBe('new')
    expect(await a.cache.getOrLoad('k', never)).toBe('new')
  })

  it('is not read back by a node whose message was lost, once it has asked', async () => {
    const [a, b] = await twoNodes()
    b.store.disconnect({ only: 'messages', silently: true })
    await a.cache.refresh('k', async () => 'new')
    await world.clock.advanceAsync(SYNCED_MS)
    expect(await b.cache.get('k')).toBe(undefined)
    expect(await a.cache.getOrLoad('k', never)).toBe('new')
  })

  it('is not kept where another node evicted the key while it was loaded', async () => {
    const [a, b] = await twoNodes()
    const gate = deferred<string>()
    const refreshing = a.cache.refresh('k', () => gate.promise)
    await settle()
    await b.cache.evict('k')
    await settle()
    gate.resolve('may be old')
    expect(await refreshing).toBe('may be old')
    expect(await a.cache.get('k')).toBe(undefined)
  })

  it('is not kept where another node evicted the key and this one did not hear of it', async () => {
    const [a, b] = await twoNodes()
    const gate = deferred<string>()
    const refreshing = a.cache.refresh('k', () => gate.promise)
    await settle()
    a.store.disconnect({ only: 'messages', silently: true })
    await b.cache.evict('k')
    gate.resolve('may be old')
    expect(await refreshing).toBe('may be old')
    await settle()
    expect(await a.cache.get('k')).toBe(undefined)
  })

  it('is not kept where the key is evicted while the others are told', async () => {
    const [a] = await twoNodes()
    a.store.faults.delay(100, { on: 'evict', times: 1 })
    const refreshing = a.cache.refresh('k', async () => 'new')
    await settle()
    await a.cache.evict('k')
    await world.clock.advanceAsync(200)
    await refreshing
    expect(await a.cache.get('k')).toBe(undefined)
  })

  it.each(['refuses', 'hangs'] as const)(
    'is kept while the store %s, and the others are told later',
    async (what) => {
      const [a, b] = await twoNodes()
      if (what === 'refuses') a.store.faults.fail({ on: 'evict' })
      else a.store.faults.hang({ on: 'evict' })
      const refreshing = a.cache.refresh('k', async () => 'new')
      await world.clock.advanceAsync(OVERDUE_MS)
      expect(await refreshing).toBe('new')
      expect(await a.cache.getOrLoad('k', never)).toBe('new')
      a.store.faults.heal()
      await world.clock.advanceAsync(SYNCED_MS)
      expect(await b.cache.get('k')).toBe(undefined)
    },
  )

  it('is one eviction for all who asked at once, and one load', async () => {
    const [a] = await twoNodes()
    const evicted = a.store.faults.calls('evict')
    const load = counting()
    await Promise.all([1, 2, 3].map(() => a.cache.refresh('k', load)))
    expect([load.mock.calls.length, a.store.faults.calls('evict') - evicted]).toEqual([1, 1])
  })

  it('replaces what is refreshed after it, and not what was refreshed before', async () => {
    const [a, b] = await twoNodes()
    const gates = [deferred<string>(), deferred<string>()]
    let begun = 0
    const load = (): Promise<string> => gates[begun++]?.promise ?? never()
    const first = a.cache.refresh('k', load)
    await settle()
    const second = a.cache.refresh('k', load)
    await settle()
    gates[0]?.resolve('first')
    await settle()
    gates[1]?.resolve('second')
    expect(await Promise.all([first, second])).toEqual(['first', 'second'])
    expect(await a.cache.getOrLoad('k', never)).toBe('second')
    expect(await b.cache.get('k')).toBe(undefined)
  })
})

it('a refresh that fails tells nobody', async () => {
  const [a, b] = await twoNodes()
  await expect(a.cache.refresh('k', () => Promise.reject(new Error('down')))).rejects.toThrow(
    'down',
  )
  await settle()
  for (const { cache } of [a, b]) expect(await cache.getOrLoad('k', never)).toBe('old')
})

it.each([
  ['behind a stale value', { ttl: '1s', staleWhileRevalidate: '1h' }, 2_000],
  ['ahead of its end', { ttl: '10s', refreshAhead: true }, 9_000],
] as const)(
  'a value that is loaded anew %s tells nobody: its age is no news',
  async (_, policy, afterMs) => {
    // So that a load of half a second is repeated more than a second before the end.
    vi.spyOn(Math, 'random').mockReturnValue(0.9)
    onTestFinished(() => void vi.restoreAllMocks())
    const nodes = await startNodes(policy)
    let loads = 0
    const load = (): Promise<string> => {
      const value = `v${++loads}`
      return new Promise((resolve) => world.clock.schedule(500, () => resolve(value), 'caller'))
    }
    const first = nodes.map(({ cache }) => cache.getOrLoad('k', load))
    await world.clock.advanceAsync(500)
    expect(await Promise.all(first)).toEqual(['v1', 'v2'])
    await world.clock.advanceAsync(afterMs)
    const evicted = nodes.map(({ store }) => store.faults.calls('evict'))
    expect(await nodes[0].cache.getOrLoad('k', load)).toBe('v1')
    await world.clock.advanceAsync(500)
    expect(await nodes[0].cache.get('k')).toBe('v3')
    expect(nodes.map(({ store }) => store.faults.calls('evict'))).toEqual(evicted)
    expect(await nodes[1].cache.get('k')).toBe('v2')
  },
)

it.each(['nobody', 'a read that did not join it'])(
  'others are told of a refresh that a later one has overtaken, also where that fails; between them came %s',
  async (between) => {
    const [a, b] = await startNodes()
    await b.cache.getOrLoad('k', async () => 'old')
    const [early, late] = [deferred<string>(), deferred<string>()]
    const tags = ['t']
    const first = a.cache.refresh('k', () => early.promise, { tags })
    await settle()
    if (between !== 'nobody') {
      await a.caches.evictTags(tags)
      await a.cache.getOrLoad('k', async () => 'read', { tags })
    }
    // The later one waits for the first, but not for ever.
    const failed = expect(a.cache.refresh('k', () => late.promise, { tags })).rejects.toThrow()
    await world.clock.advanceAsync(60_000)
    early.resolve('new')
    expect(await first).toBe('new')
    late.reject(new Error('down'))
    await failed
    await world.clock.advanceAsync(SYNCED_MS)
    expect(await b.cache.getOrLoad('k', async () => 'new')).toBe('new')
  },
)
