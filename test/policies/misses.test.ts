/** What is not there is a miss, in the events as in the statistics, whoever asked. */

import { Cacheable, cached, createCacheManager } from '@larder/core'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { expect, it, onTestFinished } from 'vitest'

it.each([['in process'], ['with a store']])('%s, every miss is an event', async (where) => {
  const remote = where === 'in process' ? undefined : new MemoryServer().store()
  const codec = remote && structuredCodec
  const caches = createCacheManager({ namespace: 'misses', local: lruStore(), remote, codec })
  onTestFinished(() => caches.close())
  class Shop {
    @Cacheable({ cache: 'c', key: (id: string) => id, ttl: '1h' })
    async find(id: string): Promise<string> {
      return id
    }
  }
  const keys: string[] = []
  caches.on('miss', ({ key }) => keys.push(key))
  const cache = caches.cache('c', { ttl: '1h' })
  await cache.get('a')
  await cache.getMany(['b', 'c'])
  await cached(new Shop(), 'find').peek('d')
  await cache.getOrLoad('e', async () => 'e')
  await cache.getManyOrLoad(['f', 'e'], async (missing) => missing)
  await cache.get('e')
  expect(keys).toEqual(['c:a', 'c:b', 'c:c', 'c:d', 'c:e', 'c:f'])
  expect(caches.stats().misses).toBe(6)
})
