/** Soft evictions by tag and by cache: what they leave, what they end, and how they get on with hard ones. */

import type { Cache } from '@larder/core'
import type { ManualClock } from '@larder/core/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { deferred } from '../support/eventually.ts'
import { counting, down, MemoryWorld, never } from './memory-world.ts'

type Node = ReturnType<MemoryWorld['startNode']>

const POLICY = { ttl: '10m', staleIfError: '1h', maxStaleness: '1s' } as const
const MAX_STALENESS_MS = 1_000
const TAGGED = { tags: ['t'] }
const SOFT = { soft: true }

let world: MemoryWorld
let clock: ManualClock

beforeEach(() => {
  world = new MemoryWorld('soft-evictions', POLICY)
  ;({ clock } = world)
})

const settle = (): Promise<void> => clock.advanceAsync(0)

/** Softly evicts `k`, which has the tag `t`. */
const WAYS: Readonly<Record<string, (node: Node) => Promise<void>>> = {
  'its tag': ({ cache }) => cache.evictTags(['t'], SOFT),
  'its cache': ({ cache }) => cache.clear(SOFT),
  everything: ({ caches }) => caches.clear(SOFT),
}

const TIERS: Readonly<Record<string, () => Node[]>> = {
  'a shared cache': () => [world.startNode(), world.startNode()],
  'a cache that stays local': () => [
    world.startNode({ remote: false }),
    world.startNode({ remote: false }),
  ],
  'this process alone': () => [world.startNode({}, { remote: undefined, codec: undefined })],
}

async function started(start: () => Node[]): Promise<readonly [Node, ...Node[]]> {
  const nodes = start() as [Node, ...Node[]]
  for (const { cache } of nodes) await cache.getOrLoad('other', () => 1)
  await clock.advanceAsync(MAX_STALENESS_MS)
  return nodes
}

const read = ({ cache }: { cache: Cache<unknown> }, load: () => unknown, key = 'k') =>
  cache.getOrLoad(key, load, TAGGED)

async function held(nodes: readonly Node[], value = 'OLD'): Promise<void> {
  for (const node of nodes) expect(await read(node, () => value)).toBe(value)
  await settle()
}

describe.each(Object.entries(TIERS))('in %s', (_, start) => {
  describe.each(Object.entries(WAYS))('by %s', (_, evict) => {
    it('what is loaded afterwards is fresh', async () => {
      const nodes = await started(start)
      await held(nodes)
      await evict(nodes[0])
      await settle()
      for (const node of nodes) expect(await read(node, () => 'NEW')).toBe('NEW')
      await settle()
      for (const node of nodes) expect(await read(node, never)).toBe('NEW')
      await clock.advanceAsync(2 * MAX_STALENESS_MS)
      for (const node of nodes) expect(await read(node, never)).toBe('NEW')
    })

    it('a load that was under way reaches its caller, and is fresh for nobody', async () => {
      const nodes = await started(start)
      const loading = nodes.at(-1) as Node
      const gate = deferred<string>()
      const first = read(loading, () => gate.promise)
      await settle()
      await evict(nodes[0])
      await settle()
      // Nobody joins it, neither while it runs nor while its result is on its way to the store.
      const joining = read(loading, () => 'NEW')
      await settle()
      gate.resolve('OLD')
      await settle()
      expect(await first).toBe('OLD')
      await clock.advanceAsync(10_000)
      expect(await joining).toBe('NEW')
      for (const node of nodes) expect(await read(node, () => 'NEW')).toBe('NEW')
    })

    it('a hard eviction wins, before it or after it', async () => {
      for (const isFirst of [true, false]) {
        const nodes = await started(start)
        await held(nodes)
        if (!isFirst) await evict(nodes[0])
        await nodes[0].cache.evictTags(['t'])
        if (isFirst) await evict(nodes[0])
        await settle()
        for (const node of nodes) await expect(read(node, down)).rejects.toThrow('down')
      }
    })

    it('another one tries the source at once, although the last load has just failed', async () => {
      const [node] = await started(start)
      await held([node])
      await evict(node)
      expect(await read(node, down)).toBe('OLD')
      const load = counting()
      expect([await read(node, load), load.mock.calls.length]).toEqual(['OLD', 0])
      await evict(node)
      expect(await read(node, () => 'NEW')).toBe('NEW')
    })

    it('one of something else does not', async () => {
      const [node] = await started(start)
      await held([node])
      await evict(node)
      expect(await read(node, down)).toBe('OLD')
      await node.cache.evictTags(['u'], SOFT)
      await node.cache.evictTags(['v'])
      const load = counting()
      expect([await read(node, load), load.mock.calls.length]).toEqual(['OLD', 0])
      await clock.advanceAsync(1_000)
      expect(await read(node, load)).toBe('v1')
    })

    it('one that comes while a load fails is not taken for one that the load knew of', async () => {
      const [node] = await started(start)
      await held([node])
      await evict(node)
      const gate = deferred<string>()
      const failing = read(node, () => gate.promise)
      await settle()
      await evict(node)
      // Looked at, so that it has been judged since.
      expect(await node.cache.get('k')).toBeUndefined()
      gate.reject(new Error('down'))
      await failing.catch(() => undefined)
      expect(await read(node, () => 'NEW')).toBe('NEW')
    })

    it('what has no value is loaded anew, and is nothing to fall back on', async () => {
      const [node] = await started(() => [world.startNode({ negativeTtl: '1m' })])
      expect(await read(node, () => null)).toBe(null)
      await settle()
      await evict(node)
      await expect(read(node, down)).rejects.toThrow('down')
      expect(await read(node, () => 1)).toBe(1)
    })

    it('what was evicted is gone when its life ends', async () => {
      const nodes = await started(start)
      await held(nodes)
      await evict(nodes[0])
      await clock.advanceAsync(70 * 60_000)
      for (const node of nodes) await expect(read(node, down)).rejects.toThrow('down')
    })
  })
})

