/** The peers, set up as their documentation says, for the questions that are asked of all. */

import { cachified } from '@epic-web/cachified'
import { Cacheable as TypeCacheable } from '@type-cacheable/core'
import { useAdapter } from '@type-cacheable/lru-cache-adapter'
import { createCache as createDedupe } from 'async-cache-dedupe'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { createCache as createCacheManagerPeer } from 'cache-manager'
import { Cacheable } from 'cacheable'
import { Redis } from 'ioredis'
import { Loader } from 'layered-loader'
import { RedisCache } from 'layered-loader/redis'
import { LRUCache } from 'lru-cache'

export type User = {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly active: boolean
}

export const userOf = (id: string): User => ({
  id,
  name: 'Ada Lovelace',
  email: `${id}@example.com`,
  active: true,
})

/** A way to read a user by id. */
export interface PeerCache extends AsyncDisposable {
  readonly name: string
  read(id: string): Promise<unknown>
}

const HOUR_MS = 3_600_000
const MOST = 10_000

/** In process only. */
export function localPeers(most = MOST): readonly PeerCache[] {
  return [
    layeredLoader(most),
    dedupe(most),
    cacheManager(),
    cachifiedOnLru(most),
    cacheable(),
    bento(most),
    typeCacheable(most),
  ]
}

/** In process and Redis, with a bus where they have one. */
export function twoTierPeers(url: string): readonly PeerCache[] {
  return [twoTierLayeredLoader(url), twoTierBento(url)]
}

function layeredLoader(most: number): PeerCache {
  const loader = new Loader<User>({
    inMemoryCache: { cacheType: 'lru-object', ttlInMsecs: HOUR_MS, maxItems: most },
    dataSources: [{ name: 'users', get: async (id: string) => userOf(id) } as never],
  })
  return { name: 'layered-loader', read: (id) => loader.get(id), [Symbol.asyncDispose]: nothing }
}

function dedupe(most: number): PeerCache {
  const cache = createDedupe({
    ttl: HOUR_MS / 1_000,
    storage: { type: 'memory', options: { size: most } },
  }).define('find', async (id: string) => userOf(id))
  return {
    name: 'async-cache-dedupe',
    read: (id) => cache.find(id),
    [Symbol.asyncDispose]: nothing,
  }
}

function cacheManager(): PeerCache {
  const cache = createCacheManagerPeer({ ttl: HOUR_MS })
  return {
    name: 'cache-manager',
    read: (id) => cache.wrap(`user:${id}`, async () => userOf(id)),
    [Symbol.asyncDispose]: nothing,
  }
}

function cachifiedOnLru(most: number): PeerCache {
  const cache = new LRUCache<string, never>({ max: most })
  return {
    name: 'cachified',
    read: (id) =>
      cachified({
        key: `user:${id}`,
        cache: cache as never,
        ttl: HOUR_MS,
        getFreshValue: async () => userOf(id),
      }),
    [Symbol.asyncDispose]: nothing,
  }
}

function cacheable(): PeerCache {
  const cache = new Cacheable({ ttl: HOUR_MS })
  return {
    name: 'cacheable',
    read: (id) => cache.getOrSet(`user:${id}`, async () => userOf(id)),
    [Symbol.asyncDispose]: async () => void (await cache.disconnect()),
  }
}

function bento(most: number): PeerCache {
  const cache = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: most })) },
  })
  return {
    name: 'bentocache',
    read: (id) => cache.getOrSet({ key: `user:${id}`, ttl: '1h', factory: async () => userOf(id) }),
    [Symbol.asyncDispose]: () => cache.disconnectAll(),
  }
}

function typeCacheable(most: number): PeerCache {
  useAdapter(new LRUCache<string, string>({ max: most }) as never)
  // Its decorators are legacy ones; applied by hand, as their helper would.
  class Users {
    async find(id: string): Promise<User> {
      return userOf(id)
    }
  }
  const decorate = TypeCacheable({ cacheKey: ([id]: string[]) => `user:${id}`, ttlSeconds: 3_600 })
  const own = Object.getOwnPropertyDescriptor(Users.prototype, 'find') as PropertyDescriptor
  const decorated = decorate(Users.prototype, 'find', own as never) as unknown
  if (decorated !== undefined) Object.defineProperty(Users.prototype, 'find', decorated as object)
  const users = new Users()
  return {
    name: '@type-cacheable decorator',
    read: (id) => users.find(id),
    [Symbol.asyncDispose]: nothing,
  }
}

function twoTierLayeredLoader(url: string): PeerCache {
  const client = new Redis(url)
  const loader = new Loader<User>({
    inMemoryCache: { cacheType: 'lru-object', ttlInMsecs: HOUR_MS, maxItems: MOST },
    asyncCache: new RedisCache<User>(client as never, {
      json: true,
      ttlInMsecs: HOUR_MS,
      prefix: 'layered',
    }),
    dataSources: [{ name: 'users', get: async (id: string) => userOf(id) } as never],
  })
  return {
    name: 'layered-loader',
    read: (id) => loader.get(id),
    [Symbol.asyncDispose]: async () => client.disconnect(),
  }
}

function twoTierBento(url: string): PeerCache {
  const connection = new Redis(url)
  const busConnection = new Redis(url)
  const cache = new BentoCache({
    default: 'tiers',
    stores: {
      tiers: bentostore()
        .useL1Layer(memoryDriver({ maxItems: MOST }))
        .useL2Layer(redisDriver({ connection: connection as never }))
        .useBus(redisBusDriver({ connection: busConnection as never })),
    },
  })
  return {
    name: 'bentocache',
    read: (id) => cache.getOrSet({ key: `user:${id}`, ttl: '1h', factory: async () => userOf(id) }),
    [Symbol.asyncDispose]: async () => {
      await cache.disconnectAll()
      for (const client of [connection, busConnection]) client.disconnect()
    },
  }
}

async function nothing(): Promise<void> {}
