/** Managers whose event stores are in each kind of store. */

import { type CacheManager, type CacheManagerOptions, createCacheManager } from '@larder/core'
import { localEventStore } from '@larder/local-store'
import { redisEventStore } from '@larder/redis-store'
import { inject, onTestFinished } from 'vitest'
import { freshNamespace } from '../../support/nodes.ts'

export type EventPlace = 'in process' | 'on Redis'
export const PLACES: readonly EventPlace[] = ['in process', 'on Redis']

/** Two managers of one namespace, each as if in a process of its own. */
export function openTwo(
  place: EventPlace,
  options: Partial<CacheManagerOptions> & { readonly url?: string } = {},
): readonly [CacheManager, CacheManager] {
  const { url = inject('redisUrl'), ...rest } = options
  const namespace = freshNamespace()
  const open = (): CacheManager => {
    const eventStore = place === 'in process' ? localEventStore() : redisEventStore({ url })
    const caches = createCacheManager({
      namespace,
      eventStore,
      default: false,
      logger: false,
      ...rest,
    })
    onTestFinished(() => caches.close())
    return caches
  }
  return [open(), open()]
}

/** All that there is to read. */
export async function all<Each>(items: AsyncIterable<Each>): Promise<readonly Each[]> {
  const list: Each[] = []
  for await (const item of items) list.push(item)
  return list
}
