/** Managers whose limits are kept in this process and in Redis. */

import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { onTestFinished } from 'vitest'
import { freshNamespace, startNode } from '../../support/nodes.ts'

/** Starts managers of one namespace each; they are closed when the test ends. */
export const STORES: readonly (readonly [name: string, start: () => CacheManager])[] = [
  [
    'in process',
    () => {
      const namespace = freshNamespace()
      const caches = createCacheManager({ namespace, local: lruStore(), default: false })
      onTestFinished(() => caches.close())
      return caches
    },
  ],
  ['Redis', () => startNode().caches],
]

/** One of them, where it makes no difference which. */
export const startLocal = (): CacheManager => (STORES[0] as (typeof STORES)[number])[1]()

/** Options of limiters that leave a busy machine time to ask. */
export const PATIENT = { storeTimeout: '20s', onStoreError: 'closed' } as const
