/** Every way of locking that is offered, over every kind of store, as `promises.test.ts` crosses them with what is promised. */

import { type CacheManager, createCacheManager, type LockOptions, quorumLocks } from '@larder/core'
import type { LockProvider } from '@larder/core/store'
import { localLocks, lruStore } from '@larder/local-store'
import { redisLocks } from '@larder/redis-store'
import type { RedisServer } from '../../support/redis/redis-server.ts'
import { altered } from './stage.ts'

export type StoreKind = 'redis' | 'quorum' | 'local' | 'away'

export interface Mode {
  readonly name: string
  readonly store: StoreKind
  readonly options: LockOptions
  readonly keys: readonly string[]
  /** How many may be inside at once. */
  readonly most: number
  /** Who cannot get in beside a holder. */
  readonly rival: LockOptions
  /** Waiters are served in the order they came. */
  readonly isInOrder: boolean
}

interface Way {
  readonly options?: LockOptions
  readonly keys?: readonly string[]
  readonly most?: number
  readonly rival?: LockOptions
}

const WAYS: Readonly<Record<string, Way>> = {
  exclusive: {},
  'exclusive, fair to every caller': { options: { fair: 'global' } },
  'several keys': { keys: ['a', 'b', 'c'] },
  readers: { options: { mode: 'read' }, most: Number.POSITIVE_INFINITY, rival: { mode: 'write' } },
  'three permits': { options: { permits: 3 }, most: 3, rival: { permits: 3, weight: 3 } },
  'weights of four permits': {
    options: { permits: 4, weight: 2 },
    most: 2,
    rival: { permits: 4, weight: 4 },
  },
}

const REPLICAS: LockOptions = { replicas: { min: 1, timeout: 900 } }

export const MODES: readonly Mode[] = [
  ...Object.entries(WAYS).flatMap(([name, way]) => [
    modeOf(`${name}, on Redis`, 'redis', way),
    modeOf(`${name}, within the process`, 'local', way),
  ]),
  // Each first call takes a second to learn it.
  ...['exclusive', 'several keys', 'readers', 'weights of four permits'].map((name) => {
    const way = WAYS[name] ?? {}
    return modeOf(`${name}, within the process while Redis is away`, 'away', {
      ...way,
      options: { ...way.options, onUnavailable: 'local' },
      rival: { ...(way.rival ?? way.options), onUnavailable: 'local' },
    })
  }),
  modeOf('exclusive, with a replica', 'redis', { options: REPLICAS }),
  modeOf('several keys, with a replica', 'redis', { options: REPLICAS, keys: ['a', 'b'] }),
  modeOf('exclusive, on a quorum', 'quorum', {}),
  modeOf('several keys, on a quorum', 'quorum', { keys: ['a', 'b'] }),
]

function modeOf(name: string, store: StoreKind, way: Way): Mode {
  const { options = {}, keys = ['a'], most = 1, rival = options } = way
  return { name, store, options, keys, most, rival, isInOrder: most === 1 && store !== 'quorum' }
}

export interface Servers {
  readonly main: RedisServer
  readonly members: readonly RedisServer[]
}

/** One process' end, and where its locks are. */
export interface End {
  readonly caches: CacheManager
  readonly provider: LockProvider
}

/** A manager over a store of a kind. */
export function startEnd(kind: StoreKind, { main, members }: Servers, namespace: string): End {
  const local = lruStore()
  if (kind === 'local' || kind === 'away') {
    const locks = kind === 'local' ? undefined : awayLocks()
    const caches = createCacheManager({ namespace, local, default: false, ...(locks && { locks }) })
    return { caches, provider: local.locks as LockProvider }
  }
  const provider =
    kind === 'redis'
      ? redisLocks({ url: main.url })
      : quorumLocks({ providers: members.map(({ url }) => redisLocks({ url })) })
  const caches = createCacheManager({ namespace, locks: provider, default: false })
  return { caches, provider }
}

function awayLocks(): LockProvider {
  const real = localLocks()
  return altered(real, {
    name: 'away',
    capabilities: { ...real.capabilities, shared: true },
    acquire: () => Promise.reject(new Error('refused')),
    leave: () => Promise.reject(new Error('refused')),
  })
}
