/** What does a limit cost, next to rate-limiter-flexible, and what does a refusal that is known already? (P9) */

import { createCacheManager, type Limiter } from '@larder/core'
import { redisLimits } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { type Contestant, compare, type Timed } from './harness.ts'

const KEYS = 1_000
/** More than any key gets, so that every call is admitted: that is the dear case. */
const PLENTY = 1_000_000
const WINDOW_S = 60

/** Returns calls that are all admitted: rate-limiter-flexible, then Larder's algorithms. */
export async function limitCalls(
  url: string,
  callers: number,
  operations: number,
  rounds: number,
): Promise<readonly Timed[]> {
  const redis = new Redis(url)
  const peer = new RateLimiterRedis({
    storeClient: redis,
    points: PLENTY,
    duration: WINDOW_S,
    keyPrefix: 'rlf',
  })
  await using caches = createCacheManager({
    namespace: 'bench',
    limits: redisLimits({ url }),
    default: false,
  })
  const ids = Array.from({ length: KEYS }, (_, i) => `ip:10.0.${i >> 8}.${i & 255}`)
  const common = { per: `${WINDOW_S}s`, storeTimeout: '10s', onStoreError: 'closed' } as const
  const limiters = {
    'smooth (token bucket)': caches.limiter({ limit: PLENTY, algorithm: 'smooth', ...common }),
    'fixed window': caches.limiter({ limit: PLENTY, algorithm: 'fixed', ...common }),
    'window, never over': caches.limiter({ limit: PLENTY, ...common }),
    'exact, never over (default)': caches.limiter({ ...common, limit: 1_000, per: '1s' }),
  }
  const contestant = (name: string, consume: (id: string) => Promise<unknown>): Contestant => ({
    name,
    round: async () => {
      const each = Math.ceil(operations / callers)
      const run = async (caller: number): Promise<void> => {
        for (let i = 0; i < each; i++) await consume(ids[(caller * 31 + i) % KEYS] ?? '')
      }
      await Promise.all(Array.from({ length: callers }, (_, caller) => run(caller)))
      return each * callers
    },
  })
  const timed = await compare(
    [
      contestant('rate-limiter-flexible (fixed window)', (id) => peer.consume(id)),
      ...Object.entries(limiters).map(([name, limiter]) =>
        contestant(`Larder: ${name}`, (id) => admitted(limiter, id)),
      ),
    ],
    rounds,
  )
  redis.disconnect()
  return timed
}

/** Returns a refusal that is known already. */
export async function knownRefusal(
  url: string,
  operations: number,
  rounds: number,
): Promise<readonly Timed[]> {
  await using caches = createCacheManager({
    namespace: 'bench',
    limits: redisLimits({ url }),
    default: false,
  })
  const limiter = caches.limiter({
    limit: 1,
    per: '1h',
    storeTimeout: '10s',
    onStoreError: 'closed',
  })
  await limiter.consume('ip:1.2.3.4')
  await limiter.consume('ip:1.2.3.4')
  return await compare(
    [
      {
        name: 'Larder: a refusal that is known',
        round: async () => {
          for (let i = 0; i < operations; i++) await limiter.consume('ip:1.2.3.4')
          return operations
        },
      },
    ],
    rounds,
  )
}

async function admitted(limiter: Limiter, id: string): Promise<void> {
  const { allowed } = await limiter.consume(id)
  if (!allowed) throw new Error('A call was refused: this did not measure admissions')
}
