/**
 * What becomes of a call whose callbacks about keeping its result fail, over every way to keep one.
 *
 * The rule: what the method did and returned stands. A callback about *keeping* (`tags`, `ttl`, `unless`, `keyOf`) that throws
 * keeps nothing and is reported. A result that cannot be *written down* (`toPlain`, codec) is a mistake in the program, which
 * `ValueError` says to the caller. Either way what was cached is old by then, and others' entries are untouched.
 */

import {
  Cacheable,
  CacheConfig,
  type CacheOptions,
  CachePut,
  createCacheManager,
  ValueError,
} from '@larder/core'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { describe, expect, it, onTestFinished } from 'vitest'

const boom = (): never => {
  throw new Error('boom')
}

/** A codec that writes nothing down that says it is bad. */
const fussyCodec: typeof structuredCodec = (types) => {
  const codec = structuredCodec(types)
  return {
    ...codec,
    encode: (value) => (JSON.stringify(value).includes('bad') ? boom() : codec.encode(value)),
    decode: (bytes) => codec.decode(bytes),
  }
}

type Options = Record<string, unknown>

/** What fails, and whether the caller is told. */
const FAILURES: Readonly<Record<string, { readonly options: Options; readonly isTold: boolean }>> =
  {
    tags: { options: { tags: (value: string) => (value === 'bad' ? boom() : []) }, isTold: false },
    ttl: { options: { ttl: (value: string) => (value === 'bad' ? boom() : '1h') }, isTold: false },
    unless: { options: { unless: (value: string) => value === 'bad' && boom() }, isTold: false },
    toPlain: {
      options: {
        toPlain: (value: string) => (value === 'bad' ? boom() : value),
        fromPlain: String,
      },
      isTold: true,
    },
  }

const PLACES = ['in process', 'a shared cache', 'a cache that stays local'] as const

function start(place: (typeof PLACES)[number], policy: CacheOptions = {}, codec = structuredCodec) {
  const remote = place === 'in process' ? undefined : new MemoryServer().store()
  const caches = createCacheManager({
    namespace: 'failing-callbacks',
    local: lruStore(),
    remote,
    codec: remote && codec,
    default: false,
    logger: false,
    defaults: {
      ttl: '1h',
      ...(place === 'a cache that stays local' ? { remote: false } : {}),
      ...policy,
    },
  })
  onTestFinished(() => caches.close())
  const reported: unknown[] = []
  caches.on('callback-error', ({ option }) => reported.push(option))
  caches.on('background-error', ({ task }) => reported.push(task))
  return { caches, reported }
}

/** A class whose methods are decorated with the options that fail. */
function itemsWith(caches: ReturnType<typeof start>['caches'], options: Options) {
  @CacheConfig({ cache: 'c', manager: () => caches })
  class Items {
    done = 0

    @Cacheable({ ...options, key: (id: string) => id } as object)
    async find(_id: string, value: string): Promise<string> {
      this.done += 1
      return value
    }

    @Cacheable({ ...options, each: { key: (id: string) => id } } as object)
    async findMany(ids: readonly string[], value: string): Promise<string[]> {
      this.done += 1
      return ids.map((id) => (id === 'k' ? value : id))
    }

    @CachePut({ ...options, key: (id: string) => id } as object)
    async save(_id: string, value: string): Promise<string> {
      this.done += 1
      return value
    }

    @CachePut({ ...options, keyOf: () => 'k' } as object)
    async create(_id: string, value: string): Promise<string> {
      this.done += 1
      return value
    }
  }
  return new Items()
}

describe.each(PLACES)('%s', (place) => {
  describe.each(Object.entries(FAILURES))('%s that throws', (name, { options, isTold }) => {
    it.each(['save', 'create'] as const)('by @CachePut (%s): the entry is gone', async (method) => {
      const { caches, reported } = start(place)
      const items = itemsWith(caches, options)
      await items[method]('k', 'old')
      await items.save('other', 'stays')
      expect(await caches.cache('c').get('k')).toBe('old')
      const putting = items[method]('k', 'bad')
      if (isTold) await expect(putting).rejects.toThrow(ValueError)
      else expect(await putting).toBe('bad')
      expect(items.done).toBe(3)
      expect(reported.length).toBe(isTold ? 0 : 1)
      expect(await caches.cache('c').getMany(['k', 'other'])).toEqual([undefined, 'stays'])
    })

    it('by @Cacheable: nothing is kept', async () => {
      const { caches, reported } = start(place)
      const items = itemsWith(caches, options)
      const finding = items.find('k', 'bad')
      if (isTold) await expect(finding).rejects.toThrow(ValueError)
      else expect(await finding).toBe('bad')
      expect([reported.length, await caches.cache('c').get('k')]).toEqual([
        isTold ? 0 : 1,
        undefined,
      ])
      expect(await items.find('k', 'good')).toBe('good')
    })

    it('by @Cacheable each: the others are kept', async () => {
      const { caches, reported } = start(place)
      const items = itemsWith(caches, options)
      // What is loaded before the store was heard of does not stand after it.
      await items.save('first', 'v')
      const finding = items.findMany(['a', 'k', 'b'], 'bad')
      if (isTold) await expect(finding).rejects.toThrow(ValueError)
      else expect(await finding).toEqual(['a', 'bad', 'b'])
      expect(reported.length).toBe(isTold ? 0 : 1)
      expect(await caches.cache('c').getMany(['a', 'k', 'b'])).toEqual(['a', undefined, 'b'])
    })

    it.runIf(name === 'tags' || name === 'ttl')('by set: the entry is gone', async () => {
      const { caches, reported } = start(place)
      const cache = caches.cache<string>('c')
      await cache.set('k', 'old')
      await cache.set('k', 'bad', options)
      expect([await cache.get('k'), reported]).toEqual([undefined, [name]])
    })
  })

  it('keyOf that throws: the result is handed out, and reported', async () => {
    const { caches, reported } = start(place)
    @CacheConfig({ cache: 'c', manager: () => caches })
    class Items {
      @CachePut({ keyOf: boom as (result: string) => string })
      async create(value: string): Promise<string> {
        return value
      }
    }
    await caches.cache('c').set('other', 'stays')
    expect(await new Items().create('v')).toBe('v')
    expect([reported.length, await caches.cache('c').get('other')]).toEqual([1, 'stays'])
  })
})

describe('a codec that throws', () => {
  it('by @CachePut and set: the caller is told, and the entry that a method made old is gone', async () => {
    const { caches } = start('a shared cache', {}, fussyCodec)
    const items = itemsWith(caches, {})
    const cache = caches.cache<string>('c')
    for (const put of [items.save.bind(items), items.create.bind(items)]) {
      await cache.set('k', 'old')
      await expect(put('k', 'bad')).rejects.toThrow('boom')
      expect(await cache.get('k')).toBeUndefined()
    }
    await cache.set('k', 'old')
    await expect(cache.set('k', 'bad')).rejects.toThrow('boom')
    // The value was refused before anything was done.
    expect(await cache.get('k')).toBe('old')
  })

  it('by @Cacheable each: the others are kept', async () => {
    const { caches } = start('a shared cache', {}, fussyCodec)
    const items = itemsWith(caches, {})
    await expect(items.findMany(['a', 'k', 'b'], 'bad')).rejects.toThrow('boom')
    expect(await caches.cache('c').getMany(['a', 'k', 'b'])).toEqual(['a', undefined, 'b'])
  })
})
