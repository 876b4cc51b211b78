/** A list is one composite key where one key is asked for; ways for many take a list of keys. Compiled, never run. */

import { type Cache, Cacheable, CacheConfig, CacheEvict, CachePut } from '@larder/core'

declare const cache: Cache<number>
declare const id: { readonly id: string }

export async function oneKey(): Promise<void> {
  await cache.evict('a')
  await cache.evict(['a', 'b'])
  await cache.evict(['a', 1, true, 2n] as const, { soft: true })
  await cache.get(['a', 'b'])
  await cache.set(['a', 'b'], 1)
  await cache.getOrLoad(['a', 'b'], () => 1)
  // @ts-expect-error: a second key is no options.
  await cache.evict('a', 'b')
  // @ts-expect-error: a list of lists is several keys, which is for evictMany.
  await cache.evict([['a', 'b']])
  // @ts-expect-error: an object is no key.
  await cache.evict(id)
  // @ts-expect-error: nothing is no key.
  await cache.evict()
  // @ts-expect-error: undefined is no key.
  await cache.evict(undefined)
  // @ts-expect-error: neither is it a part of one.
  await cache.evict(['a', undefined])
  // @ts-expect-error: a list of lists is several keys, which is for getMany.
  await cache.get([['a', 'b']])
  // @ts-expect-error: as is one of composite keys.
  await cache.set([['a'], ['b']], 1)
}

export async function severalKeys(): Promise<void> {
  await cache.evictMany(['a', 'b'])
  await cache.evictMany([['a', 1], 'b', 3], { settle: '1s' })
  const [first] = await cache.getMany([['a', 'b'], 'c'])
  first satisfies number | undefined
  // @ts-expect-error: one key is no list of keys.
  await cache.evictMany('a')
  // @ts-expect-error: keys come in one list.
  await cache.evictMany('a', 'b')
  // @ts-expect-error: a part of a key is a text, a number, a bigint or a boolean.
  await cache.evictMany([id])
  // @ts-expect-error: a part of a key is no list.
  await cache.evictMany([[['a']]])
  // @ts-expect-error: one key is no list of keys.
  await cache.getMany('a')
  // @ts-expect-error: tags come in a list.
  await cache.evictTags('a')
  // @ts-expect-error: a tag is a text.
  await cache.evictTags([['a', 'b']])
}

@CacheConfig({ cache: 'pairs' })
export class Pairs {
  @Cacheable({ key: (a: string, b: number) => [a, b] })
  async find(_a: string, _b: number): Promise<number> {
    return 1
  }

  @CachePut({ key: (a: string, b: number) => [a, b] })
  async save(_a: string, _b: number): Promise<number> {
    return 1
  }

  @CacheEvict({ key: (a: string, b: number) => [a, b] })
  async remove(_a: string, _b: number): Promise<void> {}

  @CacheEvict({ keys: (ids: readonly string[]) => ids.map((a) => [a, 1]) })
  async removeAll(_ids: readonly string[]): Promise<void> {}

  // @ts-expect-error: several composite keys are for `keys`.
  @CacheEvict({ key: (ids: readonly string[]) => ids.map((a) => [a, 1]) })
  async removeSome(_ids: readonly string[]): Promise<void> {}

  // @ts-expect-error: one key is for `key`.
  @CacheEvict({ keys: (a: string) => a })
  async removeOne(_a: string): Promise<void> {}

  // @ts-expect-error: an object is no key.
  @CacheEvict({ key: (found: { readonly a: string }) => found })
  async removeObject(_found: { readonly a: string }): Promise<void> {}
}
