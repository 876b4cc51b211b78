/** What a reader hovers over: each marked name, with the options that people write most. */

import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  CachePut,
  cached,
  createCacheManager,
  RateLimited,
  WithLock,
} from '@larder/core'

interface Product {
  readonly id: string
  readonly price: number
}

const product: Product = { id: '7', price: 1 }

@CacheConfig({ cache: 'products', ttl: '10m' })
export class Products {
  @Cacheable()
  async all(): Promise<Product[]> {
    return [product]
  }

  @Cacheable({ key: (id: string) => id, ttl: (_: Product | undefined) => '1m' })
  async find(id: string): Promise<Product | undefined> {
    return { ...product, id }
  }

  @Cacheable({ each: { key: (id: string) => id, by: (item: Product) => item.id } })
  async findMany(ids: readonly string[]): Promise<Product[]> {
    return ids.map((id) => ({ ...product, id }))
  }

  @CachePut({ key: (changed: Product) => changed.id })
  async save(changed: Product): Promise<Product> {
    return changed
  }

  @CacheEvict({ key: (id: string) => id, tags: ['catalogue'] })
  async remove(id: string): Promise<void> {
    await this.find(id)
  }

  @CacheEvict({ when: 'before', key: (id: string) => id })
  async forget(id: string): Promise<void> {
    await this.find(id)
  }

  @WithLock({ key: (id: string) => id, lease: '10s' })
  async rebuild(id: string): Promise<void> {
    await this.find(id)
  }

  @RateLimited({ limit: 100, per: '1m', key: (id: string) => id })
  async search(id: string): Promise<Product[]> {
    return this.findMany([id])
  }
}

export const caches = createCacheManager({ namespace: 'shop' })
export const entries = cached(new Products(), 'find')
