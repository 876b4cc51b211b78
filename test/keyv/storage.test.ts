/** A cache as the storage of the Keyvs people have: versions 5 and 6, over every tier. */

import { type CacheManagerOptions, createCacheManager } from '@larder/core'
import { ManualClock, MemoryServer, structuredCodec } from '@larder/core/testing'
import { keyvStorage } from '@larder/keyv-store'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import Keyv from 'keyv'
import { Keyv as Keyv5 } from 'keyv5'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'

/** What both versions have, as far as it is used here. */
interface AnyKeyv {
  get(key: string | string[]): Promise<unknown>
  set(key: string, value: unknown, ttlMs?: number): Promise<boolean>
  setMany(entries: { key: string; value: unknown; ttl?: number }[]): Promise<unknown>
  has(key: string): Promise<boolean>
  delete(key: string | string[]): Promise<unknown>
  clear(): Promise<void>
  disconnect(): Promise<void>
  iterator?: unknown
  on(event: 'error', listener: (error: unknown) => void): unknown
}

const VERSIONS: Readonly<Record<string, (store: unknown, namespace?: string) => AnyKeyv>> = {
  'Keyv 6': (store, namespace) =>
    new Keyv({ store: store as Map<string, unknown>, ...(namespace ? { namespace } : {}) }),
  'Keyv 5': (store, namespace) =>
    new Keyv5({ store: store as Map<string, unknown>, ...(namespace ? { namespace } : {}) }),
}

const TIERS: Readonly<Record<string, () => Partial<CacheManagerOptions>>> = {
  'in process': () => ({}),
  'over Redis': () => ({ remote: redisStore({ url: inject('redisUrl') }) }),
  'over a store in memory': () => ({
    remote: new MemoryServer().store(),
    codec: structuredCodec,
  }),
}

const cases = Object.entries(VERSIONS).flatMap(([version, make]) =>
  Object.entries(TIERS).map(([where, tiers]) => ({ version, make, where, tiers })),
)

describe.each(cases)('$version, $where', ({ make, tiers }) => {
  function setUp(namespaces: readonly (string | undefined)[] = [undefined]) {
    const caches = createCacheManager({
      namespace: freshNamespace(),
      local: lruStore(),
      default: false,
      // A put that a busy machine answers too late counts as lost.
      storeTimeout: '10s',
      ...tiers(),
    })
    onTestFinished(() => caches.close())
    const cache = caches.cache('keyv', { ttl: '1h', jitter: 0 })
    const errors: unknown[] = []
    const keyvs = namespaces.map((namespace) => make(keyvStorage(cache), namespace))
    for (const keyv of keyvs) keyv.on('error', (error) => errors.push(error))
    onTestFinished(() => expect(errors).toEqual([]))
    return { cache, keyvs: keyvs as [AnyKeyv, AnyKeyv] }
  }

  it('sets, gets, has and deletes', async () => {
    const {
      keyvs: [keyv],
    } = setUp()
    expect(await keyv.get('a')).toBeUndefined()
    expect(await keyv.set('a', { n: [1, null] })).toBe(true)
    expect(await keyv.get('a')).toEqual({ n: [1, null] })
    expect([await keyv.has('a'), await keyv.has('b')]).toEqual([true, false])
    expect([await keyv.delete('a'), await keyv.delete('a')]).toEqual([true, false])
    expect(await keyv.get('a')).toBeUndefined()
  })

  it('keeps what says nothing, too', async () => {
    const {
      keyvs: [keyv],
    } = setUp()
    for (const value of [null, false, 0, '']) {
      await keyv.set('k', value)
      expect([await keyv.get('k'), await keyv.has('k')]).toEqual([value, true])
    }
  })

  it('works on many at once', async () => {
    const {
      keyvs: [keyv],
    } = setUp()
    await keyv.setMany([
      { key: 'a', value: 1 },
      { key: 'b', value: 2 },
    ])
    expect(await keyv.get(['a', 'none', 'b'])).toEqual([1, undefined, 2])
    await keyv.delete(['a', 'b'])
    expect(await keyv.get(['a', 'b'])).toEqual([undefined, undefined])
  })

  it('iterates over all it holds, long keys too', async () => {
    const {
      keyvs: [keyv],
    } = setUp()
    const keys = Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? `k${i}` : `${i}-`.repeat(200)))
    for (const key of keys) await keyv.set(key, key.length)
    const found = await entriesOf(keyv)
    expect(new Map(found)).toEqual(new Map(keys.map((key) => [key, key.length])))
    expect(found.length).toBe(keys.length)
  })

  it('clears its namespace and leaves others alone', async () => {
    const {
      keyvs: [one, two],
      cache,
    } = setUp(['one', 'two'])
    for (const keyv of [one, two]) {
      for (const key of ['a', 'b']) await keyv.set(key, 'value')
    }
    await one.clear()
    expect(await one.get(['a', 'b'])).toEqual([undefined, undefined])
    expect(await two.get(['a', 'b'])).toEqual(['value', 'value'])
    expect(new Set((await entriesOf(two)).map(([key]) => key))).toEqual(new Set(['a', 'b']))
    await two.disconnect()
    expect(await cache.getOrLoad('still open', () => 1)).toBe(1)
  })

  it('forgets what has expired', async () => {
    const {
      keyvs: [keyv],
    } = setUp()
    await keyv.set('short', 1, 30)
    await keyv.set('long', 1, 3_600_000)
    await keyv.set('always', 1, 1e15)
    await eventually('the short one is gone', async () => !(await keyv.has('short')))
    expect([await keyv.has('long'), await keyv.has('always')]).toEqual([true, true])
  })
})

describe('keyvStorage', () => {
  it('lets the cache forget by its own clock', async () => {
    const clock = new ManualClock()
    const caches = createCacheManager({
      namespace: 'clock',
      local: lruStore(),
      clock,
      default: false,
    })
    const storage = keyvStorage(caches.cache('keyv', { ttl: '1m', jitter: 0 }))
    await storage.set('short', 1, 1_000)
    await storage.set('usual', 2)
    await clock.advanceAsync(1_000)
    expect(await storage.getMany(['short', 'usual'])).toEqual([undefined, 2])
    await clock.advanceAsync(59_000)
    expect(await storage.has('usual')).toBe(false)
    const closing = caches.close()
    await clock.advanceAsync(5_000)
    await closing
  })

  it('refuses what is no cache', () => {
    expect(() => keyvStorage({} as never)).toThrow('keyvStorage.cache takes a cache')
    expect(() => keyvStorage(undefined as never)).toThrow('keyvStorage.cache')
  })
})

async function entriesOf(keyv: AnyKeyv): Promise<[string, unknown][]> {
  const iterate = keyv.iterator as () => AsyncIterable<[string, unknown]>
  const found: [string, unknown][] = []
  for await (const [key, value] of iterate.call(keyv)) found.push([key, value])
  return found
}
