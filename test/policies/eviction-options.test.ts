/** Every option of an eviction on every way to evict, made of the table that the ways themselves are checked by. */

import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  type CacheOptions,
  cached,
  type EvictOptions,
  InvalidOptionError,
} from '@larder/core'
import type { ManualClock } from '@larder/core/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { EVICT_OPTIONS, type EvictWay } from '../../packages/core/src/options/evict-options.ts'
import { MemoryWorld } from './memory-world.ts'

type Node = ReturnType<MemoryWorld['startNode']>

const WINDOW_MS = 3_000
const POLICY: CacheOptions = { ttl: '10m', staleIfError: '1h', jitter: 0, maxStaleness: '300ms' }

let world: MemoryWorld
let clock: ManualClock

beforeEach(() => {
  world = new MemoryWorld('eviction-options')
  ;({ clock } = world)
})

const settle = (): Promise<void> => clock.advanceAsync(0)

const TIERS: Readonly<Record<string, () => Node[]>> = {
  'a shared cache': () => [world.startNode(POLICY), world.startNode(POLICY)],
  'a cache that stays local': () => {
    const policy = { ...POLICY, remote: false }
    return [world.startNode(policy), world.startNode(policy)]
  },
  'this process alone': () => {
    const node = world.startNode(POLICY, { remote: undefined, codec: undefined })
    return [node]
  },
}

/** Nodes that hear of each other, as in processes that have run for a while. */
async function started(start: () => Node[]): Promise<Node[]> {
  const nodes = start()
  for (const { cache } of nodes) await cache.getOrLoad('other', () => 1)
  await clock.advanceAsync(1_000)
  return nodes
}

/** How the ways that take options evict `k`, which has the tag `t`, on a node. */
const WAYS = {
  'cache.evict': ({ cache }, options) => cache.evict('k', options),
  'cache.evictMany': ({ cache }, options) => cache.evictMany(['k', 'l'], options),
  '@CacheEvict.key': (node, options) => decorated(node, { key: () => 'k', ...options }),
  '@CacheEvict.keys': (node, options) => decorated(node, { keys: () => ['k'], ...options }),
  'cache.evictTags': ({ cache }, options) => cache.evictTags(['t'], options),
  'cache.evictPattern': async ({ cache }, options) => {
    for await (const _ of cache.evictPattern('?', options));
  },
  'cache.clear': ({ cache }, options) => cache.clear(options),
  'manager.evictTags': ({ caches }, options) => caches.evictTags(['t', 'u'], options),
  'manager.clear': ({ caches }, options) => caches.clear(options),
  '@CacheEvict.tags': (node, options) => decorated(node, { tags: ['t'], ...options }),
  '@CacheEvict.all': (node, options) => decorated(node, { all: true, ...options }),
} as const satisfies Partial<
  Record<EvictWay, (node: Node, options: EvictOptions) => Promise<unknown>>
>

const TAGGED = { tags: ['t'] }

function takes(way: string, option: keyof EvictOptions): boolean {
  return EVICT_OPTIONS[way as EvictWay].some((name) => name === option)
}

function decorated({ caches }: Node, options: object): Promise<unknown> {
  @CacheConfig({ cache: 'c', manager: () => caches })
  class Items {
    @CacheEvict(options as { key: () => string })
    async change(): Promise<void> {}
  }
  return new Items().change()
}

it('every way that takes options is tried', () => {
  const taking = Object.entries(EVICT_OPTIONS).filter(([, names]) => names.length > 0)
  expect(Object.keys(WAYS).toSorted()).toEqual(taking.map(([way]) => way).toSorted())
})

