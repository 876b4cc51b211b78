/** What limits leave behind on a real Redis: nothing for refusals, little for the rest, and never without an end. */

import { type CacheManager, createCacheManager } from '@larder/core'
import type { LimitRule, RateLimitProvider } from '@larder/core/store'
import { redisLimits } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startProxy } from '../support/proxy/tcp-proxy.ts'
import { ask } from './support/history.ts'
import { openRedisLimits, TestTime } from './support/providers.ts'
import {
  calendar,
  concurrency,
  exact,
  fixed,
  HOUR_US,
  ruleOf,
  SECOND_US,
  sliced,
  smooth,
} from './support/rules.ts'

let redis: Redis
beforeAll(() => {
  redis = new Redis(inject('redisUrl'))
})
afterAll(() => redis.disconnect())

const W = 10 * SECOND_US
const POLICIES = [
  exact(3, W, 'exact'),
  sliced(3, W, 5, 'sliced'),
  smooth(3, W, { name: 'smooth' }),
  fixed(3, W, 'fixed'),
  calendar(3, 'day', 'UTC', 'calendar'),
  concurrency(3, W, 'permits'),
]

const keysOf = async (namespace: string): Promise<readonly string[]> =>
  (await redis.keys(`{${namespace}:*`)).sort()

/** The very bytes of everything a namespace holds. */
async function bytesOf(namespace: string): Promise<Record<string, string>> {
  const keys = await keysOf(namespace)
  const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)))
  return Object.fromEntries(keys.map((key, i) => [key, dumps[i]?.toString('hex') ?? '']))
}

function open(): { namespace: string; limits: RateLimitProvider; time: TestTime } {
  const namespace = freshNamespace()
  const time = new TestTime()
  return { namespace, time, limits: openRedisLimits(time, namespace) }
}

describe('R4: refusals and looks leave every byte as it was', () => {
  it.each(POLICIES.map((policy) => [policy.name, ruleOf([policy])] as const))(
    '%s',
    async (_, rule) => {
      const { namespace, limits, time } = open()
      for (let i = 0; i < 3; i++) await ask(limits, rule, 1, { permit: `${i}` })
      const before = await bytesOf(namespace)
      expect(Object.keys(before)).toHaveLength(1)
      for (let i = 0; i < 5; i++) {
        time.us += 1_000
        expect((await ask(limits, rule, 1, { permit: `later${i}` })).admitted).toBe(false)
        await ask(limits, rule, 2, { kind: 'peek' })
        await ask(limits, rule, 0)
      }
      expect(await bytesOf(namespace)).toEqual(before)
    },
  )
})

describe('R5: a call counts in all policies, or in none', () => {
  it('refused by any one of them, it changes none', async () => {
    for (const [i, tight] of POLICIES.entries()) {
      const { namespace, limits } = open()
      const policies = POLICIES.map((policy, j) => (i === j ? { ...policy, limit: 1 } : policy))
      const rule = ruleOf(policies.map((p) => ('burst' in p ? { ...p, burst: p.limit } : p)))
      expect(await ask(limits, rule, 1, { permit: 'a' })).toMatchObject({ admitted: true })
      const before = await bytesOf(namespace)
      expect(Object.keys(before)).toHaveLength(POLICIES.length)
      const refused = await ask(limits, rule, 1, { permit: 'b' })
      expect(refused, tight.name).toMatchObject({ admitted: false, refusedBy: i })
      expect(await bytesOf(namespace), tight.name).toEqual(before)
    }
  })
})

describe('one round trip', () => {
  it('for any number of policies and calls of one tick; none for a refusal that is known', async () => {
    const proxy = await startProxy({ port: Number(new URL(inject('redisUrl')).port) })
    onTestFinished(() => proxy.stop())
    const caches = createCacheManager({
      namespace: freshNamespace(),
      limits: redisLimits({ url: proxy.url }),
      default: false,
    })
    onTestFinished(() => caches.close())
    const limiter = caches.limiter({
      policies: [
        { name: 'a', limit: 3, per: '1m' },
        { name: 'b', limit: 100, per: '1h', algorithm: 'smooth' },
        { name: 'c', limit: 1_000, per: 'day' },
      ],
      storeTimeout: '20s',
    })
    await limiter.peek('warm-up')
    await eventually('nothing but limits is said', async () => {
      const before = proxy.roundTrips()
      await limiter.peek('warm-up')
      return proxy.roundTrips() === before + 1
    })
    proxy.resetCounters()
    const verdicts = await Promise.all(Array.from({ length: 10 }, () => limiter.consume('k')))
    expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(3)
    expect(proxy.latestCommands().filter((name) => name.startsWith('EVAL'))).toHaveLength(1)
    // The subscription may have come up only now, and then everything known was in doubt.
    await eventually('the refusal is known', async () => {
      proxy.resetCounters()
      return (await limiter.consume('k')).source === 'known'
    })
    expect(proxy.latestCommands().filter((name) => name.startsWith('EVAL'))).toEqual([])
  })
})

