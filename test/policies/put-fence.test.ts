/**
 * What `@CachePut` promises, on everything it can stand on: a value that is older than what happened to its key while the
 * method ran is never read afterwards. Every way to say the key, every kind of tiers, everything that can happen meanwhile.
 */

import {
  type Cache,
  CacheConfig,
  type CacheManager,
  type CacheManagerOptions,
  type CacheOptions,
  CachePut,
  createCacheManager,
} from '@larder/core'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { fromKeyv } from '@larder/keyv-store'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import Keyv from 'keyv'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'

type Tiers = () => Partial<CacheManagerOptions>

/** Each makes what its nodes share, and returns what makes one node's tiers. */
const CONFIGURATIONS: Readonly<Record<string, () => Tiers>> = {
  Redis: () => () => ({ remote: redisStore({ url: inject('redisUrl') }) }),
  'Redis, in a cache that stays local': () => () => ({
    remote: redisStore({ url: inject('redisUrl') }),
    defaults: { remote: false },
  }),
  'Redis, without a local tier': () => () => ({
    local: undefined,
    remote: redisStore({ url: inject('redisUrl') }),
  }),
  'this process alone': () => () => ({}),
  'the store in memory': () => {
    const server = new MemoryServer()
    return () => ({ remote: server.store() })
  },
  'the store in memory, in a cache that stays local': () => {
    const server = new MemoryServer()
    return () => ({ remote: server.store(), defaults: { remote: false } })
  },
  'a store without sequences': () => {
    const server = new MemoryServer()
    return () => ({ remote: withoutSequences(server) })
  },
  Keyv: () => {
    const map = new Map()
    return () => ({ remote: fromKeyv(new Keyv(map)), codec: structuredCodec })
  },
  'Keyv, in a cache that stays local': () => {
    const map = new Map()
    const stays = { defaults: { remote: false } } as const
    return () => ({ remote: fromKeyv(new Keyv(map)), codec: structuredCodec, ...stays })
  },
}

/** Where nobody can tell what other nodes did meanwhile, a put evicts. */
const NOT_KEPT_AT_ALL = /without sequences|Keyv/

interface Stage {
  readonly here: Cache
  readonly there: Cache
  readonly manager: CacheManager
  readonly otherManager: CacheManager
  readonly items: ItemsLike
}

interface ItemsLike {
  during: () => Promise<unknown>
  byKey(key: string, value: string): Promise<string>
  byResult(key: string, value: string): Promise<string>
}

/** What happens while the method runs. In process there is no other node. */
const MEANWHILE: Readonly<Record<string, (stage: Stage) => Promise<unknown>>> = {
  'its key is evicted': ({ here }) => here.evict('k'),
  'its key is evicted softly': ({ here }) => here.evict('k', { soft: true }),
  'its key is evicted with a window': ({ here }) => here.evict('k', { settle: '1m' }),
  'a tag of it is evicted': ({ here }) => here.evictTags(['t']),
  'its cache is cleared': ({ here }) => here.clear(),
  'everything is cleared': ({ manager }) => manager.clear(),
  'its key is evicted by a pattern': async ({ here }) => {
    for await (const _ of here.evictPattern('?'));
  },
  'another call puts something newer': async ({ items }) => {
    items.during = async () => undefined
    await items.byKey('k', 'newer')
  },
  'another call puts something newer by its result': async ({ items }) => {
    items.during = async () => undefined
    await items.byResult('k', 'newer')
  },
  'something newer is set': ({ here }) => here.set('k', 'newer'),
  'something newer is set, and nobody waits for it': async ({ here }) => {
    void here.set('k', 'newer')
  },
  'another node evicts its key': ({ there }) => there.evict('k'),
  'another node evicts a tag of it': ({ there }) => there.evictTags(['t']),
  'another node clears its cache': ({ there }) => there.clear(),
  'another node sets something newer': ({ there }) => there.set('k', 'newer'),
}

/** Nothing here is about time: a machine that is busy with other things may take its own. */
const UNHURRIED: CacheOptions = { ttl: '1h', jitter: 0, maxStaleness: '1m' }

