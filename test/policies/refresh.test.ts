/** `refresh`: a load that began after the call, once for all who ask; on a manual clock and an in-memory store. */

import { type CacheOptions, InvalidOptionError } from '@larder/core'
import type { ManualClock } from '@larder/core/testing'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { deferred } from '../support/eventually.ts'
import { counting, down, MemoryWorld, never } from './memory-world.ts'

type Node = ReturnType<MemoryWorld['startNode']>

let world: MemoryWorld
let clock: ManualClock

beforeEach(() => {
  world = new MemoryWorld('refresh', { maxStaleness: '1m', ttl: '1h' })
  clock = world.clock
})

const settle = (): Promise<void> => clock.advanceAsync(0)
/** Past the poll of who waits for another node. */
const poll = (): Promise<void> => clock.advanceAsync(400)

/** A source that a test opens load by load. */
function gated() {
  const gates: ReturnType<typeof deferred<string>>[] = []
  const load = vi.fn(() => {
    const gate = deferred<string>()
    gates.push(gate)
    return gate.promise
  })
  return { load, gates, open: (i: number, value: string) => gates[i]?.resolve(value) }
}

const TIERS = [
  ['both tiers', {}, {}],
  ['in process', {}, { remote: undefined, codec: undefined }],
  ['the shared tier only', { local: false }, {}],
  ['kept out of the shared tier', { remote: false }, {}],
] as const

