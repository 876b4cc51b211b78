/** What must compile, and what must not, with standard decorators and with `experimentalDecorators`. Compiled, never run. */

import { Cacheable, CacheConfig, CacheEvict, CachePut, cached, describeClass } from '@larder/core'

interface Product {
  readonly id: string
  readonly shopId: string
}

interface Order {
  readonly total: number
}

declare const products: Products

@CacheConfig({ cache: 'products', ttl: '10m' })
export class Products {
  @Cacheable({
    key: (id: string) => id,
    tags: (found: Product | undefined) => (found ? [`shop:${found.shopId}`] : []),
    unless: (found: Product | undefined) => found === undefined,
    ttl: (found: Product | undefined, id: string) => (found?.id === id ? '5m' : '1s'),
  })
  async find(_id: string): Promise<Product | undefined> {
    return undefined
  }

  @Cacheable({ key: (id: string) => id })
  async findMore(_id: string, _flags: number): Promise<Product[]> {
    return []
  }

  @Cacheable()
  async everything(): Promise<Product[]> {
    return []
  }

  @Cacheable({ key: 'product:{0}', negativeTtl: '20s', refreshAhead: 1.5 })
  static async shared(_id: number): Promise<Product | null> {
    return null
  }

  @Cacheable({ each: { key: (id: string) => id, by: (found: Product) => found.id } })
  async findMany(_ids: string[]): Promise<Product[]> {
    return []
  }

  @CachePut({ key: (product: Product) => product.id })
  async save(product: Product): Promise<Product> {
    return product
  }

  @CachePut({ keyOf: (saved: Product) => saved.id })
  async create(_shopId: string): Promise<Product> {
    return { id: '', shopId: '' }
  }

  @CacheEvict({ key: (id: string) => id, tags: ['catalogue'], when: 'after', settle: '300ms' })
  async remove(_id: string): Promise<void> {}

  @CacheEvict({ keys: (ids: string[]) => ids, tags: (removed: number) => [`${removed}`] })
  async removeAll(ids: string[]): Promise<number> {
    return ids.length
  }

  // @ts-expect-error: the key function takes a number where the method takes a string.
  @Cacheable({ key: (id: number) => id })
  async wrongKey(_id: string): Promise<Product | undefined> {
    return undefined
  }

  // @ts-expect-error: the tags function takes an Order where the method returns a Product.
  @Cacheable({ key: (id: string) => id, tags: (order: Order) => [`${order.total}`] })
  async wrongTags(_id: string): Promise<Product> {
    return { id: '', shopId: '' }
  }

  // @ts-expect-error: the method returns no promise.
  @Cacheable({ key: (id: string) => id })
  sync(_id: string): Product | undefined {
    return undefined
  }

  // @ts-expect-error: the unit is not one of ms, s, m, h, d.
  @Cacheable({ ttl: '5 minutes' })
  async wrongUnit(): Promise<void> {}

  // @ts-expect-error: the option does not exist.
  @Cacheable({ tll: '5m' })
  async wrongName(): Promise<void> {}

  // @ts-expect-error: the key function takes an Order where the method takes a Product.
  @CachePut({ key: (order: Order) => order.total })
  async wrongPut(product: Product): Promise<Product> {
    return product
  }

  // @ts-expect-error: the key function takes a number where the method takes a string.
  @CacheEvict({ key: (id: number) => id })
  async wrongEvict(_id: string): Promise<void> {}

  // @ts-expect-error: the condition takes a number where the method takes a string.
  @CacheEvict({ key: (id: string) => id, condition: (id: number) => id > 0 })
  async wrongCondition(_id: string): Promise<void> {}

  // @ts-expect-error: the method returns no promise.
  @CacheEvict({ all: true })
  syncEvict(): void {}

  // @ts-expect-error: the list holds numbers where each.key takes a string.
  @Cacheable({ each: { key: (id: string) => id } })
  async wrongEach(_ids: number[]): Promise<Product[]> {
    return []
  }

  plain(): number {
    return 1
  }
}

export async function handles(): Promise<void> {
  await cached(products, 'find').evict('42')
  const peeked: Product | undefined = await cached(products, 'find').peek('42')
  await cached(products, 'find').set(['42'], peeked)
  await cached(Products, 'shared').evict(1)
  describeClass(Products)

  // @ts-expect-error: the method takes a string.
  await cached(products, 'find').evict(1)
  // @ts-expect-error: the value is not a Product.
  await cached(products, 'find').set(['42'], 1)
  // @ts-expect-error: not a method that returns a promise.
  cached(products, 'plain')
}