async function startStage(makeTiers: () => Tiers): Promise<Stage> {
  const tiers = makeTiers()
  const namespace = freshNamespace()
  const start = async (): Promise<CacheManager> => {
    const { defaults, ...rest } = tiers()
    const node = createCacheManager({
      namespace,
      local: lruStore(),
      default: false,
      defaults: { ...UNHURRIED, ...defaults },
      storeTimeout: '10s',
      ...rest,
    })
    onTestFinished(() => node.close())
    // How long connecting takes is no question here either. Where nothing is connected, the first put is the first call.
    if (rest.remote?.name === 'redis') await node.ready()
    return node
  }
  const [manager, otherManager] = [await start(), await start()]

  @CacheConfig({ cache: 'c', manager: () => manager })
  class Items implements ItemsLike {
    during = async (): Promise<unknown> => undefined

    @CachePut({ key: (key: string) => key, tags: ['t'] })
    async byKey(_key: string, value: string): Promise<string> {
      await this.during()
      return value
    }

    @CachePut({ keyOf: (_value: string, key: string) => key, tags: ['t'] })
    async byResult(_key: string, value: string): Promise<string> {
      await this.during()
      return value
    }
  }
  const items = new Items()
  const [here, there] = [manager.cache('c'), otherManager.cache('c')]
  return { here, there, manager, otherManager, items }
}

describe.each(Object.entries(CONFIGURATIONS))('on %s', (name, makeTiers) => {
  const isAlone = name === 'this process alone'
  const staysLocal = isAlone || name.includes('stays local')

  describe.each(['byKey', 'byResult'] as const)('a put %s', (method) => {
    it('is there afterwards, the first of a process too', async () => {
      const { here, there, items } = await startStage(makeTiers)
      expect(await items[method]('k', 'value')).toBe('value')
      const expected = NOT_KEPT_AT_ALL.test(name) ? undefined : 'value'
      expect(await here.get('k')).toBe(expected)
      expect(await there.get('k')).toBe(staysLocal ? undefined : expected)
    })

    const events = Object.entries(MEANWHILE).filter(
      ([what]) => !isAlone || !/other node/.test(what),
    )
    it.each(events)('never brings back the older value when %s meanwhile', async (_, happen) => {
      const stage = await startStage(makeTiers)
      const { here, there, items } = stage
      // Both nodes know where the store stands, as in a process that has run for a while.
      await Promise.all([here.set('k', 'first'), there.get('other')])
      items.during = () => happen(stage)
      expect(await items[method]('k', 'older')).toBe('older')
      for (const cache of [here, there]) expect(await cache.get('k')).not.toBe('older')
      for (const cache of [here, there])
        expect(await cache.getOrLoad('k', () => 'newest')).not.toBe('older')
    })

    it('stands when the method it is made of puts the very same value', async () => {
      const { here, items } = await startStage(makeTiers)
      items.during = async () => {
        items.during = async () => undefined
        await items.byKey('k', 'value')
      }
      await items[method]('k', 'value')
      expect(await here.get('k')).toBe(NOT_KEPT_AT_ALL.test(name) ? undefined : 'value')
    })
  })

  it('a set is there afterwards, the first of a process too', async () => {
    const { here, there } = await startStage(makeTiers)
    await here.set('k', 'value')
    expect(await here.get('k')).toBe('value')
    expect(await there.get('k')).toBe(staysLocal ? undefined : 'value')
  })

  it('an eviction that was not waited for does not undo the set after it', async () => {
    const { here } = await startStage(makeTiers)
    await here.get('k')
    const evicting = here.evict('k')
    await here.set('k', 'value')
    await evicting
    expect(await here.get('k')).toBe('value')
  })

  it('a set that was not waited for does not undo the eviction after it', async () => {
    const { here } = await startStage(makeTiers)
    await here.get('k')
    const setting = here.set('k', 'value')
    await here.evict('k')
    await setting
    expect(await here.get('k')).toBeUndefined()
  })
})

function withoutSequences(server: MemoryServer) {
  const store = server.store()
  const capabilities = { ...store.capabilities, sequences: false }
  Object.defineProperty(store, 'capabilities', { value: capabilities })
  return store
}
