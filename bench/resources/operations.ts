/** One of each thing that talks to Redis, for the questions what it costs there and on the way. */

import type { CacheManager } from '@larder/core'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { userOf } from '../peers.ts'

export interface Operation {
  readonly name: string
  /** `n` differs from call to call. */
  run(n: number): Promise<unknown>
  /** What has to be there first for the calls with these `n`; not measured. */
  prepare?(from: number, count: number): Promise<unknown>
}

export interface Operations extends AsyncDisposable {
  readonly all: readonly Operation[]
}

const BATCH = 100
const PLENTY = 1_000_000

/** Operations of two managers, one with both tiers and one without the local one, on this Redis. */
export function operationsOn(url: string): Operations {
  const both = managerOn(url, true)
  const shared = managerOn(url, false)
  const cache = both.cache('c')
  const remote = shared.cache('c')
  const limiter = both.limiter({
    limit: PLENTY,
    per: '1m',
    storeTimeout: '10s',
    onStoreError: 'closed',
  })
  const fill = (prefix: string) => async (from: number, count: number) => {
    for (let n = from; n < from + count; n++)
      await cache.set(`${prefix}${n}`, userOf(`${n}`), { tags: [`${prefix}${n}`] })
  }
  const batch = Array.from({ length: BATCH }, (_, i) => `many${i}`)
  const all: Operation[] = [
    {
      name: 'local hit',
      run: () => cache.getOrLoad('local', async () => userOf('1')),
      prepare: () => cache.set('local', userOf('1')),
    },
    { name: 'remote hit', run: (n) => remote.get(`hit${n}`), prepare: fill('hit') },
    {
      name: `remote hits, ${BATCH} keys at once`,
      run: () => remote.getMany(batch),
      prepare: () => Promise.all(batch.map((key) => cache.set(key, userOf(key)))),
    },
    {
      name: 'miss: read, claim, fill',
      run: (n) => cache.getOrLoad(`miss${n}`, async () => userOf(`${n}`)),
    },
    { name: 'set', run: (n) => cache.set(`set${n}`, userOf(`${n}`)) },
    {
      name: 'update, of what there is',
      run: (n) => cache.update(`update${n}`, (old) => ({ ...(old as object), seen: n })),
      prepare: fill('update'),
    },
    { name: 'evict', run: (n) => cache.evict(`evict${n}`), prepare: fill('evict') },
    { name: 'evict a tag', run: (n) => both.evictTags([`tag${n}`]), prepare: fill('tag') },
    {
      name: 'lock, acquire and release',
      run: async (n) => (await both.locks.acquire(`lock${n}`, { lease: '10s' })).release(),
    },
    { name: 'limit', run: (n) => limiter.consume(`ip${n % 100}`) },
  ]
  return {
    all,
    [Symbol.asyncDispose]: async () => void (await Promise.all([both.close(), shared.close()])),
  }
}

function managerOn(url: string, isLocal: boolean): CacheManager {
  return createCacheManager({
    namespace: 'bench-resources',
    ...(isLocal ? { local: lruStore({ maxEntries: 100_000 }) } : {}),
    remote: redisStore({ url }),
    storeTimeout: '10s',
    default: false,
    defaults: { ttl: '1h' },
  })
}
