/** A node in a process of its own: a cache over the shared Redis whose source is a Redis key, `source:<namespace>`. */

import { setTimeout as delay } from 'node:timers/promises'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'

export interface NodeOrder {
  readonly id: number
  readonly order: 'load' | 'get' | 'evict' | 'evict-tag' | 'clear' | 'stampede' | 'close'
  readonly key?: string
  /** How long the loader takes after it has read the source, ms. */
  readonly loadMs?: number
  readonly callers?: number
}

const [url = '', namespace = ''] = process.argv.slice(2)
const source = new Redis(url)
source.on('error', () => undefined)
const caches = createCacheManager({
  namespace,
  local: lruStore(),
  remote: redisStore({ url }),
  storeTimeout: '2s',
  defaults: { ttl: '1h', maxStaleness: '500ms' },
})
const cache = caches.cache<string>('c')
caches.on('coherence', ({ state }) => process.send?.({ state }))
process.on('unhandledRejection', (reason) => {
  process.send?.({ unhandled: String(reason) })
})

function load({ key = 'k', loadMs = 0 }: NodeOrder): Promise<string> {
  return cache.getOrLoad(
    key,
    async () => {
      await source.incr(`loads:${namespace}`)
      const read = (await source.get(`source:${namespace}`)) ?? ''
      process.send?.({ loading: key })
      await delay(loadMs)
      return read
    },
    { tags: ['t'] },
  )
}

async function carryOut(order: NodeOrder): Promise<unknown> {
  const { key = 'k' } = order
  switch (order.order) {
    case 'load':
      return load(order)
    case 'get':
      return (await cache.get(key)) ?? null
    case 'evict':
      return cache.evict(key)
    case 'evict-tag':
      return cache.evictTags(['t'])
    case 'clear':
      return cache.clear()
    case 'stampede': {
      const results = await Promise.all(
        Array.from({ length: order.callers ?? 1 }, () => load(order)),
      )
      return new Set(results).size
    }
    case 'close':
      await caches.close()
      source.disconnect()
      // The channel is all that is left to keep this process alive.
      setImmediate(() => process.disconnect())
      return undefined
  }
}

process.on('message', (order: NodeOrder) => {
  carryOut(order).then(
    (value) => process.send?.({ id: order.id, value }),
    (error: unknown) => process.send?.({ id: order.id, error: String(error) }),
  )
})
await cache.get('warm-up')
