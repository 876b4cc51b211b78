/** What does an entry cost besides its value, in Redis and in memory (P11), and how large is the core in a bundle? */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { Cacheable, CacheConfig, type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { msgpackCodec, redisStore } from '@larder/redis-store'
import { build } from 'esbuild'
import { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { userOf } from './peers.ts'

export interface Sizes {
  /** Bytes of a stored entry that are not its value, without tags. */
  readonly remoteOverhead: number
  /** Heap bytes an entry of lru-cache with a ttl takes, value included. */
  readonly lruEntry: number
  /** The same of Larder's local tier. */
  readonly larderEntry: number
  /** The same after a decorated method has loaded and hit it: with its place in the index, and the promise that hits share. */
  readonly larderHitEntry: number
  /** `@larder/core`, everything it exports, minified and gzipped. */
  readonly importBytes: number
}

const ENTRIES = 20_000
const HOUR_MS = 3_600_000

let hitCaches: CacheManager

@CacheConfig({ cache: 'users', manager: () => hitCaches })
class Users {
  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<object> {
    return userOf(id)
  }
}

export async function sizes(url: string): Promise<Sizes> {
  return {
    remoteOverhead: await remoteOverhead(url),
    lruEntry: await heapPerEntry(async () => {
      const lru = new LRUCache<string, object>({ max: ENTRIES, ttl: HOUR_MS })
      for (let i = 0; i < ENTRIES; i++) lru.set(`users:u${i}`, userOf(`u${i}`))
      return lru
    }),
    larderEntry: await heapPerEntry(async () => {
      const caches = createCacheManager({
        namespace: 'bench-bytes',
        local: lruStore({ maxEntries: ENTRIES }),
        default: false,
        defaults: { ttl: '1h' },
      })
      const cache = caches.cache('users')
      for (let i = 0; i < ENTRIES; i++) await cache.set(`u${i}`, userOf(`u${i}`))
      return caches
    }),
    larderHitEntry: await heapPerEntry(async () => {
      hitCaches = createCacheManager({
        namespace: 'bench-bytes-hit',
        local: lruStore({ maxEntries: ENTRIES }),
        default: false,
        defaults: { ttl: '1h' },
      })
      const users = new Users()
      for (let i = 0; i < 3 * ENTRIES; i++) await users.find(`u${i % ENTRIES}`)
      return hitCaches
    }),
    importBytes: await importBytes(),
  }
}

async function remoteOverhead(url: string): Promise<number> {
  await using caches = createCacheManager({
    namespace: 'bench-bytes',
    remote: redisStore({ url }),
    default: false,
  })
  await caches.cache('users').set('u1', userOf('u1'))
  const client = new Redis(url)
  const [key = ''] = await client.keys('{bench-bytes:*:users:u1')
  const stored = await client.strlen(key)
  client.disconnect()
  return stored - msgpackCodec().encode(userOf('u1')).length
}

async function heapPerEntry(fill: () => Promise<object>): Promise<number> {
  const before = await heapAtRest()
  const held = await fill()
  const after = await heapAtRest()
  // Kept alive until it was measured.
  if (Reflect.ownKeys(held).length < 0) throw new Error('unreachable')
  return (after - before) / ENTRIES
}

/** Bytes of the heap when collecting finds nothing more: what earlier questions left lets go in several steps. */
async function heapAtRest(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let last = Number.POSITIVE_INFINITY; ; ) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 100))
    const { heapUsed } = process.memoryUsage()
    if (heapUsed >= last) return last
    last = heapUsed
  }
}

async function importBytes(): Promise<number> {
  const { outputFiles } = await build({
    stdin: {
      contents: "export * from '@larder/core'",
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    external: ['reflect-metadata'],
    write: false,
  })
  const [output] = outputFiles
  if (output === undefined) throw new Error('Nothing was bundled')
  return gzipSync(output.contents, { level: 9 }).length
}
