/** A local hit is one look-up by what the method was called with; whatever happens to an entry, that way ends with it. */

import {
  type Cache,
  Cacheable,
  CacheConfig,
  type CacheManager,
  cached,
  createCacheManager,
} from '@larder/core'
import type { LocalStore } from '@larder/core/store'
import { faultyLocalStore, ManualClock, MemoryServer } from '@larder/core/testing'
import { adaptiveStore, lruStore } from '@larder/local-store'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { closeNodes, memoryNode } from '../support/memory-node.ts'

/** Entries that fit. */
const MOST = 10

let clock: ManualClock
let caches: CacheManager
/** Keys that the local store was asked for. */
let asked: string[]
let tenant: string

function watched(store: LocalStore): LocalStore {
  const get = store.get.bind(store)
  store.get = (key) => {
    asked.push(key)
    return get(key)
  }
  return store
}

function start(local: LocalStore, defaults = {}): void {
  caches = createCacheManager({
    namespace: 'hits',
    local: watched(local),
    clock,
    default: false,
    defaults: { ttl: '10s', jitter: 0, refreshAhead: false, ...defaults },
  })
  onTestFinished(() => closeNodes(clock, [caches]))
}

beforeEach(() => {
  clock = new ManualClock()
  asked = []
  tenant = 'a'
  start(lruStore({ maxEntries: MOST }))
})

@CacheConfig({ manager: () => caches, cache: 'things', shareWithSubclasses: true })
class Things {
  loads = 0

  @Cacheable({ key: (id: string) => id, tags: ['all'] })
  async byKey(id: string): Promise<string> {
    this.loads += 1
    return `${id} ${this.loads}`
  }

  @Cacheable({ tags: ['all'] })
  async byArgument(id: string | number): Promise<string> {
    this.loads += 1
    return `${typeof id} ${this.loads}`
  }
}

/** Things that come from elsewhere. */
class Others extends Things {
  override loads = 100
}

const METHODS = ['byKey', 'byArgument'] as const
type Method = (typeof METHODS)[number]

/** The key in its cache. */
function keyOf(method: Method, id = 'x'): string {
  return cached(new Things(), method).key(id).slice('things:'.length)
}

const things = (): Cache<string> => caches.cache<string>('things')

/** Everything after which an entry that was hit may not be handed out again. */
const ENDS: Readonly<Record<string, (method: Method) => unknown>> = {
  'was evicted': (method) => cached(new Things(), method).evict('x'),
  'was evicted by a tag': () => caches.evictTags(['all']),
  'went with its cache': () => things().clear(),
  'went with the namespace': () => caches.clear(),
  'was replaced': (method) => cached(new Things(), method).set(['x'], 'another'),
  'was replaced by a load': (method) => cached(new Others(), method).refresh('x'),
  'was dropped for room': async () => {
    for (let i = 0; i < MOST; i++) await things().set(`other ${i}`, 'v')
    for (let i = 0; i < MOST; i++) await things().set(`another ${i}`, 'v')
  },
  'has expired': () => clock.advanceAsync(10_000),
}

/** Every way of calling, in every store that asks about use. */
const WAYS = [lruStore, adaptiveStore].flatMap((makeStore) =>
  METHODS.map((method) => ({ method, makeStore, store: makeStore.name })),
)

