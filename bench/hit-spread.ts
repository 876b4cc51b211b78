/** What does a local hit cost when reads spread over many keys, next to a bare look-up in lru-cache, and in the peers? (P13) */

import { Cacheable, CacheConfig, type CacheManager, createCacheManager } from '@larder/core'
import { adaptiveStore, lruStore } from '@larder/local-store'
import { LRUCache } from 'lru-cache'
import { compare, processorNs, type Timed } from './harness.ts'
import { localPeers, type User, userOf } from './peers.ts'

/** How many keys there are, and how often each is asked for. */
export interface Spread {
  readonly keys: number
  readonly distribution: 'uniform' | 'zipf'
}

/** Every distribution over every number of keys; of one key there is one. */
export function spreadsOf(sizes: readonly number[]): readonly Spread[] {
  return sizes.flatMap((keys) =>
    (keys === 1 ? (['uniform'] as const) : (['uniform', 'zipf'] as const)).map((distribution) => ({
      keys,
      distribution,
    })),
  )
}

@CacheConfig({ cache: 'users' })
class Users {
  @Cacheable({ key: (id: string) => id, tags: ['users', 'people'] })
  async find(id: string): Promise<User> {
    return userOf(id)
  }

  @Cacheable({ tags: ['users', 'people'] })
  async findByDefaultKey(id: string): Promise<User> {
    return userOf(id)
  }
}

let adaptiveCaches: CacheManager

@CacheConfig({ cache: 'users', manager: () => adaptiveCaches })
class AdaptiveUsers {
  @Cacheable({ key: (id: string) => id, tags: ['users', 'people'] })
  async find(id: string): Promise<User> {
    return userOf(id)
  }
}

/** Returns floor, key function, default key, adaptive store, then the peers; every key is held by each of them. */
export async function hitSpread(
  spread: Spread,
  { operations, rounds }: { readonly operations: number; readonly rounds: number },
): Promise<readonly Timed[]> {
  const { keys } = spread
  // No contestant has to drop anything: this is about hits.
  const maxEntries = 2 * keys + 10
  await using _caches = createCacheManager({
    namespace: 'bench',
    local: lruStore({ maxEntries: 2 * maxEntries }),
    defaults: { ttl: '1h' },
  })
  await using adaptive = createCacheManager({
    namespace: 'bench-adaptive',
    local: adaptiveStore({ maxEntries }),
    default: false,
    defaults: { ttl: '1h' },
  })
  adaptiveCaches = adaptive
  const users = new Users()
  const adaptiveUsers = new AdaptiveUsers()
  const lru = new LRUCache<string, User>({ max: maxEntries, ttl: 3_600_000 })
  const floor = async (id: string): Promise<User | undefined> => lru.get(`user:${id}`)
  const peers = localPeers(maxEntries)
  const ids = Array.from({ length: keys }, (_, i) => `${1_000_000 + i * 7}`)
  for (const id of ids) {
    lru.set(`user:${id}`, userOf(id))
    await users.find(id)
    await users.findByDefaultKey(id)
    await adaptiveUsers.find(id)
    for (const peer of peers) await peer.read(id)
  }
  const asked = drawn(spread, ids, 1 << 16)
  const timed = await compare(
    [
      {
        name: 'floor: lru-cache get in an async function',
        round: async () => {
          for (let i = 0; i < operations; i++) await floor(asked[i & 0xffff] as string)
          return operations
        },
      },
      {
        name: 'Larder: @Cacheable, key function, tags, statistics',
        round: async () => {
          for (let i = 0; i < operations; i++) await users.find(asked[i & 0xffff] as string)
          return operations
        },
      },
      {
        name: 'Larder: @Cacheable, default key',
        round: async () => {
          for (let i = 0; i < operations; i++)
            await users.findByDefaultKey(asked[i & 0xffff] as string)
          return operations
        },
      },
      {
        name: 'Larder: adaptiveStore, key function, tags, statistics',
        round: async () => {
          for (let i = 0; i < operations; i++) await adaptiveUsers.find(asked[i & 0xffff] as string)
          return operations
        },
      },
      ...peers.map(({ read, name }) => {
        const fewer = operations / 10
        return {
          name,
          round: async () => {
            for (let i = 0; i < fewer; i++) await read(asked[i & 0xffff] as string)
            return fewer
          },
        }
      }),
    ],
    rounds,
    processorNs,
  )
  for (const peer of peers) await peer[Symbol.asyncDispose]()
  return timed
}

/** Draws from the ids, in the same way at each run: a linear congruential generator stands in for chance. */
function drawn({ distribution }: Spread, ids: readonly string[], count: number): readonly string[] {
  let state = 42
  const chance = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const cumulated: number[] = []
  let sum = 0
  for (let rank = 1; rank <= ids.length; rank++) {
    sum += distribution === 'zipf' ? 1 / rank : 1
    cumulated.push(sum)
  }
  return Array.from({ length: count }, () => {
    const wanted = chance() * sum
    let low = 0
    let high = cumulated.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((cumulated[middle] ?? 0) < wanted) low = middle + 1
      else high = middle
    }
    // Ranks are spread over the ids, so that the frequent ones are not neighbours.
    return ids[(low * 7_919) % ids.length] as string
  })
}