describe.each(Object.entries(TIERS))('in %s', (tiers, start) => {
  describe.each(Object.entries(WAYS))('by %s', (way, evict) => {
    const takesWindow = takes(way, 'settle')
    describe.each(['at once', 'after the store was away'] as const)('%s', (when) => {
      const isAway = when !== 'at once'

      /** Evicts on a; where the store is away, that has reached it when this resolves. */
      async function evictOn(a: Node, options: EvictOptions): Promise<void> {
        if (isAway && tiers !== 'this process alone')
          for (const on of ['evict', 'bumpTags'] as const) a.store.faults.fail({ on, times: 1 })
        await evict(a, options)
        await clock.advanceAsync(isAway ? 1_000 : 0)
      }

      if (takesWindow) {
        it.each([false, true])(
          'settle (soft: %s): what is loaded in the window does not outlive it',
          async (soft) => {
            const nodes = await started(start)
            const [a] = nodes as [Node]
            let row = 'OLD'
            const read = ({ cache }: Node) => cache.getOrLoad('k', () => row)
            for (const node of nodes) expect(await read(node)).toBe('OLD')
            await settle()
            await evictOn(a, { soft, settle: WINDOW_MS })
            // The other node first: it learns of the window, too.
            for (const node of nodes.toReversed()) expect(await read(node)).toBe('OLD')
            row = 'NEW'
            await clock.advanceAsync(WINDOW_MS)
            for (const node of nodes.toReversed()) expect(await read(node)).toBe('NEW')
            await clock.advanceAsync(60_000)
            for (const node of nodes.toReversed()) expect(await read(node)).toBe('NEW')
          },
        )
      }

      it.each(takesWindow ? [undefined, WINDOW_MS] : [undefined])(
        'soft (settle: %s): the value is there when loads fail, and only then',
        async (ms) => {
          const nodes = await started(start)
          const [a] = nodes as [Node]
          const down = (): Promise<never> => Promise.reject(new Error('down'))
          for (const { cache } of nodes) await cache.getOrLoad('k', () => 'OLD', TAGGED)
          await settle()
          await evictOn(a, { soft: true, ...(ms === undefined ? {} : { settle: ms }) })
          for (const { cache } of nodes) {
            expect(await cache.get('k')).toBeUndefined()
            expect(await cache.getOrLoad('k', down, TAGGED)).toBe('OLD')
          }
          await clock.advanceAsync(1_000)
          for (const { cache } of nodes)
            expect(await cache.getOrLoad('k', () => 'NEW', TAGGED)).toBe('NEW')
          await settle()
          for (const { cache } of nodes) expect(await cache.get('k')).toBe('NEW')
        },
      )

      it('neither: the value is gone', async () => {
        const nodes = await started(start)
        const [a] = nodes as [Node]
        for (const { cache } of nodes) await cache.getOrLoad('k', () => 'OLD', TAGGED)
        await settle()
        await evictOn(a, {})
        const down = (): Promise<never> => Promise.reject(new Error('down'))
        for (const { cache } of nodes)
          await expect(cache.getOrLoad('k', down)).rejects.toThrow('down')
      })
    })
  })

  it('a window that ends later is not shortened by an eviction that asks for less, or softly', async () => {
    for (const later of [{}, { soft: true }, { settle: 10 }, { soft: true, settle: 10 }]) {
      const nodes = await started(start)
      const [a] = nodes as [Node]
      await a.cache.set('k', 'first')
      await a.cache.evict('k', { soft: true, settle: WINDOW_MS })
      await a.cache.evict('k', later)
      await settle()
      for (const { cache } of nodes.toReversed())
        expect(await cache.getOrLoad('k', () => 'OLD')).toBe('OLD')
      await clock.advanceAsync(WINDOW_MS)
      for (const { cache } of nodes.toReversed())
        expect(await cache.getOrLoad('k', () => 'NEW')).toBe('NEW')
    }
  })
})

it('a soft eviction tries the source at once, although the last load has just failed', async () => {
  const { cache } = world.startNode(POLICY, { remote: undefined, codec: undefined })
  await cache.set('k', 'OLD', { ttl: '1s' })
  await clock.advanceAsync(1_000)
  expect(await cache.getOrLoad('k', () => Promise.reject(new Error('down')))).toBe('OLD')
  await cache.evict('k', { soft: true })
  expect(await cache.getOrLoad('k', () => 'NEW')).toBe('NEW')
})

describe('what a way does not take is refused', () => {
  const WINDOWLESS = Object.entries(WAYS).filter(([way]) => !takes(way, 'settle'))

  it.each(WINDOWLESS)('a window by %s', async (_, evict) => {
    const node = world.startNode()
    for (const options of [{ settle: 1_000 }, { settle: 0 }, { soft: true, settle: '1s' }]) {
      const eviction = (async () => evict(node, options as EvictOptions))()
      await expect(eviction).rejects.toThrow(/settle.*key/)
      await expect(eviction).rejects.toThrow(InvalidOptionError)
    }
  })

  it.each(Object.entries(WAYS))('what is no option by %s', async (way, evict) => {
    const node = world.startNode()
    const loose: unknown[] = [{ soft: 'yes' }, { settle: 'soon' }, { softly: true }]
    // A decorator has its options in one object.
    if (!way.startsWith('@')) loose.push('soft', null, true, () => undefined)
    for (const options of loose) {
      const eviction = (async () => evict(node, options as EvictOptions))()
      await expect(eviction, JSON.stringify(options)).rejects.toThrow(InvalidOptionError)
    }
  })
})

it('cached().evict reaches every @Cacheable of a method', async () => {
  const { caches } = world.startNode()
  let runs = 0
  @CacheConfig({ manager: () => caches })
  class Items {
    @Cacheable({ cache: 'outer', key: (id: string) => id })
    @Cacheable({ cache: 'inner', key: (id: string) => id })
    async find(id: string): Promise<string> {
      runs += 1
      return `${id}${runs}`
    }
  }
  const items = new Items()
  expect(await items.find('a')).toBe('a1')
  await settle()
  await cached(items, 'find').evict('a')
  expect(await items.find('a')).toBe('a2')
})
