import { Cacheable, CacheConfig, type CacheManager, cached, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import type { Contestant } from '../contestant.ts'

export const larder: Contestant = {
  name: 'Larder',
  setup: 'README, "The API on one screen"; ttl 1 h and nothing else',
  async start({ url, load }) {
    const caches: CacheManager = createCacheManager({
      namespace: 'duel',
      local: lruStore(),
      remote: redisStore({ url }),
      default: false,
    })

    @CacheConfig({ cache: 'items', ttl: '1h', manager: () => caches })
    class Items {
      @Cacheable({ key: (key: string) => key })
      find(key: string): Promise<number> {
        return load(key)
      }
    }

    const items = new Items()
    return {
      read: (key) => items.find(key),
      evict: (key) => cached(items, 'find').evict(key),
      close: () => caches.close(),
    }
  },
}