describe.each(TIERS)('refresh, %s', (_, policy, options) => {
  const startNode = async (more: CacheOptions = {}) => {
    const node = world.startNode({ ...policy, ...more }, options)
    await node.cache.get('warm-up')
    return node
  }

  it('loads whatever is cached, and what it brings is what is read from then on', async () => {
    const { cache } = await startNode()
    const load = counting()
    await cache.getOrLoad('k', load)
    await settle()
    expect(await cache.refresh('k', load)).toBe('v2')
    expect(await cache.getOrLoad('k', never)).toBe('v2')
    expect(await cache.refresh('new', load)).toBe('v3')
    expect(await cache.get('new')).toBe('v3')
  })

  it('is one load for all who ask at once', async () => {
    const { cache, caches } = await startNode()
    const load = counting()
    const asked = [1, 2, 3].map(() => cache.refresh('k', load))
    expect(await Promise.all(asked)).toEqual(['v1', 'v1', 'v1'])
    expect(caches.stats()).toMatchObject({ loads: 1, joined: 2, misses: 1 })
  })

  it('is not answered by a load that was under way: those who come meanwhile share the next', async () => {
    const { cache } = await startNode()
    const { load, gates, open } = gated()
    const first = cache.refresh('k', load)
    await settle()
    expect(gates).toHaveLength(1)
    const later = [cache.refresh('k', load), cache.refresh('k', load)]
    await settle()
    expect(gates).toHaveLength(1)
    const latest = cache.refresh('k', load)
    open(0, 'old')
    expect(await first).toBe('old')
    await poll()
    expect(gates).toHaveLength(2)
    open(1, 'new')
    expect(await Promise.all([...later, latest])).toEqual(['new', 'new', 'new'])
    expect(await cache.get('k')).toBe('new')
  })

  it('is not answered by the load of a read that was under way', async () => {
    const { cache } = await startNode()
    const { load, gates, open } = gated()
    const reading = cache.getOrLoad('k', load)
    await settle()
    const refreshing = cache.refresh('k', load)
    await settle()
    open(0, 'old')
    expect(await reading).toBe('old')
    await poll()
    expect(gates).toHaveLength(2)
    open(1, 'new')
    expect(await refreshing).toBe('new')
    expect(await cache.getOrLoad('k', never)).toBe('new')
  })

  it('leaves readers what is cached until it is done', async () => {
    const { cache } = await startNode()
    await cache.getOrLoad('k', async () => 'old')
    await settle()
    const { load, open } = gated()
    const refreshing = cache.refresh('k', load)
    await settle()
    expect([await cache.get('k'), await cache.getOrLoad('k', never)]).toEqual(['old', 'old'])
    open(0, 'new')
    expect(await refreshing).toBe('new')
    expect(await cache.getOrLoad('k', never)).toBe('new')
  })

  it('is joined by readers who find nothing', async () => {
    const { cache } = await startNode()
    const { load, open } = gated()
    const refreshing = cache.refresh('k', load)
    await settle()
    const reading = cache.getOrLoad('k', never)
    await settle()
    open(0, 'new')
    expect(await refreshing).toBe('new')
    await poll()
    expect(await reading).toBe('new')
  })

  it.each(['evict', 'tag', 'clear', 'set'] as const)('gives way to %s meanwhile', async (kind) => {
    const { cache } = await startNode()
    const { load, open } = gated()
    const refreshing = cache.refresh('k', load, { tags: ['t'] })
    await settle()
    if (kind === 'evict') await cache.evict('k')
    else if (kind === 'tag') await cache.evictTags(['t'])
    else if (kind === 'clear') await cache.clear()
    else await cache.set('k', 'set')
    open(0, 'loaded')
    expect(await refreshing).toBe('loaded')
    expect(await cache.get('k')).toBe(kind === 'set' ? 'set' : undefined)
  })

  it('that was asked for after an eviction waits for no load from before it', async () => {
    const { cache } = await startNode()
    const { load, gates, open } = gated()
    const first = cache.refresh('k', load)
    await settle()
    await cache.evict('k')
    const second = cache.refresh('k', load)
    open(0, 'old')
    expect(await first).toBe('old')
    await poll()
    expect(gates).toHaveLength(2)
    open(1, 'new')
    expect(await second).toBe('new')
    expect(await cache.get('k')).toBe('new')
  })

  it('that fails leaves what is cached, and says so', async () => {
    const node = await startNode({ cacheErrors: () => '1m', staleIfError: '1h' })
    await node.cache.getOrLoad('k', async () => 'old')
    await settle()
    await expect(node.cache.refresh('k', down)).rejects.toThrow('down')
    expect(await node.cache.getOrLoad('k', never)).toBe('old')
    const { loads } = node.caches.stats()
    await settle()
    expect(await node.cache.getOrLoad('k', never)).toBe('old')
    expect(node.caches.stats().loads).toBe(loads)
    expect(await node.cache.refresh('k', async () => 'new')).toBe('new')
  })

  it('whose result is not to be cached leaves nothing older behind', async () => {
    const { cache } = await startNode()
    await cache.getOrLoad('k', async () => 'old')
    await settle()
    expect(await cache.refresh('k', async () => undefined)).toBeUndefined()
    expect(await cache.get('k')).toBeUndefined()
    await cache.set('k', 'old')
    await cache.refresh('k', async () => 'short', { ttl: 0 })
    expect(await cache.get('k')).toBeUndefined()
  })

  it('goes on past a load that is stuck', async () => {
    const node = await startNode({ leaseWait: '3s' })
    void node.cache.refresh('k', () => new Promise(() => undefined))
    await settle()
    const second = node.cache.refresh('k', async () => 'new')
    await clock.advanceAsync(7_000)
    expect(await second).toBe('new')
  })

  it('gives the loader what it is to replace', async () => {
    const { cache } = await startNode()
    await cache.getOrLoad('k', async () => 'old')
    await settle()
    const load = vi.fn(async ({ previous }: { previous: unknown }) => `after ${previous}`)
    expect(await cache.refresh('k', load)).toBe('after old')
  })

  it('inside a load of the same key runs its own loader', async () => {
    const { cache } = await startNode()
    const load = (): Promise<unknown> => cache.refresh('k', async () => 'inner')
    expect(await cache.refresh('k', load)).toBe('inner')
  })

  it('needs a loader', async () => {
    const { cache } = await startNode()
    await expect(cache.refresh('k', undefined as never)).rejects.toThrow(InvalidOptionError)
  })
})

