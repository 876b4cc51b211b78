/** Limiters that fight: each is told what is asked of it in the words of its own documentation. */

import { createCacheManager, type LimiterOptions } from '@larder/core'
import { redisLimits } from '@larder/redis-store'
import { Redis } from 'ioredis'
import {
  BurstyRateLimiter,
  RateLimiterMemory,
  RateLimiterRedis,
  type RateLimiterRes,
  RateLimiterUnion,
} from 'rate-limiter-flexible'

/** What came of one call. */
export type Outcome =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'refused'; readonly retryMs: number }
  | { readonly kind: 'error'; readonly error: unknown }

export interface LimitContestant {
  consume(key: string, cost?: number): Promise<Outcome>
  close(): Promise<void>
}

/** Two policies at once. */
export interface TwoPolicies extends LimitContestant {
  /** How much the wide policy has counted. */
  counted(key: string): Promise<number>
}

export interface LimitTerms {
  readonly limit: number
  readonly seconds: number
}

/** A number where no bound is promised. */
export interface LimitEntry {
  readonly name: string
  /** The most it promises in any window; undefined for what promises no window. */
  most?(terms: LimitTerms): number
  start(url: string, terms: LimitTerms): LimitContestant
}

const OURS = {
  exact: { algorithm: 'exact' },
  window: { algorithm: 'window' },
  'smooth hard': { algorithm: 'smooth', hard: true },
  fixed: { algorithm: 'fixed' },
} as const

export const LIMITERS: readonly LimitEntry[] = [
  ...Object.entries(OURS).map(([name, how]) => ({
    name: `Larder ${name}`,
    most: ({ limit }: LimitTerms) => (name === 'fixed' ? 2 * limit : limit),
    start: (url: string, { limit, seconds }: LimitTerms) =>
      larder(url, { ...how, limit, per: `${seconds}s`, name: 'duel' }),
  })),
  // https://github.com/animir/node-rate-limiter-flexible/wiki/Redis
  {
    name: 'RLF Redis',
    start: (url, { limit, seconds }) =>
      flexible(
        url,
        (storeClient) => new RateLimiterRedis({ storeClient, points: limit, duration: seconds }),
      ),
  },
  {
    name: 'RLF Redis, insured',
    start: (url, { limit, seconds }) =>
      flexible(url, (storeClient) => {
        const insuranceLimiter = new RateLimiterMemory({ points: limit, duration: seconds })
        return new RateLimiterRedis({
          storeClient,
          points: limit,
          duration: seconds,
          insuranceLimiter,
        })
      }),
  },
  // https://github.com/animir/node-rate-limiter-flexible/wiki/BurstyRateLimiter
  {
    name: 'RLF Bursty',
    start: (url, { limit, seconds }) =>
      flexible(url, (storeClient) => {
        const steady = new RateLimiterRedis({ storeClient, points: limit, duration: seconds })
        const keyPrefix = 'burst'
        const bursts = new RateLimiterRedis({
          storeClient,
          keyPrefix,
          points: limit,
          duration: 2 * seconds,
        })
        return new BurstyRateLimiter(steady, bursts)
      }),
  },
  // https://github.com/animir/node-rate-limiter-flexible/wiki/Smooth-out-traffic-peaks
  {
    name: 'RLF execEvenly',
    start: (url, { limit, seconds }) =>
      flexible(
        url,
        (storeClient) =>
          new RateLimiterRedis({ storeClient, points: limit, duration: seconds, execEvenly: true }),
      ),
  },
]

export const PAIRS: readonly {
  readonly name: string
  start(url: string, tight: LimitTerms, wide: LimitTerms): TwoPolicies
}[] = [
  {
    name: 'Larder',
    start(url, tight, wide) {
      const caches = managerOf(url)
      const limiter = caches.limiter({
        name: 'pair',
        storeTimeout: '10s',
        onStoreError: 'closed',
        policies: [
          { name: 'tight', limit: tight.limit, per: `${tight.seconds}s` },
          { name: 'wide', limit: wide.limit, per: `${wide.seconds}s` },
        ],
      })
      return {
        ...larderOver(limiter, () => caches.close()),
        async counted(key) {
          const { policies } = await limiter.peek(key, 0)
          return wide.limit - (policies[1]?.remaining ?? 0)
        },
      }
    },
  },
  // https://github.com/animir/node-rate-limiter-flexible/wiki/RateLimiterUnion
  {
    name: 'RLF Union',
    start(url, tight, wide) {
      const redis = connect(url)
      const limiterOf = (keyPrefix: string, { limit, seconds }: LimitTerms) =>
        new RateLimiterRedis({ storeClient: redis, keyPrefix, points: limit, duration: seconds })
      const counting = limiterOf('wide', wide)
      const both = new RateLimiterUnion(limiterOf('tight', tight), counting)
      return {
        async consume(key, cost) {
          return outcomeOf(both.consume(key, cost))
        },
        async counted(key) {
          return (await counting.get(key))?.consumedPoints ?? 0
        },
        close: async () => redis.disconnect(),
      }
    },
  },
]

function larder(url: string, options: LimiterOptions): LimitContestant {
  const caches = managerOf(url)
  const limiter = caches.limiter({ ...options, onStoreError: 'closed' } as LimiterOptions)
  return larderOver(limiter, () => caches.close())
}

function managerOf(url: string) {
  return createCacheManager({ namespace: 'duel', limits: redisLimits({ url }), default: false })
}

function larderOver(
  limiter: ReturnType<ReturnType<typeof managerOf>['limiter']>,
  close: () => Promise<void>,
): LimitContestant {
  return {
    async consume(key, cost = 1) {
      try {
        const { allowed, retryAfterMs } = await limiter.consume(key, cost)
        return allowed ? { kind: 'allowed' } : { kind: 'refused', retryMs: retryAfterMs }
      } catch (error) {
        return { kind: 'error', error }
      }
    },
    close,
  }
}

interface Consuming {
  consume(key: string, points?: number): Promise<unknown>
}

function flexible(url: string, make: (redis: Redis) => Consuming): LimitContestant {
  const redis = connect(url)
  const limiter = make(redis)
  return {
    consume: (key, cost) => outcomeOf(limiter.consume(key, cost)),
    close: async () => redis.disconnect(),
  }
}

function connect(url: string): Redis {
  const redis = new Redis(url)
  redis.on('error', () => undefined)
  return redis
}

/** It rejects with its answer when a call is refused, and with an Error when the store failed. */
async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    await call
    return { kind: 'allowed' }
  } catch (answer) {
    if (answer instanceof Error) return { kind: 'error', error: answer }
    const all: RateLimiterRes[] =
      'msBeforeNext' in (answer as object)
        ? [answer as RateLimiterRes]
        : Object.values(answer as Record<string, RateLimiterRes>)
    return { kind: 'refused', retryMs: Math.max(...all.map(({ msBeforeNext }) => msBeforeNext)) }
  }
}
