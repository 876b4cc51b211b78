/** A process of the stampede. */

import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'

const LOAD_MS = 50

let caches: CacheManager

async function start({ url, namespace }: { readonly url: string; readonly namespace: string }) {
  caches = createCacheManager({
    namespace,
    local: lruStore(),
    remote: redisStore({ url }),
    storeTimeout: '5s',
  })
  await caches.cache('users').get('warm-up')
}

/** Asks for one key so many times at once; how often that loaded it here. */
async function ask(key: string, callers: number): Promise<number> {
  let loads = 0
  const load = async (): Promise<string> => {
    loads += 1
    await new Promise((resolve) => setTimeout(resolve, LOAD_MS))
    return key
  }
  const cache = caches.cache<string>('users')
  await Promise.all(Array.from({ length: callers }, () => cache.getOrLoad(key, load)))
  return loads
}

async function stop(): Promise<void> {
  await caches.close()
}

export const worker = { start, ask, stop }