describe('R10: what one process gives back, the others hear of', () => {
  it('and do not go on refusing', async () => {
    const namespace = freshNamespace()
    const managers = [1, 2].map(() => manager(namespace))
    const [one, other] = managers.map((caches) =>
      caches.limiter({ limit: 1, per: '1h', storeTimeout: '20s' }),
    )
    if (one === undefined || other === undefined) throw new Error('two were made')
    const first = await one.consume('k')
    await eventually('the other believes the refusal', async () => {
      await other.consume('k')
      return (await other.consume('k')).source === 'known'
    })
    expect(await one.refund(first)).toBe(true)
    await eventually('the other asks again', async () => (await other.consume('k')).allowed, 4_000)
    await eventually('the one believes the refusal', async () => {
      await one.consume('k')
      return (await one.consume('k')).source === 'known'
    })
    await other.reset('k')
    await eventually('the one asks again', async () => (await one.consume('k')).allowed, 4_000)
  })
})

function manager(namespace: string): CacheManager {
  const caches = createCacheManager({
    namespace,
    limits: redisLimits({ url: inject('redisUrl') }),
    default: false,
  })
  onTestFinished(() => caches.close())
  return caches
}

describe('R8, R16: states', () => {
  it('all end by themselves, soon after they have nothing more to say', async () => {
    const namespace = freshNamespace()
    const limits = openRedisLimits(undefined, namespace)
    // Long enough for five calls on a busy machine: the last ones have to be refused.
    const short = 1_000_000
    const policies = [
      exact(3, short, 'a'),
      sliced(3, short, 5, 'b'),
      smooth(3, short, { name: 'c' }),
      fixed(3, short, 'd'),
      concurrency(3, short, 'e'),
    ]
    const rule = ruleOf(policies, { blockUs: short, maxWaitUs: 0 })
    for (let i = 0; i < 5; i++) await ask(limits, rule, 1, { permit: `${i}` })
    const keys = await keysOf(namespace)
    expect(keys).toHaveLength(6)
    const lives = await Promise.all(keys.map((key) => redis.pttl(key)))
    for (const life of lives) expect(life).toBeLessThanOrEqual(2_200)
    await eventually('all are gone', async () => (await keysOf(namespace)).length === 0)
    expect(await ask(limits, rule)).toMatchObject({ admitted: true })
  })

  it('live for as long as they count, also under a limit that was changed to look further back', async () => {
    const namespace = freshNamespace()
    const limits = openRedisLimits(undefined, namespace)
    const hours = (many: number, slices: number): readonly LimitRule[] =>
      [
        exact(3, many * HOUR_US, 'a'),
        sliced(3, many * HOUR_US, slices, 'b'),
        smooth(3, many * HOUR_US, { name: 'c' }),
        fixed(3, many * HOUR_US, 'd'),
        concurrency(3, many * HOUR_US, 'e'),
      ].map((policy) => ruleOf([policy]))
    for (const rule of hours(1, 5)) await ask(limits, rule, 1, { permit: 'before' })
    // Slices of the same width, and more of them.
    for (const rule of hours(20, 100)) await ask(limits, rule, 1, { permit: 'after' })
    const keys = await keysOf(namespace)
    expect(keys).toHaveLength(5)
    for (const key of keys) expect(await redis.pttl(key), key).toBeGreaterThan(19 * 3_600_000)
  })

  it('have a bounded size, however long one keeps calling', async () => {
    const { namespace, limits, time } = open()
    const rule = ruleOf([
      exact(20, W, 'exact'),
      sliced(1_000, W, 10, 'sliced'),
      smooth(50, W, { name: 'smooth' }),
    ])
    let largest = 0
    for (let i = 0; i < 400; i++) {
      time.us += W / 25
      await ask(limits, rule)
      const sizes = await Promise.all((await keysOf(namespace)).map((key) => redis.strlen(key)))
      largest = Math.max(largest, ...sizes)
    }
    // Twice the limit at most: what has left the window is dropped when it is the greater part.
    expect(largest).toBeLessThanOrEqual(32 + 8 * 2 * 20)
  })

  it('of refused calls that count do not grow either', async () => {
    const { namespace, limits, time } = open()
    const rule = ruleOf([exact(20, W, 'exact'), sliced(20, W, 10, 'sliced')], { penalty: true })
    for (let i = 0; i < 200; i++) {
      time.us += 1_000
      await ask(limits, rule, 5)
    }
    const sizes = await Promise.all((await keysOf(namespace)).map((key) => redis.strlen(key)))
    expect(Math.max(...sizes)).toBeLessThanOrEqual(32 + 8 * 2 * 20)
  })

  it('of a long list are read in parts, and decide the same', async () => {
    const { limits, time } = open()
    const rule = ruleOf([exact(2_000, W)])
    for (let i = 0; i < 20; i++) {
      time.us += W / 40
      expect((await ask(limits, rule, 100)).admitted).toBe(true)
    }
    expect(await ask(limits, rule, 1)).toMatchObject({ admitted: false, waitUs: W - (19 * W) / 40 })
    time.us += W - (19 * W) / 40
    expect(await ask(limits, rule, 100)).toMatchObject({
      admitted: true,
      states: [{ remaining: 0 }],
    })
  })
})