it('with softTimeout, readers have the old value soon, and the load goes on', async () => {
  const node = world.startNode({ softTimeout: '50ms' })
  await held([node])
  await node.cache.evictTags(['t'], SOFT)
  const gate = deferred<string>()
  const reading = read(node, () => gate.promise)
  await clock.advanceAsync(50)
  expect(await reading).toBe('OLD')
  gate.resolve('NEW')
  await settle()
  expect(await read(node, never)).toBe('NEW')
})

it('all nodes together load once, and the old value is not fresh for any meanwhile', async () => {
  const nodes = [world.startNode(), world.startNode(), world.startNode()]
  await held(nodes)
  await nodes[0]?.cache.evictTags(['t'], SOFT)
  await settle()
  const load = counting()
  const reads = nodes.map((node) => read(node, load))
  await clock.advanceAsync(1_000)
  expect([await Promise.all(reads), load.mock.calls.length]).toEqual([['v1', 'v1', 'v1'], 1])
})

it('reaches entries of every cache, and nothing without the tag', async () => {
  const node = world.startNode()
  const other = { cache: node.caches.cache<unknown>('d') }
  for (const at of [node, other]) {
    await read(at, () => 'OLD')
    await at.cache.set('untagged', 'kept')
  }
  await settle()
  await node.caches.evictTags(['t'], SOFT)
  for (const at of [node, other]) {
    expect(await read(at, () => 'NEW')).toBe('NEW')
    expect(await at.cache.get('untagged')).toBe('kept')
  }
  await node.cache.clear(SOFT)
  expect(await node.cache.get('untagged')).toBeUndefined()
  expect(await other.cache.get('untagged')).toBe('kept')
})

it.each(['~t', '\\~t', '\\t', '*', '@c', '%7'])('the tag %s is taken for no other', async (tag) => {
  const { cache } = world.startNode()
  const write = async (): Promise<void> => {
    await cache.set('plain', 1, { tags: ['t'] })
    await cache.set('odd', 2, { tags: [tag] })
  }
  await write()
  await cache.evictTags(['t'], SOFT)
  expect([await cache.get('plain'), await cache.get('odd')]).toEqual([undefined, 2])
  await write()
  await cache.evictTags([tag], SOFT)
  expect([await cache.get('plain'), await cache.get('odd')]).toEqual([1, undefined])
  await write()
  await cache.evictTags([tag])
  expect([await cache.get('plain'), await cache.get('odd')]).toEqual([1, undefined])
})

