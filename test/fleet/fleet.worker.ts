/** A process that reports itself; the test tells it what to do. */

import { type CacheManager, createCacheManager, type Fleet } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'

export interface FleetWorkerInit {
  readonly url: string
  readonly namespace: string
  readonly name: string
}

let caches: CacheManager

function start({ url, namespace, name }: FleetWorkerInit): void {
  caches = createCacheManager({
    namespace,
    local: lruStore(),
    remote: redisStore({ url }),
    fleet: { name, every: '2s' },
    defaults: { ttl: '1h', jitter: 0 },
    storeTimeout: '20s',
    logger: false,
  })
}

/** Loads so many keys of a cache, of its own, then reads each once more. */
async function read(cache: string, keys: number): Promise<void> {
  const named = caches.cache<string>(cache)
  for (let pass = 0; pass < 2; pass++) {
    for (let i = 0; i < keys; i++) await named.getOrLoad(`${process.pid}-${i}`, async () => 'v')
  }
}

function fleet(): Promise<Fleet> {
  return caches.fleet()
}

async function stop(): Promise<void> {
  await caches.close()
}

export const worker = { start, read, fleet, stop }
