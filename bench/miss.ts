/** What does a miss cost that ends in both tiers, next to peers with two tiers? (P5) */

import { Cacheable, CacheConfig, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { type Contestant, compare, type Timed } from './harness.ts'
import { twoTierPeers, type User, userOf } from './peers.ts'

@CacheConfig({ cache: 'users' })
class Users {
  @Cacheable({ key: (id: string) => id, ttl: '1h' })
  async find(id: string): Promise<User> {
    return userOf(id)
  }
}

/** Returns the peers, then Larder; every read is of an id that nobody has read before. */
export async function miss(
  url: string,
  callers: number,
  operations: number,
  rounds: number,
): Promise<readonly Timed[]> {
  await using caches = createCacheManager({
    namespace: 'bench-miss',
    local: lruStore(),
    remote: redisStore({ url }),
    storeTimeout: '5s',
  })
  const users = new Users()
  const peers = twoTierPeers(url)
  let next = 0
  const contestant = (name: string, read: (id: string) => Promise<unknown>): Contestant => ({
    name,
    round: async () => {
      const each = Math.ceil(operations / callers)
      const loop = async (): Promise<void> => {
        for (let i = 0; i < each; i++) {
          next += 1
          await read(`m${next}`)
        }
      }
      await Promise.all(Array.from({ length: callers }, loop))
      return each * callers
    },
  })
  const timed = await compare(
    [
      ...peers.map((peer) => contestant(peer.name, (id) => peer.read(id))),
      contestant('Larder: @Cacheable, miss with claim and fill', (id) => users.find(id)),
    ],
    rounds,
  )
  if (caches.stats().loads < operations) throw new Error('Some reads were no misses')
  for (const peer of peers) await peer[Symbol.asyncDispose]()
  return timed
}
