/**
 * R8, R9 and R16 through HTTP: what servers answer does not depend on where their limits are kept, nor on what was forgotten because
 * it had nothing more to say; and what is kept has a bound.
 */

import type { CacheManager, LimiterOptions, PolicyOptions } from '@larder/core'
import { localLimits } from '@larder/local-store'
import { Redis } from 'ioredis'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { makeRedisLimits, openModel } from '../limits/support/providers.ts'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { testSeed, withSeed } from '../support/seed.ts'
import { type Answer, ask } from './support/client.ts'
import { type AnyRequest, FRAMEWORKS, type RunningServer } from './support/frameworks.ts'
import { managerOn, StageTime, TIMED_STORES } from './support/timed.ts'

const SEED = testSeed()
const STEPS = 25
const USERS = ['a', 'b'] as const
const byUser = (request: AnyRequest): string => request.header('x-user') ?? 'nobody'
const byCost = (request: AnyRequest): number => Number(request.header('x-cost') ?? 1)

const connectRedis = (): Redis => {
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())
  return redis
}
const keysOf = (redis: Redis, namespace: string): Promise<string[]> => redis.keys(`{${namespace}:*`)

/** What a client can see of an answer. */
const seen = ({ status, body, policies, limits, headers }: Answer) => ({
  status,
  body,
  policies,
  limits,
  retryAfter: headers.get('retry-after'),
})

const POLICIES: readonly PolicyOptions[] = [
  { name: 'exact', limit: 5, per: '10s', algorithm: 'exact' },
  { name: 'window', limit: 6, per: '10s', algorithm: 'window', slices: 5 },
  { name: 'smooth', limit: 4, per: '8s', algorithm: 'smooth' },
  { name: 'fixed', limit: 5, per: '10s', algorithm: 'fixed' },
  { name: 'hourly', limit: 20, per: 'hour' },
]

describe.each(FRAMEWORKS)('$name', (framework) => {
  it(`R8, R9: answers the same wherever limits are kept, and whatever was forgotten (SEED=${SEED})`, async () => {
    await withSeed(async (random) => {
      const time = new StageTime()
      const redis = connectRedis()
      const pruned = freshNamespace()
      const rule = {
        name: 'api',
        policies: random.shuffle(POLICIES).slice(0, 1 + random.int(3)),
        onStoreError: 'closed',
        ...(random.chance(0.5) ? { block: '7s' } : {}),
      } as unknown as LimiterOptions
      const limiterOf = (caches: CacheManager) => caches.limiter(rule)
      const limiters = {
        model: limiterOf(managerOn(openModel(time.store), time)),
        inProcess: limiterOf(managerOn(localLimits({ nowUs: time.store.read }), time)),
        redis: limiterOf(managerOn(makeRedisLimits(time.store), time)),
        pruned: limiterOf(managerOn(makeRedisLimits(time.store), time, pruned)),
      }
      const servers: [string, RunningServer][] = []
      for (const [name, limiter] of Object.entries(limiters)) {
        servers.push([name, await framework.start({ limiter, key: byUser, cost: byCost })])
      }
      for (let step = 0; step < STEPS; step++) {
        time.pass(random.pick([0, 0, 100, 1_500, 9_999, 10_000, 11_000, 3_600_000]))
        if (random.chance(0.5)) {
          const standings = await Promise.all(USERS.map((user) => limiters.pruned.peek(user, 0)))
          const isIdle = standings.every(({ policies, blocked }) => {
            return !blocked && policies.every(({ resetMs }) => resetMs === 0)
          })
          if (isIdle) for (const key of await keysOf(redis, pruned)) await redis.del(key)
        }
        const user = random.pick(USERS)
        const cost = random.pick([1, 1, 1, 2, 4, 9])
        const init = { headers: { 'x-user': user, 'x-cost': `${cost}` } }
        const answers = await Promise.all(
          servers.map(async ([, { url }]) => seen(await ask(`${url}/ok`, init))),
        )
        for (const [i, answer] of answers.entries())
          expect(answer, `${servers[i]?.[0]} at step ${step}`).toEqual(answers[0])
      }
    }, SEED)
  })

  it('R16: a flood of users leaves no more behind than the store keeps, and no timers', async () => {
    const time = new StageTime()
    const caches = managerOn(localLimits({ nowUs: time.store.read, maxKeys: 20 }), time)
    const limiter = caches.limiter({ name: 'api', limit: 3, per: '1h', onStoreError: 'closed' })
    const { url } = await framework.start({ limiter, key: byUser })
    const left = async (user: string) => {
      const { limits } = await ask(`${url}/none`, { headers: { 'x-user': user } })
      return limits[0]?.['r']
    }
    expect(await left('first')).toBe(2)
    const timers = time.clock.pending
    for (let i = 0; i < 60; i += 20)
      await Promise.all(Array.from({ length: 20 }, (_, j) => left(`stranger-${i + j}`)))
    expect(time.clock.pending).toBe(timers)
    // Forgotten as if it had never called; those who came last are known.
    expect(await left('first')).toBe(2)
    expect(await left('stranger-59')).toBe(1)
  })

  it('R16: a user who never stops leaves a bounded state on Redis, which ends by itself', async () => {
    const time = new StageTime()
    const redis = connectRedis()
    const namespace = freshNamespace()
    const caches = managerOn(makeRedisLimits(time.store), time, namespace)
    const limiter = caches.limiter({
      name: 'api',
      onStoreError: 'closed',
      policies: [
        { name: 'exact', limit: 10, per: '10s', algorithm: 'exact' },
        { name: 'window', limit: 1_000, per: '10s', algorithm: 'window', slices: 10 },
      ],
    })
    const { url } = await framework.start({ limiter, key: byUser })
    const timers = time.clock.pending
    let largest = 0
    for (let i = 0; i < 80; i++) {
      time.pass(400)
      await ask(`${url}/ok`)
      const keys = await keysOf(redis, namespace)
      expect(keys.length).toBeLessThanOrEqual(2)
      for (const key of keys) {
        largest = Math.max(largest, await redis.strlen(key))
        expect(await redis.pttl(key)).toBeGreaterThan(0)
      }
    }
    // Twice the limit at most: what has left the window is dropped when it is the greater part.
    expect(largest).toBeLessThanOrEqual(32 + 8 * 2 * 10)
    expect(time.clock.pending).toBeLessThanOrEqual(timers + 1)
  })
})

describe.each(TIMED_STORES)('%s', (_, open) => {
  it.each(FRAMEWORKS)(
    'R16: $name holds no permit and no timer of requests that are over',
    async (framework) => {
      const time = new StageTime()
      const caches = managerOn(open(time), time)
      const limiter = caches.limiter({
        name: 'slots',
        limit: 3,
        algorithm: 'concurrency',
        lease: '30s',
        onStoreError: 'closed',
      })
      const { url } = await framework.start({ limiter, key: byUser })
      const timers = time.clock.pending
      for (let i = 0; i < 30; i++) await ask(`${url}/ok`)
      await eventually('all permits are free', async () => {
        return (await limiter.peek('nobody', 0)).remaining === 3
      })
      await eventually('no renewal is planned', () => time.clock.pending <= timers)
    },
  )
})
