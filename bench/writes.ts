/** What does a change cost that many callers make at once, here and in Redis, next to a plain SET with a PUBLISH? (P17) */

import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { type Contestant, compare, type Timed } from './harness.ts'
import { userOf } from './peers.ts'
import { cpuUsOf } from './resources/redis-cpu.ts'

const KEYS = 10_000
const TTL_MS = 3_600_000

export interface TimedWrites extends Timed {
  /** Redis's processor, µs an operation: the median over rounds. */
  readonly redisUs: number
}

/** Returns plain SET and PUBLISH, and Larder's `set`, `warm` and `evict`. */
export async function writes(
  url: string,
  callers: number,
  operations: number,
  rounds: number,
): Promise<readonly TimedWrites[]> {
  const client = new Redis(url)
  await using caches = createCacheManager({
    namespace: 'bench-writes',
    local: lruStore({ maxEntries: 2 * KEYS }),
    remote: redisStore({ url }),
    storeTimeout: '5s',
    default: false,
    defaults: { ttl: TTL_MS },
  })
  const cache = caches.cache<object>('c')
  const byCallers = (write: (id: string) => Promise<unknown>) => async (): Promise<number> => {
    let next = 0
    const loop = async (): Promise<void> => {
      while (next < operations) {
        next += 1
        await write(`w${next % KEYS}`)
      }
    }
    await Promise.all(Array.from({ length: callers }, loop))
    return operations
  }
  const costs = new Map<string, number[]>()
  const contestant = (name: string, round: () => Promise<number>): Contestant => ({
    name,
    round: async () => {
      const before = await cpuUsOf(client)
      const count = await round()
      const cost = ((await cpuUsOf(client)) - before) / count
      costs.set(name, [...(costs.get(name) ?? []), cost])
      return count
    },
  })
  const timed = await compare(
    [
      contestant(
        'plain ioredis SET and PUBLISH',
        byCallers((id) =>
          Promise.all([
            client.set(`plain:${id}`, JSON.stringify(userOf(id)), 'PX', TTL_MS),
            client.publish('bench-plain', id),
          ]),
        ),
      ),
      contestant(
        'Larder: set',
        byCallers((id) => cache.set(id, userOf(id))),
      ),
      contestant('Larder: warm', () =>
        cache.warm(
          Array.from({ length: operations }, (_, i) => {
            const id = `w${i % KEYS}`
            return [id, userOf(id)] as const
          }),
        ),
      ),
      contestant(
        'Larder: evict',
        byCallers((id) => cache.evict(id)),
      ),
    ],
    rounds,
  )
  client.disconnect()
  return timed.map((each) => ({ ...each, redisUs: median(costs.get(each.name) ?? []) }))
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
