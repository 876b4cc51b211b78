/** A callback about keeping that gives no good answer never decides about the call: its result is handed out, not kept, and said once. */

import {
  Cacheable,
  type CacheOptions,
  CachePut,
  createCacheManager,
  type Duration,
} from '@larder/core'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { counting } from './memory-world.ts'

const boom = (): never => {
  throw new Error('boom')
}
const late = (async () => boom()) as () => never

const BAD_TTLS: [string, () => Duration][] = [
  ['negative', () => -5],
  ['no number', () => Number.NaN],
  ['no duration', () => 'soon' as Duration],
  ['endless', () => Number.POSITIVE_INFINITY],
  ['null', () => null as never],
  ['a promise', (async () => '1m') as never],
  ['a promise that rejects', late],
  ['thrown', boom],
]

const BAD_TAGS: [string, () => readonly string[]][] = [
  ['undefined among them', () => [undefined] as never],
  ['one text', () => 'shop:7' as never],
  ['empty', () => ['']],
  ['null', () => null as never],
  ['a promise', (async () => ['t']) as never],
  ['a promise that rejects', late],
  ['thrown', boom],
]

describe.each([['in process'], ['with a store']])(
  '%s, what is answered badly is not kept',
  (where) => {
    function start(policy: CacheOptions = {}) {
      const remote = where === 'in process' ? undefined : new MemoryServer().store()
      const caches = createCacheManager({
        namespace: 'bad-answers',
        local: lruStore(),
        remote,
        codec: remote && structuredCodec,
        defaults: { ttl: '1h', ...policy },
      })
      onTestFinished(() => caches.close())
      const said: unknown[] = []
      caches.on('callback-error', ({ option, key }) => said.push([option, key]))
      return { cache: caches.cache<unknown>('c'), said }
    }

    it.each(BAD_TTLS)('a ttl that is %s', async (_, ttl) => {
      const { cache, said } = start()
      const load = counting()
      expect(await cache.getOrLoad('k', load, { ttl })).toBe('v1')
      expect(said).toEqual([['ttl', 'c:k']])
      expect(await cache.get('k')).toBeUndefined()
      expect(await cache.getManyOrLoad(['k'], async () => ['v2'], { ttl })).toEqual(['v2'])
      await cache.set('k', 'v3', { ttl })
      expect(await cache.get('k')).toBeUndefined()
    })

    it.each(BAD_TAGS)('tags that are %s', async (_, tags) => {
      const { cache, said } = start()
      const load = counting()
      expect(await cache.getOrLoad('k', load, { tags })).toBe('v1')
      expect(said).toEqual([['tags', 'c:k']])
      expect(await cache.get('k')).toBeUndefined()
      expect(await cache.getManyOrLoad(['k'], async () => ['v2'], { tags })).toEqual(['v2'])
      await cache.set('k', 'v3', { tags })
      expect(await cache.get('k')).toBeUndefined()
    })

    it.each<[string, () => Duration | false]>([
      ...BAD_TTLS.filter(([name]) => name !== 'null'),
      ['true', () => true as never],
      ['nothing', () => 0],
    ])('how long an error is kept, when that is %s', async (_, cacheErrors) => {
      const { cache, said } = start({ cacheErrors })
      const failing = (): Promise<never> => Promise.reject(new Error('of the source'))
      await expect(cache.getOrLoad('k', failing)).rejects.toThrow('of the source')
      expect(said).toEqual([['cacheErrors', 'c:k']])
      expect(await cache.getOrLoad('k', async () => 'v')).toBe('v')
    })

    it('a result, by a method', async () => {
      const { said } = start()
      class Shop {
        loads = 0

        @Cacheable({ cache: 'expired', key: (id: string) => id, ttl: () => -1 })
        async expired(_id: string): Promise<number> {
          return ++this.loads
        }

        @Cacheable({ cache: 'odd', key: (id: string) => id, unless: boom })
        async odd(_id: string): Promise<number> {
          return ++this.loads
        }

        @Cacheable({ cache: 'many', each: { key: (id: string) => id }, tags: boom })
        async many(ids: readonly string[]): Promise<number[]> {
          return ids.map(() => ++this.loads)
        }

        @CachePut({ cache: 'saved', key: (id: string) => id, tags: () => [null] as never })
        async save(_id: string): Promise<number> {
          return ++this.loads
        }
      }
      const shop = new Shop()
      expect([await shop.expired('a'), await shop.expired('a')]).toEqual([1, 2])
      expect([await shop.odd('b'), await shop.odd('b')]).toEqual([3, 4])
      expect([await shop.many(['c', 'd']), await shop.save('e')]).toEqual([[5, 6], 7])
      expect(said).toEqual([
        ['ttl', 'expired:a'],
        ['ttl', 'expired:a'],
        ['unless', 'odd:b'],
        ['unless', 'odd:b'],
        ['tags', 'many:c'],
        ['tags', 'many:d'],
        ['tags', 'saved:e'],
      ])
    })
  },
)