describe.each(WAYS)('a hit of $method in $store', ({ method, makeStore }) => {
  beforeEach(() => start(makeStore({ maxEntries: MOST })))

  it('asks the store for the first one only', async () => {
    const service = new Things()
    for (let i = 0; i < 3; i++) await service[method]('x')
    const before = asked.length
    for (let i = 0; i < 5; i++) expect(await service[method]('x')).toMatch(/ 1$/)
    expect(asked).toHaveLength(before)
    expect(caches.stats().localHits).toBe(7)
    expect(caches.stats().byMethod[`Things.${method}`]?.localHits).toBe(7)
  })

  it('asks again for the first one after the entry was replaced', async () => {
    const service = new Things()
    for (let i = 0; i < 3; i++) await service[method]('x')
    await cached(service, method).refresh('x')
    for (let i = 0; i < 3; i++) await service[method]('x')
    const before = asked.length
    for (let i = 0; i < 5; i++) expect(await service[method]('x')).toMatch(/ 2$/)
    expect(asked).toHaveLength(before)
  })

  it.each(Object.keys(ENDS))('is none of an entry that %s', async (end) => {
    const service = new Things()
    for (let i = 0; i < 3; i++) await service[method]('x')
    await ENDS[end]?.(method)
    expect(await service[method]('x')).not.toMatch(/ 1$/)
  })

  it('is none of an entry that was evicted softly, once it has been loaded anew', async () => {
    const service = new Things()
    for (let i = 0; i < 3; i++) await service[method]('x')
    await caches.evictTags(['all'], { soft: true })
    expect(await service[method]('x')).toMatch(/ 2$/)
    for (let i = 0; i < 3; i++) await service[method]('x')
    await things().clear({ soft: true })
    expect(await service[method]('x')).toMatch(/ 3$/)
  })

  it('is none of an entry that another node has evicted', async () => {
    const server = new MemoryServer({ clock })
    const [here, there] = [1, 2].map(
      () =>
        memoryNode(
          { namespace: 'hits', clock, server },
          { defaults: { ttl: '10s', jitter: 0, refreshAhead: false } },
        ).caches,
    ) as [CacheManager, CacheManager]
    onTestFinished(() => closeNodes(clock, [here, there]))
    caches = here
    const service = new Things()
    for (let i = 0; i < 3; i++) {
      await service[method]('x')
      await clock.advanceAsync(0)
    }
    const reads = here.stats().localHits
    expect(await service[method]('x')).toMatch(/ 1$/)
    expect(here.stats().localHits).toBe(reads + 1)
    caches = there
    await cached(new Things(), method).evict('x')
    caches = here
    await clock.advanceAsync(0)
    expect(await service[method]('x')).toMatch(/ 2$/)
  })

  it('is told to who listens, and comes at once to who does not any more', async () => {
    const service = new Things()
    for (let i = 0; i < 3; i++) await service[method]('x')
    const keys: string[] = []
    const end = caches.on('hit', ({ key }) => keys.push(key))
    await service[method]('x')
    end()
    await service[method]('x')
    expect(keys).toEqual([`things:${keyOf(method)}`])
    expect(caches.stats().localHits).toBe(4)
  })

  it('keeps its entry from being dropped for room', async () => {
    const service = new Things()
    await service[method]('x')
    for (let i = 0; i < 5 * MOST; i++) {
      expect(await service[method]('x')).toMatch(/ 1$/)
      await things().set(`other ${i}`, 'v')
    }
  })

  it('is none after the manager was closed', async () => {
    const service = new Things()
    for (let i = 0; i < 3; i++) await service[method]('x')
    const closing = caches.close()
    await clock.advanceAsync(5_000)
    await closing
    await expect(service[method]('x')).rejects.toThrow(/closed/)
  })

  it.each(['', '__proto__', 'a:b', "'x", '(1,', '\ud800', 'long '.repeat(50)])(
    'is that of its own argument: %j',
    async (id) => {
      const service = new Things()
      if (method === 'byKey' && id === '') return
      for (const each of ['x', id, '\ud801', `${id}.`]) {
        const value = await service[method](each)
        for (let i = 0; i < 3; i++) expect(await service[method](each)).toBe(value)
      }
      expect(service.loads).toBe(new Set(['x', id, '\ud801', `${id}.`]).size)
      await cached(service, method).evict(id)
      await service[method](id)
      expect(service.loads).toBe(5)
    },
  )

  it('is one of the same tenant', async () => {
    start(makeStore(), { scope: () => tenant })
    const service = new Things()
    for (let round = 0; round < 3; round++) {
      for (tenant of ['a', 'b']) {
        expect(await service[method]('x')).toMatch(tenant === 'a' ? / 1$/ : / 2$/)
      }
    }
    await cached(service, method).evict('x')
    expect(await service[method]('x')).toMatch(/ 3$/)
    tenant = 'a'
    expect(await service[method]('x')).toMatch(/ 1$/)
  })

  it('is seen by a store that does not ask about use', async () => {
    const { askAboutUse: _, ...store } = faultyLocalStore(makeStore())
    start(store)
    const service = new Things()
    for (let i = 0; i < 3; i++) await service[method]('x')
    const before = asked.length
    await service[method]('x')
    expect(asked).toHaveLength(before + 1)
  })
})

describe('hits', () => {
  it('tell texts and numbers apart', async () => {
    const service = new Things()
    for (let i = 0; i < 3; i++) {
      expect(await service.byArgument(1)).toBe('number 1')
      expect(await service.byArgument('1')).toBe('string 2')
    }
    await cached(service, 'byArgument').evict(1)
    expect(await service.byArgument('1')).toBe('string 2')
    expect(await service.byArgument(1)).toBe('number 3')
    for (let i = 0; i < 3; i++) expect(await service.byArgument(-0)).toBe('number 4')
    for (let i = 0; i < 3; i++) expect(await service.byArgument(0)).toBe('number 4')
    for (let i = 0; i < 3; i++) expect(await service.byArgument(Number.NaN)).toBe('number 5')
  })

  it('of two methods with default keys in one cache are not mixed up', async () => {
    @CacheConfig({ manager: () => caches, cache: 'two' })
    class Two {
      @Cacheable()
      async one(id: string): Promise<string> {
        return `one ${id}`
      }

      @Cacheable()
      async other(id: string): Promise<string> {
        return `other ${id}`
      }
    }
    const two = new Two()
    for (let i = 0; i < 3; i++) {
      expect(await two.one('x')).toBe('one x')
      expect(await two.other('x')).toBe('other x')
    }
  })

  it('of a method that copies what it hands out are copies, though another method’s are not', async () => {
    @CacheConfig({ manager: () => caches, cache: 'copies' })
    class Copies {
      @Cacheable({ key: (id: string) => id, isolation: 'cloned' })
      async copy(id: string): Promise<{ id: string }> {
        return { id }
      }
    }
    const copies = new Copies()
    const shared = caches.cache<{ id: string }>('copies')
    await copies.copy('x')
    expect(await copies.copy('x')).not.toBe(await copies.copy('x'))
    expect(await shared.get('x')).toEqual({ id: 'x' })
  })
})
