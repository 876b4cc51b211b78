/** What an eviction takes, by the way it is asked for. Compiled, never run. */

import { CacheEvict, type CacheManager, type EvictOptions, type SoftOption } from '@larder/core'

export async function softly(caches: CacheManager, soft: boolean | undefined): Promise<void> {
  const cache = caches.cache<string>('products')
  const how: SoftOption = { soft }
  await cache.evictTags(['t'], how)
  await cache.clear({ soft: true })
  await caches.evictTags(['t'], { soft })
  await caches.clear(undefined)
  for await (const { evicted } of cache.evictPattern('a*', how)) evicted.toFixed()
}

export async function withWindow(caches: CacheManager, options: EvictOptions): Promise<void> {
  const cache = caches.cache<string>('products')
  await cache.evict('k', { soft: true, settle: '2s' })
  await cache.evictMany(['k'], options)
  // @ts-expect-error a window is for keys that are known
  await cache.evictTags(['t'], { settle: '2s' })
  // @ts-expect-error the same
  await cache.clear({ settle: '2s' })
  // @ts-expect-error the same
  await caches.evictTags(['t'], { soft: true, settle: '2s' })
  // @ts-expect-error the same
  await caches.clear({ settle: '2s' })
  // @ts-expect-error the same
  cache.evictPattern('*', { settle: '2s' })
  // @ts-expect-error it is a boolean
  await cache.clear({ soft: 'yes' })
}

export class Products {
  @CacheEvict({ tags: ['catalogue'], soft: true })
  async reprice(): Promise<void> {}

  @CacheEvict({ cache: 'products', all: true, soft: true })
  async reload(): Promise<void> {}
}
