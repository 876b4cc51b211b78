/** A process that appends and projects, for tests that kill it. */

import { type CacheManager, createCacheManager } from '@larder/core'
import { createEventStore, type EventStore } from '@larder/plugins/messaging'
import { redisEventStore } from '@larder/redis-store'
import { Redis } from 'ioredis'

export interface EventsWorkerInit {
  readonly url: string
  readonly namespace: string
  readonly partitions: number
}

let caches: CacheManager
let store: EventStore<number, number>
let redis: Redis

function start({ url, namespace, partitions }: EventsWorkerInit): void {
  caches = createCacheManager({
    namespace,
    eventStore: redisEventStore({ url }),
    default: false,
    logger: false,
  })
  store = createEventStore<number>(caches, { name: 'n', partitions, storeTimeout: '10s' })
  redis = new Redis(url)
}

/** Tries to append at a version; the number of tries that won. */
async function race(stream: string, version: number, tries: number): Promise<number> {
  const all = await Promise.allSettled(
    Array.from({ length: tries }, (_, i) => store.append(stream, [i], { expected: version })),
  )
  return all.filter(({ status }) => status === 'fulfilled').length
}

/** Notes each event in a list of its partition, outside of Larder, before it counts as handled. */
function project(list: string): void {
  store.project(
    'p',
    async ({ partition, position, data }, { fence }) => {
      await redis.rpush(`${list}:${partition}`, `${position} ${data} ${fence}`)
    },
    { pollEvery: 10, lease: '1s', saveEvery: 7 },
  )
}

async function stop(): Promise<void> {
  await caches.close()
  redis.disconnect()
}

export const worker = { start, race, project, stop }
