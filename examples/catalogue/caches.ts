/** The cache manager of one node. */

import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'

/** How old an evicted value may get on a node that hears of nothing. */
export const MAX_STALENESS_MS = 1_000

/** Creates the manager: two levels with a Redis, one without. */
export function createCaches(redisUrl: string | undefined): CacheManager {
  return createCacheManager({
    namespace: 'catalogue',
    local: lruStore({ maxEntries: 50_000, maxBytes: '64mb' }),
    ...(redisUrl === undefined ? {} : { remote: redisStore({ url: redisUrl }) }),
    defaults: { ttl: '10m', negativeTtl: '20s', maxStaleness: MAX_STALENESS_MS },
  })
}
