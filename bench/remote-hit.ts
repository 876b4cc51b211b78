/** What does a remote hit cost, next to plain clients that GET and JSON.parse? (P3, P4) */

import { Cacheable, CacheConfig, createCacheManager } from '@larder/core'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { type Contestant, compare, type Timed } from './harness.ts'

const KEYS = 1_000
const user = (id: string) => ({
  id,
  name: 'Ada Lovelace',
  email: `${id}@example.com`,
  active: true,
})

@CacheConfig({ cache: 'users', local: false })
class Users {
  @Cacheable({ key: (id: string) => id, ttl: '1h' })
  async find(id: string): Promise<ReturnType<typeof user>> {
    return user(id)
  }
}

/** Returns plain ioredis, plain node-redis, Larder. */
export async function remoteHit(
  url: string,
  callers: number,
  operations: number,
  rounds: number,
): Promise<readonly Timed[]> {
  await using caches = createCacheManager({
    namespace: 'bench',
    remote: redisStore({ url }),
    storeTimeout: '5s',
  })
  const ioredis = new Redis(url)
  const nodeRedis = createClient({ url })
  await nodeRedis.connect()
  const users = new Users()
  const ids = Array.from({ length: KEYS }, (_, i) => `u${i}`)
  await Promise.all(ids.map((id) => users.find(id)))
  await Promise.all(ids.map((id) => ioredis.set(`plain:${id}`, JSON.stringify(user(id)))))

  const contestant = (name: string, read: (id: string) => Promise<unknown>): Contestant => ({
    name,
    round: async () => {
      const each = Math.ceil(operations / callers)
      const run = async (caller: number): Promise<void> => {
        for (let i = 0; i < each; i++) await read(ids[(caller * 31 + i) % KEYS] ?? 'u0')
      }
      await Promise.all(Array.from({ length: callers }, (_, caller) => run(caller)))
      return each * callers
    },
  })
  const timed = await compare(
    [
      contestant('plain ioredis GET + JSON.parse', async (id) =>
        JSON.parse((await ioredis.get(`plain:${id}`)) ?? 'null'),
      ),
      contestant('plain node-redis GET + JSON.parse', async (id) =>
        JSON.parse((await nodeRedis.get(`plain:${id}`)) ?? 'null'),
      ),
      contestant('Larder: @Cacheable, remote hit', (id) => users.find(id)),
    ],
    rounds,
  )
  if (caches.stats().loads > KEYS)
    throw new Error('Some reads were loads: this did not measure hits')
  ioredis.disconnect()
  nodeRedis.destroy()
  return timed
}
