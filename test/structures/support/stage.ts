/** Managers whose structures are in each kind of store. */

import { type CacheManager, type CacheManagerOptions, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { inject, onTestFinished } from 'vitest'
import { freshNamespace } from '../../support/nodes.ts'

export type StructurePlace = 'in process' | 'on Redis'
export const PLACES: readonly StructurePlace[] = ['in process', 'on Redis']

/** `namespace`: for a second node. */
export function openStructures(
  place: StructurePlace,
  options: Partial<CacheManagerOptions> = {},
): CacheManager {
  const remote = place === 'on Redis' ? { remote: redisStore({ url: inject('redisUrl') }) } : {}
  const caches = createCacheManager({
    namespace: freshNamespace(),
    local: lruStore(),
    ...remote,
    default: false,
    logger: false,
    ...options,
  })
  onTestFinished(() => caches.close())
  return caches
}
