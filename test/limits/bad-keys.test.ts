/** One bad key, one bad call: no neighbour of its tick, no limiter and no breaker is concerned. */

import { type CacheEvents, type CacheManager, createCacheManager, type Limiter } from '@larder/core'
import { redisLimits } from '@larder/redis-store'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
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
  sliced(3, W, 5, 'window'),
  smooth(3, W, { name: 'smooth' }),
  fixed(3, W, 'fixed'),
  calendar(3, 'day', 'UTC', 'calendar'),
  concurrency(3, W, 'permits'),
]

const doubles = (...numbers: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(8 * numbers.length)
  for (const [i, number] of numbers.entries()) bytes.writeDoubleBE(number, 8 * i)
  return bytes
}

/** What somebody else, or a fault, may have left at a key. */
const RUBBISH: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
  'another type': (key) => redis.lpush(key, 'foreign'),
  'a short text': (key) => redis.set(key, 'x'),
  'a long text': (key) => redis.set(key, 'x'.repeat(5_003)),
  'numbers, but not as many': (key) => redis.set(key, doubles(1, 2)),
}

describe.each(POLICIES.map((policy) => [policy.name, policy] as const))('%s', (_, policy) => {
  it.each(Object.entries(RUBBISH))('%s at a key fails that call only', async (_what, spoil) => {
    const namespace = freshNamespace()
    const limits = openRedisLimits(new TestTime(), namespace)
    for (const rule of [ruleOf([policy]), ruleOf([exact(9, W, 'other'), policy])]) {
      const key = `bad${rule.policies.length}`
      await spoil(`{${namespace}:limit:test:${key}}:${policy.name}:${policy.algorithm}`)
      const call = (name: string) => ({ key: name, cost: 1, kind: 'take', permit: name }) as const
      const keys = ['a', key, 'b', key, 'c']
      const replies = await limits.decide(rule, keys.map(call))
      expect(replies.map(({ error }) => error !== undefined)).toEqual(
        keys.map((name) => name === key),
      )
      expect(replies[1]?.error).toMatchObject({ code: 'LARDER_STORE_KEY' })
      expect(replies.filter(({ admitted }) => admitted)).toHaveLength(3)
      await limits.reset(rule, key)
      expect(await ask(limits, rule, 1, { key, permit: 'p' })).toMatchObject({ admitted: true })
      for (const name of ['a', 'b', 'c']) await limits.reset(rule, name)
    }
  })
})

describe('a block that is none', () => {
  const texts = Object.entries(RUBBISH).filter(([what]) => !what.startsWith('numbers'))
  it.each(texts)('%s', async (_, spoil) => {
    const namespace = freshNamespace()
    const limits = openRedisLimits(new TestTime(), namespace)
    await spoil(`{${namespace}:limit:test:bad}:block`)
    const call = (key: string) => ({ key, cost: 1, kind: 'take', permit: '' }) as const
    const rule = ruleOf([exact(3, W)])
    const replies = await limits.decide(rule, [call('good'), call('bad')])
    expect(replies.map(({ error }) => error !== undefined)).toEqual([false, true])
    await limits.reset(rule, 'bad')
    expect(await ask(limits, rule, 1, { key: 'bad' })).toMatchObject({ admitted: true })
  })
})

describe('numbers that cannot be', () => {
  it.each([
    ['a newest slice in the far future', 1e15],
    ['no number', Number.NaN],
    ['no end', Number.POSITIVE_INFINITY],
  ])('%s keeps the server from nothing', async (_, top) => {
    const namespace = freshNamespace()
    const time = new TestTime()
    const limits = openRedisLimits(time, namespace)
    const slice = W / 5
    const rule = ruleOf([sliced(3, W, 5)], { penalty: true })
    const state = doubles(slice, 5, time.us, time.us + W, top, 3, 3)
    await redis.set(`{${namespace}:limit:test:k}:p:window`, state)
    expect((await ask(limits, rule)).error).toBeDefined()
    const inOrder = doubles(
      slice,
      5,
      time.us,
      time.us + W,
      Math.floor(time.us / slice),
      1e300,
      1e300,
    )
    await redis.set(`{${namespace}:limit:test:k}:p:window`, inOrder)
    await ask(limits, rule)
    expect(await redis.ping()).toBe('PONG')
  })
})

