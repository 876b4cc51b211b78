/** How callbacks have to fit their method, in both decorator modes. Compiled, never run. */

import { Cacheable, CacheEvict, type CacheOptions, CachePut, type Duration } from '@larder/core'

interface Product {
  readonly id: string
}

const named = Symbol('named')

export class Fitting {
  readonly tenant = 'north'

  @Cacheable({
    key: (id: string) => id,
    tags: (_: Product, id: string, page: number) => [id, `${page}`],
  })
  async moreThanTheKeyTakes(id: string, _page: number): Promise<Product> {
    return { id }
  }

  @Cacheable({ key: (id?: string) => id ?? 'none' })
  async optional(id?: string): Promise<string | undefined> {
    return id
  }

  @Cacheable({ key: (...ids: string[]) => ids })
  async rest(...ids: string[]): Promise<string[]> {
    return ids
  }

  @Cacheable({ key: (id: string | number) => id })
  async wider(_id: string): Promise<void> {}

  @Cacheable({
    key: (id: string) => id,
    tags: (found: Product | undefined) => [found?.id ?? 'none'],
  })
  async narrowerResult(id: string): Promise<Product> {
    return { id }
  }

  @Cacheable({
    key: function (this: Fitting, id: string) {
      return [this.tenant, id]
    },
  })
  async withThis(id: string): Promise<string> {
    return id
  }

  @Cacheable({ key: (id: string) => id })
  async generic<Kind extends Product>(_id: string): Promise<Kind | undefined> {
    return undefined
  }

  @Cacheable()
  async [named](id: string): Promise<string> {
    return id
  }

  overloaded(id: string): Promise<string>
  overloaded(id: number): Promise<number>
  @Cacheable({ key: (id: string | number) => id })
  async overloaded(id: string | number): Promise<string | number> {
    return id
  }

  // A decorator gives back the type it was given.
  async callers(): Promise<readonly [string, number, Product | undefined]> {
    return [await this.overloaded('1'), await this.overloaded(1), await this.generic<Product>('1')]
  }
}

export class Misfitting {
  // @ts-expect-error: the method may be called without the id that the key is made of.
  @Cacheable({ key: (id: string) => id })
  async optional(_id?: string): Promise<void> {}

  // @ts-expect-error: the method has no arguments to make a key of.
  @Cacheable({ key: (id: string) => id })
  async noArguments(): Promise<void> {}

  // @ts-expect-error: the second argument is a number.
  @Cacheable({ key: (id: string, locale: string) => [id, locale] })
  async second(_id: string, _page: number): Promise<void> {}

  // @ts-expect-error: the method may return undefined.
  @Cacheable({ tags: (found: Product) => [found.id] })
  async maybe(): Promise<Product | undefined> {
    return undefined
  }

  // @ts-expect-error: the arguments of tags come after the result, and the first is a string.
  @Cacheable({ tags: (_found: Product, id: number) => [`${id}`] })
  async tagArguments(id: string): Promise<Product> {
    return { id }
  }

  // @ts-expect-error: ttl gets a Product.
  @Cacheable({ ttl: (found: string) => (found === '' ? '1s' : '1m') })
  async ttlResult(id: string): Promise<Product> {
    return { id }
  }

  // @ts-expect-error: unless gets a string as its second argument.
  @Cacheable({ unless: (_found: Product, id: number) => id > 0 })
  async unlessArguments(id: string): Promise<Product> {
    return { id }
  }

  // @ts-expect-error: condition gets a string.
  @Cacheable({ condition: (id: number) => id > 0 })
  async condition(_id: string): Promise<void> {}

  // @ts-expect-error: a key is text, a number, a bigint, a boolean, or a list of those.
  @Cacheable({ key: (id: string) => ({ id }) })
  async objectKey(_id: string): Promise<void> {}

  // @ts-expect-error: callbacks' parameters have to be annotated.
  @Cacheable({ key: (id) => id })
  async unannotated(_id: string): Promise<void> {}

  // @ts-expect-error: some results are not promises.
  @Cacheable()
  sometimes(id: string): Promise<string> | string {
    return id
  }

  // @ts-expect-error: an accessor is not a method.
  @Cacheable()
  get total(): number {
    return 1
  }

  // @ts-expect-error: nor is a field, not even one that holds a function.
  @Cacheable()
  find = async (id: string): Promise<string> => id

  // @ts-expect-error: the decorator is made by calling Cacheable.
  @Cacheable
  async bare(): Promise<void> {}

  // @ts-expect-error: keyOf gets the method's result.
  @CachePut({ keyOf: (saved: Product) => saved.id })
  async keyOf(): Promise<string> {
    return ''
  }

  // @ts-expect-error: the template must be text.
  @CachePut({ key: 5 })
  async numberKey(): Promise<void> {}

  // @ts-expect-error: the method returns no promise.
  @CachePut({ key: '{0}' })
  syncPut(id: string): string {
    return id
  }

  // @ts-expect-error: a put with a wrong unit.
  @CachePut({ key: '{0}', ttl: '1 hour' })
  async putUnit(_id: string): Promise<void> {}

  // @ts-expect-error: keys returns a list.
  @CacheEvict({ keys: (id: string) => id })
  async oneKey(_id: string): Promise<void> {}

  // @ts-expect-error: keys takes strings where the method takes numbers.
  @CacheEvict({ keys: (ids: string[]) => ids })
  async wrongKeys(_ids: number[]): Promise<void> {}

  // @ts-expect-error: before the method has run there is no result.
  @CacheEvict({ when: 'before', tags: (removed: number) => [`${removed}`] })
  async noResultYet(): Promise<number> {
    return 1
  }

  // @ts-expect-error: the moment is before or after.
  @CacheEvict({ all: true, when: 'during' })
  async wrongMoment(): Promise<void> {}

  // @ts-expect-error: an eviction has no ttl.
  @CacheEvict({ all: true, ttl: '1m' })
  async evictTtl(): Promise<void> {}
}

// @ts-expect-error: a class is not a method.
@Cacheable()
export class NotAMethod {}

// @ts-expect-error: units are ms, s, m, h and d.
export const wrongDuration: Duration = '5min'

// @ts-expect-error: words of a policy have their own types.
export const wrongPolicy: CacheOptions = { jitter: '10%' }
