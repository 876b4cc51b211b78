/** A service with every decorator, as a project of its own would have it. */

import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  CachePut,
  cached,
  currentLock,
  RateLimited,
  WithLock,
} from '@larder/core'

export interface Product {
  readonly id: string
  readonly price: number
}

@CacheConfig({ cache: 'products', ttl: '10m' })
export class ProductService {
  loads = 0
  readonly rows = new Map<string, Product>([['1', { id: '1', price: 10 }]])

  @Cacheable({
    key: (id: string) => id,
    tags: (_found: Product | undefined, id: string) => [`product:${id}`],
    negativeTtl: '20s',
  })
  async find(id: string): Promise<Product | undefined> {
    this.loads += 1
    return this.rows.get(id)
  }

  @Cacheable({ each: { key: (id: string) => id, by: (found: Product) => found.id } })
  async findMany(ids: readonly string[]): Promise<Product[]> {
    this.loads += 1
    return ids.flatMap((id) => this.rows.get(id) ?? [])
  }

  @CachePut({ key: (product: Product) => product.id })
  async save(product: Product): Promise<Product> {
    this.rows.set(product.id, product)
    return product
  }

  @CacheEvict({ key: (id: string) => id, tags: ['catalogue'] })
  async remove(id: string): Promise<void> {
    this.rows.delete(id)
  }

  async changedElsewhere(id: string): Promise<void> {
    await cached(this, 'find').evict(id)
  }

  @WithLock({ key: (id: string) => `order:${id}`, lease: '10s', wait: 0 })
  async checkout(_id: string, work: () => Promise<unknown>): Promise<bigint | number> {
    await work()
    return currentLock().fence
  }

  @RateLimited({ name: 'search', key: (ip: string) => ip, limit: 2, per: '1h' })
  async search(_ip: string): Promise<string> {
    return 'found'
  }
}

/** Its cache is named after the class and the method. */
export class UnnamedService {
  static loads = 0

  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<string> {
    return `found ${id}`
  }

  @Cacheable()
  static async count(of: { readonly kind: string }): Promise<number> {
    UnnamedService.loads += 1
    return of.kind.length
  }
}
