/**
 * Mistakes that everybody makes, each under a comment that says what the compiler's message has to contain. Compiled by
 * `check.mjs`, never run.
 */

import { Cacheable, CacheConfig, CacheEvict, CachePut, RateLimited, WithLock } from '@larder/core'

interface Product {
  readonly id: string
}

export class Unannotated {
  // says: AnnotateKeyArgs
  @Cacheable({ key: (id) => id })
  async key(id: string): Promise<Product> {
    return { id }
  }

  // says: AnnotateKeyArgs
  @Cacheable({ key: (product) => product.id })
  async keyOfMember(product: Product): Promise<Product> {
    return product
  }

  // says: AnnotateKeyArgs
  @Cacheable({ key: (shop, id) => [shop, id] })
  async compositeKey(shop: string, id: string): Promise<Product> {
    return { id: shop + id }
  }

  // says: AnnotateTheResult
  @Cacheable({ key: (id: string) => id, tags: (found) => [`product:${found.id}`] })
  async tags(id: string): Promise<Product> {
    return { id }
  }

  // says: AnnotateTagsArgs
  @Cacheable({ tags: (_found: Product, product) => [product.id] })
  async tagsOfArguments(product: Product): Promise<Product> {
    return product
  }

  // says: AnnotateTheResult
  @Cacheable({ key: (id: string) => id, unless: (found) => found.id === '' })
  async unless(id: string): Promise<Product> {
    return { id }
  }

  // says: AnnotateTheResult
  @Cacheable({ key: (id: string) => id, ttl: (found) => (found.id === '' ? '1s' : '1m') })
  async ttl(id: string): Promise<Product> {
    return { id }
  }

  // says: AnnotateConditionArgs
  @Cacheable({ condition: (product) => product.id !== '' })
  async condition(product: Product): Promise<Product> {
    return product
  }

  // says: AnnotateTheElement
  @Cacheable({ each: { key: (id) => id } })
  async each(ids: string[]): Promise<Product[]> {
    return ids.map((id) => ({ id }))
  }

  // says: AnnotateTheResult
  @Cacheable({ each: { key: (id: string) => id, by: (found) => found.id } })
  async eachBy(ids: string[]): Promise<Product[]> {
    return ids.map((id) => ({ id }))
  }

  // says: AnnotateKeyArgs
  @CachePut({ key: (product) => product.id })
  async put(product: Product): Promise<Product> {
    return product
  }

  // says: AnnotateTheResult
  @CachePut({ keyOf: (made) => made.id })
  async make(id: string): Promise<Product> {
    return { id }
  }

  // says: AnnotateKeyArgs
  @CacheEvict({ key: (id) => id })
  async evict(_id: string): Promise<void> {}

  // says: AnnotateKeysArgs
  @CacheEvict({ keys: (ids) => ids })
  async evictMany(_ids: string[]): Promise<void> {}

  // says: AnnotateTheResult
  @CacheEvict({ tags: (removed) => [removed.id] })
  async evictTags(id: string): Promise<Product> {
    return { id }
  }

  // says: AnnotateKeyArgs
  @WithLock({ key: (product) => product.id })
  async lock(_product: Product): Promise<void> {}

  // says: AnnotateKeyArgs
  @RateLimited({ key: (ip) => ip, limit: 1, per: '1m' })
  async limit(_ip: string): Promise<void> {}

  // says: AnnotateCostArgs
  @RateLimited({ limit: 9, per: '1m', cost: (items) => items.length })
  async cost(_items: string[]): Promise<void> {}
}

export class Others {
  readonly tenant = 'north'

  // says: AnnotateThis
  @Cacheable({
    key: function (id: string) {
      return [this.tenant, id]
    },
  })
  async unannotatedThis(id: string): Promise<Product> {
    return { id }
  }

  // says: a callback of the options takes other arguments than the method
  @Cacheable({ key: (id: number) => id })
  async otherArguments(id: string): Promise<Product> {
    return { id }
  }

  // says: AndReturnAKey
  @Cacheable({ key: (id: string) => ({ id }) })
  async objectAsKey(id: string): Promise<Product> {
    return { id }
  }

  // says: 'per' is missing
  @RateLimited({ limit: 5 })
  async noWindow(): Promise<void> {}

  // says: WriteParentheses<"@Cacheable">
  @Cacheable
  async bareCacheable(): Promise<void> {}

  // says: WriteParentheses<"@CachePut">
  @CachePut
  async barePut(): Promise<void> {}

  // says: WriteParentheses<"@CacheEvict">
  @CacheEvict
  async bareEvict(): Promise<void> {}

  // says: WriteParentheses<"@WithLock">
  @WithLock
  async bareLock(): Promise<void> {}

  // says: WriteParentheses<"@RateLimited">
  @RateLimited
  async bareLimit(): Promise<void> {}

  // says: Promise
  @Cacheable({ key: (id: string) => id })
  sync(id: string): Product {
    return { id }
  }

  // says: Duration
  @Cacheable({ ttl: '5 minutes' })
  async unit(): Promise<void> {}

  // says: 'tll' does not exist
  @Cacheable({ tll: '5m' })
  async name(): Promise<void> {}
}

// says: ClassConfig
@CacheConfig
export class Bare {}