it('the event of it on other nodes names the tags', async () => {
  const [a, b] = [world.startNode(), world.startNode()]
  await held([a, b])
  const invalidated = b.seen('invalidate')
  await a.cache.evictTags(['t', '*'], SOFT)
  await settle()
  expect(invalidated).toEqual([{ keys: [], tags: ['t', '\\*'] }])
})

describe('in a unit of work', () => {
  it('it waits for the end, and what was asked for both ways is evicted the harder way', async () => {
    const { caches, cache } = world.startNode()
    await cache.set('soft', 'OLD', { tags: ['s'] })
    await cache.set('hard', 'OLD', { tags: ['h'] })
    await caches.deferEvictions(async () => {
      await cache.evictTags(['s'], SOFT)
      await cache.evictTags(['h'])
      await cache.evictTags(['h'], SOFT)
    })
    expect(await cache.get('soft')).toBeUndefined()
    expect(await cache.getOrLoad('soft', down)).toBe('OLD')
    await expect(cache.getOrLoad('hard', down)).rejects.toThrow('down')
  })

  it.each([[SOFT], [{}]])('a whole cache with %j', async (options) => {
    const { caches, cache } = world.startNode()
    await cache.set('k', 'OLD')
    await caches.deferEvictions(async () => {
      await cache.clear(SOFT)
      await cache.clear(options)
      await cache.clear(SOFT)
    })
    expect(await cache.get('k')).toBeUndefined()
    const reading = cache.getOrLoad('k', down).catch(() => 'gone')
    expect(await reading).toBe('soft' in options ? 'OLD' : 'gone')
  })
})

describe('what was missed is noticed', () => {
  it('by a node whose messages are lost, within maxStaleness', async () => {
    const [a, b] = [world.startNode(), world.startNode()]
    await held([a, b])
    await clock.advanceAsync(MAX_STALENESS_MS)
    b.store.disconnect({ only: 'messages', silently: true })
    await a.cache.evictTags(['t'], SOFT)
    await clock.advanceAsync(MAX_STALENESS_MS)
    expect(await b.cache.get('k')).toBeUndefined()
    expect(await read(b, down)).toBe('OLD')
  })

  it('by a node that starts later', async () => {
    const a = world.startNode()
    await held([a])
    await a.cache.evictTags(['t'], SOFT)
    const later = world.startNode()
    expect(await later.cache.get('k')).toBeUndefined()
    expect(await read(later, down)).toBe('OLD')
    await clock.advanceAsync(1_000)
    expect(await read(later, () => 'NEW')).toBe('NEW')
  })

  it('by all, where a failover has lost it', async () => {
    const [a, b] = [world.startNode(), world.startNode()]
    await held([a, b])
    await clock.advanceAsync(MAX_STALENESS_MS)
    const before = world.server.snapshot()
    await a.cache.evictTags(['t'], SOFT)
    await settle()
    world.server.restore(before)
    await clock.advanceAsync(2 * MAX_STALENESS_MS)
    const later = world.startNode()
    for (const node of [b, later]) {
      expect(await node.cache.get('k')).toBeUndefined()
      expect(await read(node, down)).toBe('OLD')
    }
  })

  it('by others, while the store refuses to be told', async () => {
    const [a, b] = [world.startNode(), world.startNode()]
    await held([a, b])
    a.store.faults.fail({ on: 'bumpTags' })
    await a.cache.evictTags(['t'], SOFT)
    await settle()
    for (const node of [a, b]) {
      expect(await node.cache.get('k')).toBeUndefined()
      expect(await read(node, down)).toBe('OLD')
    }
    a.store.faults.heal()
    await clock.advanceAsync(2 * MAX_STALENESS_MS)
    for (const node of [a, b]) expect(await read(node, () => 'NEW')).toBe('NEW')
  })
})