describe('nothing is too long for the scripts', () => {
  it('a window with thousands of slices ahead is read, given back and counted', async () => {
    const limits = openRedisLimits(new TestTime())
    const rule = ruleOf([sliced(1, SECOND_US, 60)], { maxWaitUs: HOUR_US })
    const call = { key: 'k', cost: 1, kind: 'take', permit: '' } as const
    const admissions = []
    for (let i = 0; i < 10; i++) {
      const replies = await limits.decide(
        rule,
        Array.from({ length: 32 }, () => call),
      )
      for (const { admitted, error, nowUs, waitUs } of replies) {
        expect([admitted, error]).toEqual([true, undefined])
        admissions.push({ key: 'k', cost: 1, permit: '', nowUs, waitUs })
      }
    }
    expect((await ask(limits, rule, 1, { kind: 'peek' })).error).toBeUndefined()
    const given: boolean[] = []
    for (let i = 0; i < admissions.length; i += 256) {
      given.push(...((await limits.refundAll?.(rule, admissions.slice(i, i + 256))) ?? []))
    }
    expect(new Set(given)).toEqual(new Set([true]))
    expect((await ask(limits, rule, 1, { kind: 'peek' })).states[0]?.remaining).toBe(1)
  })

  it('a state of eight thousand slices, as once was written, is read and reset', async () => {
    const namespace = freshNamespace()
    const time = new TestTime()
    const limits = openRedisLimits(time, namespace)
    const rule = ruleOf([sliced(1, SECOND_US, 60)], { maxWaitUs: HOUR_US })
    const [policy] = rule.policies
    if (policy?.algorithm !== 'window') throw new Error('It is one')
    const counts = Array.from({ length: 7_998 }, (_, i) => (i % 61 === 0 ? 1 : 0))
    const top = Math.floor(time.us / policy.sliceUs) + counts.length - 61
    const header = [policy.sliceUs, 60, time.us, time.us + HOUR_US, top, 132]
    await redis.set(`{${namespace}:limit:test:k}:p:window`, doubles(...header, ...counts))
    for (const kind of ['peek', 'take'] as const) {
      expect(await ask(limits, rule, 1, { kind })).toMatchObject({ admitted: true })
    }
    await limits.reset(rule, 'k')
    expect(await ask(limits, rule)).toMatchObject({ waitUs: 0 })
  })

  it('many policies times many calls', async () => {
    const limits = openRedisLimits(new TestTime())
    const rule = ruleOf(Array.from({ length: 130 }, (_, i) => exact(40, W, `p${i}`)))
    const call = { key: 'k', cost: 1, kind: 'take', permit: '' } as const
    const replies = await limits.decide(
      rule,
      Array.from({ length: 32 }, () => call),
    )
    expect(replies.map(({ admitted }) => admitted)).toEqual(replies.map(() => true))
  })
})

describe('a manager', () => {
  function managerOf(namespace: string): CacheManager {
    const caches = createCacheManager({
      namespace,
      limits: redisLimits({ url: inject('redisUrl') }),
      default: false,
    })
    onTestFinished(() => caches.close())
    return caches
  }

  async function outcome(limiter: Limiter, key: string): Promise<string> {
    const verdict = await limiter.consume(key).catch((error: { code?: string }) => error)
    return 'source' in verdict ? verdict.source : String(verdict.code)
  }

  it('that mostly asks about a bad key goes on being answered about the others', async () => {
    const namespace = freshNamespace()
    const caches = managerOf(namespace)
    const states: CacheEvents['limit-breaker'][] = []
    caches.on('limit-breaker', (event) => states.push(event))
    const limiter = caches.limiter({
      name: 'x',
      limit: 1_000,
      per: '1m',
      storeTimeout: '20s',
      onStoreError: 'closed',
    })
    await redis.lpush(`{${namespace}:limit:x:bad}:x:exact`, 'foreign')
    for (let i = 0; i < 10; i++) {
      expect(await outcome(limiter, 'bad')).toBe('LARDER_RATE_LIMIT_UNAVAILABLE')
      const together = ['a', 'bad', 'b'].map((key) => outcome(limiter, key))
      expect(await Promise.all(together)).toEqual([
        'remote',
        'LARDER_RATE_LIMIT_UNAVAILABLE',
        'remote',
      ])
    }
    for (let i = 0; i < 5; i++) {
      await expect(limiter.reward('bad', 1)).rejects.toMatchObject({ code: 'LARDER_STORE_KEY' })
    }
    expect(states).toEqual([])
    await limiter.reset('bad')
    expect(await outcome(limiter, 'bad')).toBe('remote')
  })
})
