/** What does a local hit cost, next to a bare look-up in lru-cache, and in the peers? (P1, P2) */

import { Cacheable, CacheConfig, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { LRUCache } from 'lru-cache'
import { compare, type Timed } from './harness.ts'
import { localPeers } from './peers.ts'

const USER = { id: '42', name: 'Ada Lovelace', email: 'ada@example.com', active: true }

@CacheConfig({ cache: 'users' })
class Users {
  @Cacheable({ key: (id: string) => id, tags: ['users', 'people'] })
  async find(id: string): Promise<typeof USER> {
    return { ...USER, id }
  }

  @Cacheable({ tags: ['users', 'people'] })
  async findByDefaultKey(id: string): Promise<typeof USER> {
    return { ...USER, id }
  }
}

/** Returns floor, explicit key, default key, peers. */
export async function localHit(operations: number, rounds: number): Promise<readonly Timed[]> {
  await using _caches = createCacheManager({
    namespace: 'bench',
    local: lruStore(),
    defaults: { ttl: '1h' },
  })
  const users = new Users()
  await users.find('42')
  await users.findByDefaultKey('42')
  const lru = new LRUCache<string, typeof USER>({ max: 10_000, ttl: 3_600_000 })
  lru.set('user:42', USER)
  const floor = async (id: string): Promise<typeof USER | undefined> => lru.get(`user:${id}`)
  const peers = localPeers()
  for (const peer of peers) await peer.read('42')
  // One loop each: a shared one would make the call megamorphic and measure that. Peers take long, and do fewer.
  const timed = await compare(
    [
      {
        name: 'floor: lru-cache get in an async function',
        round: async () => {
          for (let i = 0; i < operations; i++) await floor('42')
          return operations
        },
      },
      {
        name: 'Larder: @Cacheable, key function, tags, statistics',
        round: async () => {
          for (let i = 0; i < operations; i++) await users.find('42')
          return operations
        },
      },
      {
        name: 'Larder: @Cacheable, default key',
        round: async () => {
          for (let i = 0; i < operations; i++) await users.findByDefaultKey('42')
          return operations
        },
      },
      ...peers.map((peer) => {
        const { read, name } = peer
        const fewer = operations / 10
        return {
          name,
          round: async () => {
            for (let i = 0; i < fewer; i++) await read('42')
            return fewer
          },
        }
      }),
    ],
    rounds,
  )
  for (const peer of peers) await peer[Symbol.asyncDispose]()
  return timed
}
