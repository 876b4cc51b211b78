/** What messages name: the method, the cache and the place in the value, and what was received in plain words. */

import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  type CacheManager,
  CachePut,
  createCacheManager,
  KeyError,
  ValueError,
} from '@larder/core'
import { lruStore } from '@larder/local-store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { forced } from './support/forced.ts'

let caches: CacheManager
beforeEach(() => {
  caches = createCacheManager({ namespace: 'messages', local: lruStore(), strictValues: true })
})
afterEach(() => caches.close())

const bad = Number.NaN as unknown as string

@CacheConfig({ cache: 'rows' })
class Rows {
  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<unknown> {
    return { id, deep: [{ call: () => id }] }
  }

  @Cacheable()
  async findBy(_filter: object): Promise<number> {
    return 1
  }

  @Cacheable({ each: { key: (id: string) => id } })
  async findMany(ids: readonly string[]): Promise<unknown[]> {
    return ids.map(() => ({ call: () => 1 }))
  }

  @CachePut({ key: (id: string) => id })
  async put(id: string): Promise<unknown> {
    return { call: () => id }
  }

  @CachePut({ keyOf: (row: { id: string }) => row.id })
  async make(id: string): Promise<{ id: string }> {
    return { id }
  }

  @CacheEvict({ key: (id: string) => id })
  async remove(_id: string): Promise<void> {}

  @CacheEvict({ keys: (ids: readonly string[]) => ids })
  async removeMany(_ids: readonly string[]): Promise<void> {}

  @CacheEvict({ keyOf: (id: string) => id })
  async removeOf(id: string): Promise<string> {
    return id
  }
}

describe('a KeyError', () => {
  const rows = new Rows()
  const ways: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['@Cacheable(Rows.find)', () => rows.find(bad)],
    ['@Cacheable(Rows.findMany)', () => rows.findMany(['1', bad])],
    ['@CachePut(Rows.put)', () => rows.put(bad)],
    ['@CacheEvict(Rows.remove)', () => rows.remove(bad)],
    ['@CacheEvict(Rows.removeMany)', () => rows.removeMany([bad])],
    ['@CacheEvict(Rows.removeOf)', () => rows.removeOf(bad)],
  ]
  it.each(ways)('of %s names it and its cache', async (where, call) => {
    // A second call takes the short way of local hits.
    for (let i = 0; i < 2; i++) {
      const error: unknown = await call().catch((error: unknown) => error)
      expect(error).toBeInstanceOf(KeyError)
      expect(error).toMatchObject({ where, cache: 'rows' })
      expect(String(error)).toContain(`${where}, cache rows: A key is NaN`)
    }
  })

  it('names the place in the arguments, too', async () => {
    const call = rows.findBy({ a: [() => 1] })
    await expect(call).rejects.toThrow(
      '@Cacheable(Rows.findBy), cache rows: Argument 0, at .a[0], is a function',
    )
  })

  it('of a named cache names that', async () => {
    const cache = caches.cache('rows')
    for (const call of [
      cache.get(bad),
      cache.getMany([bad]),
      cache.evict(bad),
      cache.set(bad, 1),
      cache.getOrLoad(bad, () => 1),
    ]) {
      await expect(call).rejects.toThrow('cache(rows): A key is NaN')
    }
  })

  it('about a key made of the result is an event that names it', async () => {
    const errors: unknown[] = []
    caches.on('background-error', ({ error }) => errors.push(error))
    await rows.make(bad)
    expect(errors).toMatchObject([{ where: '@CachePut(Rows.make)', cache: 'rows' }])
  })
})

describe('a ValueError', () => {
  const rows = new Rows()
  const ways: readonly (readonly [string, string, () => Promise<unknown>])[] = [
    ['@Cacheable(Rows.find)', '$.deep[0].call', () => rows.find('1')],
    ['@Cacheable(Rows.findMany)', '$.call', () => rows.findMany(['1'])],
    ['@CachePut(Rows.put)', '$.call', () => rows.put('1')],
    ['cache(rows)', '$.call', () => caches.cache('rows').set('1', { call: () => 1 })],
  ]
  it.each(ways)('of %s names it, its cache and the path %s', async (where, path, call) => {
    const error: unknown = await call().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ValueError)
    expect(error).toMatchObject({ where, cache: 'rows', path })
    expect(String(error)).toContain(`${where}, cache rows: `)
    expect(String(error)).toContain(path)
  })
})

it('a first call after the manager was closed says that it may be that', async () => {
  class Late {
    @Cacheable()
    async find(): Promise<void> {}
  }
  await caches.close()
  await expect(new Late().find()).rejects.toThrow(
    'Late.find was called before a cache manager existed, or after the last one was closed.',
  )
  await expect(new Rows().find('1')).rejects.toThrow('Rows.find was called after that.')
})

describe('what was received', () => {
  it('is a kind of thing where its text does not belong in a message', async () => {
    class Odd {
      @forced(Cacheable({ key: '{0}' }))
      sync(_id: string): string {
        return 'secret'
      }

      @CacheEvict({ tags: (() => 'secret') as unknown as () => readonly string[] })
      async tags(): Promise<void> {}
    }
    await expect(new Odd().sync('1')).rejects.toThrow(/\(make it async\), but got a string\.$/)
    await expect(new Odd().tags()).rejects.toThrow(
      '@CacheEvict(Odd.tags).tags takes a function that returns an array of tags, but got a string.',
    )
  })

  it('is what @CacheConfig stands on instead of a class', () => {
    const decorate = CacheConfig({ ttl: '1m' }) as unknown as (...args: unknown[]) => unknown
    expect(() => decorate(() => 1, { kind: 'method', name: 'x' })).toThrow(
      '@CacheConfig takes a class to decorate, but got a method.',
    )
    expect(() => decorate({}, 'x', {})).toThrow(
      '@CacheConfig takes a class to decorate, but got a method or field.',
    )
  })

  it('is what a decorator stands on instead of a method', () => {
    const decorate = Cacheable() as unknown as (target: unknown, context: object) => unknown
    expect(() => decorate(() => 1, { kind: 'getter', name: 'x' })).toThrow(
      '@Cacheable takes a method to decorate, but got a getter.',
    )
  })
})