describe('oddities', () => {
  it('a key that holds something else is an error of the store, not a refusal', async () => {
    const namespace = freshNamespace()
    await redis.lpush(`{${namespace}:limit:x:k}:default:exact`, 'foreign')
    const limiter = manager(namespace).limiter({
      name: 'x',
      limit: 1,
      per: '1m',
      storeTimeout: '20s',
    })
    await redis.rename(`{${namespace}:limit:x:k}:default:exact`, `{${namespace}:limit:x:k}:x:exact`)
    await expect(limiter.consume('k')).rejects.toMatchObject({
      code: 'LARDER_RATE_LIMIT_UNAVAILABLE',
    })
  })

  it('an algorithm that was changed begins anew, a limit that was changed does not', async () => {
    const { limits } = open()
    const rules: readonly LimitRule[] = [
      ruleOf([exact(2, HOUR_US)]),
      ruleOf([exact(3, HOUR_US)]),
      ruleOf([smooth(2, HOUR_US)]),
    ]
    const [two, three, bucket] = rules as [LimitRule, LimitRule, LimitRule]
    await ask(limits, two, 2)
    expect(await ask(limits, two)).toMatchObject({ admitted: false })
    expect(await ask(limits, three)).toMatchObject({ admitted: true })
    expect(await ask(limits, three)).toMatchObject({ admitted: false })
    expect(await ask(limits, bucket)).toMatchObject({ admitted: true, states: [{ remaining: 1 }] })
  })

  it('a reset forgets blocks that the rule does not have any more', async () => {
    const { namespace, limits } = open()
    await ask(limits, ruleOf([exact(1, W)], { blockUs: HOUR_US }))
    await ask(limits, ruleOf([exact(1, W)], { blockUs: HOUR_US }))
    expect(await keysOf(namespace)).toHaveLength(2)
    await limits.reset(ruleOf([exact(1, W)]), 'k')
    expect(await keysOf(namespace)).toEqual([])
  })

  it('a refund is understood when the calendar that was sent along does not reach to the present', async () => {
    const { limits, time } = open()
    const rule = ruleOf([calendar(1, 'hour')], { maxWaitUs: HOUR_US })
    await ask(limits, rule)
    time.us += 2 * HOUR_US
    await ask(limits, rule)
    const { nowUs, waitUs } = await ask(limits, rule)
    expect(waitUs).toBeGreaterThan(0)
    time.us += HOUR_US
    const admission = { key: 'k', cost: 1, permit: '', nowUs, waitUs }
    expect(await limits.refund(rule, admission)).toBe(true)
    expect(await limits.refund(rule, admission)).toBe(false)
  })

  it('a refund does not bring back what slices that are over had counted', async () => {
    const { limits, time } = open()
    const slice = W / 5
    const rule = ruleOf([sliced(3, W, 5)], { maxWaitUs: W })
    time.us = Math.ceil(time.us / slice) * slice
    await ask(limits, rule)
    time.us += 5 * slice
    const { nowUs, waitUs } = await ask(limits, rule)
    await ask(limits, rule)
    expect(await ask(limits, rule)).toMatchObject({ admitted: true, waitUs: slice })
    time.us += slice
    expect(await limits.refund(rule, { key: 'k', cost: 1, permit: '', nowUs, waitUs })).toBe(true)
    expect(await ask(limits, rule, 1, { kind: 'peek' })).toMatchObject({
      states: [{ remaining: 1 }],
    })
  })
})