describe('refresh on several nodes', () => {
  const startNodes = () => [world.startNode(), world.startNode(), world.startNode()] as const

  it('is one load for all who ask at once', async () => {
    const nodes = startNodes()
    for (const { cache } of nodes) await cache.set('k', 'old')
    const { load, gates, open } = gated()
    const asked = nodes.flatMap(({ cache }) => [cache.refresh('k', load), cache.refresh('k', load)])
    await settle()
    open(0, 'new')
    await poll()
    expect(await Promise.all(asked)).toEqual(Array(6).fill('new'))
    expect(gates).toHaveLength(1)
  })

  it('follows a load that another node had begun, and is shared by the others who wait', async () => {
    const [a, b, c] = startNodes()
    const { load, gates, open } = gated()
    const first = a.cache.refresh('k', load)
    await settle()
    const later = [b.cache.refresh('k', load), c.cache.refresh('k', load)]
    await settle()
    expect(gates).toHaveLength(1)
    open(0, 'old')
    await poll()
    expect(gates).toHaveLength(2)
    open(1, 'new')
    await poll()
    expect(await first).toBe('old')
    expect(await Promise.all(later)).toEqual(['new', 'new'])
    expect(gates).toHaveLength(2)
    expect(await a.cache.get('k')).toBe('new')
  })

  it('is not answered by what another node sets, which may have been made before', async () => {
    const [a, b, c] = startNodes()
    const { load, gates, open } = gated()
    void a.cache.refresh('k', load)
    await settle()
    const refreshing = b.cache.refresh('k', load)
    await settle()
    await c.cache.set('k', 'set')
    await poll()
    expect(gates).toHaveLength(2)
    open(1, 'new')
    expect(await refreshing).toBe('new')
  })

  it('is heard of by nodes that hold the old value', async () => {
    const [a, b] = startNodes()
    await a.cache.set('k', 'old')
    expect(await b.cache.get('k')).toBe('old')
    await a.cache.refresh('k', async () => 'new')
    await settle()
    expect(await b.cache.getOrLoad('k', never)).toBe('new')
    // Kept here as well: the message is about this very change.
    const reads = a.store.faults.calls('read')
    expect(await a.cache.getOrLoad('k', never)).toBe('new')
    expect(a.store.faults.calls('read')).toBe(reads)
  })

  it('leaves readers of other nodes the old value until then', async () => {
    const [a, b] = startNodes()
    await a.cache.set('k', 'old')
    const { load, open } = gated()
    const refreshing = a.cache.refresh('k', load)
    await settle()
    expect(await b.cache.getOrLoad('k', never)).toBe('old')
    open(0, 'new')
    await refreshing
  })

  it('does not end the settle window of an eviction', async () => {
    const [a, b] = startNodes()
    await a.cache.evict('k', { settle: '10s' })
    await b.cache.refresh('k', async () => 'maybe old')
    expect(await b.cache.get('k')).toBe('maybe old')
    await clock.advanceAsync(10_001)
    expect(await b.cache.get('k')).toBeUndefined()
  })

  it('gives up a lease it lost to an eviction on another node', async () => {
    const [a, b] = startNodes()
    const { load, open } = gated()
    const refreshing = a.cache.refresh('k', load)
    await settle()
    await b.cache.evict('k')
    open(0, 'old')
    expect(await refreshing).toBe('old')
    expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual([undefined, undefined])
  })

  it('that brings what is too large for the store leaves nothing old with the others', async () => {
    const [a, b] = [1, 2].map(() => world.startNode({ maxValueBytes: 1_000 })) as [Node, Node]
    for (const { cache } of [a, b]) expect(await cache.getOrLoad('k', () => 'old')).toBe('old')
    const value = 'x'.repeat(2_000)
    expect(await a.cache.refresh('k', async () => value)).toBe(value)
    await clock.advanceAsync(1_000)
    for (const { cache } of [a, b]) expect(await cache.getOrLoad('k', () => value)).toBe(value)
  })

  it.each([
    ['the whole time', 'before'],
    ['when the result is stored', 'meanwhile'],
  ])('leaves nothing old behind when the store was away %s', async (_, since) => {
    const [a, b] = startNodes()
    await a.cache.set('k', 'old')
    expect(await b.cache.get('k')).toBe('old')
    if (since === 'before') a.store.faults.fail({})
    const { load, open } = gated()
    const refreshing = a.cache.refresh('k', load)
    await settle()
    if (since === 'meanwhile') a.store.faults.fail({})
    open(0, 'new')
    expect(await refreshing).toBe('new')
    expect(await a.cache.getOrLoad('k', never)).toBe('new')
    a.store.faults.heal()
    await clock.advanceAsync(5 * 60_000)
    for (const { cache } of [a, b]) expect(await cache.getOrLoad('k', () => 'new')).toBe('new')
  })

  it('works while the store is away', async () => {
    const [a] = startNodes()
    await a.cache.set('k', 'old')
    a.store.faults.fail({})
    expect(await a.cache.refresh('k', async () => 'new')).toBe('new')
    expect(await a.cache.getOrLoad('k', never)).toBe('new')
  })
})
