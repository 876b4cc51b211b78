/** The cache manager of one node. */

import { type CacheManager, createCacheManager } from '@larder/core'
import type { RemoteStore } from '@larder/core/store'
import { lruStore } from '@larder/local-store'

/** How old an evicted value may get on a node that hears of nothing. */
export const MAX_STALENESS_MS = 1_000

/** Creates the manager, over the shared tier. `isDefault`: decorated methods use it without naming it. */
export function createCaches(remote: RemoteStore, isDefault = true): CacheManager {
  return createCacheManager({
    namespace: 'catalogue',
    local: lruStore({ maxEntries: 50_000, maxBytes: '64mb' }),
    remote,
    defaults: { ttl: '10m', negativeTtl: '20s', maxStaleness: MAX_STALENESS_MS },
    default: isDefault,
  })
}
