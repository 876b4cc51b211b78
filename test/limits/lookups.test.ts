/** Limits that are looked up: a plan for each tenant. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { type CacheEvents, InvalidOptionError, type LimiterOptions } from '@larder/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { setStage } from './support/stage.ts'

const PLANS: Readonly<Record<string, number>> = { free: 2, pro: 4, shut: 0 }
const planOf = (key: string): number => PLANS[key] ?? 1

describe('a function as limit', () => {
  it('is asked at every call what it says at once', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter({ name: 'x', limit: planOf, per: '1h' })
    expect(await limiter.consume('free')).toMatchObject({ limit: 2, remaining: 1 })
    expect(await limiter.consume('pro')).toMatchObject({ limit: 4, remaining: 3 })
    expect(await limiter.consume('shut')).toMatchObject({ allowed: false, limit: 0 })
  })

  it('may change: the new limit holds from its first call on, and what was counted counts', async () => {
    const { caches } = setStage()
    let limit = 2
    const limiter = caches.limiter({ name: 'x', limit: () => limit, per: '1h' })
    await limiter.consume('k', 2)
    expect(await limiter.consume('k')).toMatchObject({ allowed: false })
    limit = 3
    expect(await limiter.consume('k')).toMatchObject({ allowed: true, remaining: 0 })
    // Above what an exact limit remembers by default: the algorithm stays what it was.
    limit = 100_000
    expect(await limiter.peek('k', 0)).toMatchObject({ remaining: 99_997 })
    limit = 1
    expect(await limiter.consume('k')).toMatchObject({ allowed: false })
  })

  it('that promises is believed for a while, by all of its arguments', async () => {
    const { caches, clock } = setStage()
    const asked: string[] = []
    const limiter = caches.limiter({
      name: 'x',
      limitTtl: '10s',
      per: '1h',
      limit: async (key) => {
        asked.push(key)
        return planOf(key)
      },
    })
    for (const key of ['free', 'pro', 'free']) await limiter.consume(key)
    expect(asked).toEqual(['free', 'pro'])
    clock.advance(9_999)
    await limiter.consume('free')
    expect(asked).toHaveLength(2)
    clock.advance(1)
    await limiter.consume('free')
    expect(asked).toEqual(['free', 'pro', 'free'])
    const call = { args: ['pro', 'bulk'] }
    await limiter.consume('free', 1, call)
    expect(asked.at(-1)).toBe('pro')
  })

  it('is asked once for all who come meanwhile', async () => {
    const { caches } = setStage()
    let answer = (_: number): void => undefined
    let asked = 0
    const limiter = caches.limiter({
      name: 'x',
      per: '1h',
      limit: () => {
        asked += 1
        return new Promise<number>((resolve) => {
          answer = resolve
        })
      },
    })
    const calls = [1, 2, 3].map(() => limiter.consume('k'))
    answer(2)
    const verdicts = await Promise.all(calls)
    expect([asked, verdicts.filter(({ allowed }) => allowed).length]).toEqual([1, 2])
  })

  it('that fails fails the call; later, the last known limit goes on', async () => {
    const { caches, clock } = setStage()
    const errors: CacheEvents['background-error'][] = []
    caches.on('background-error', (event) => errors.push(event))
    let isBroken = true
    const limiter = caches.limiter({
      name: 'x',
      per: '1h',
      limitTtl: '1m',
      limit: async () => {
        if (isBroken) throw new Error('no database')
        return 7
      },
    })
    await expect(limiter.consume('k')).rejects.toThrow('no database')
    isBroken = false
    expect(await limiter.consume('k')).toMatchObject({ limit: 7 })
    isBroken = true
    clock.advance(60_000)
    expect(await limiter.consume('k')).toMatchObject({ limit: 7, remaining: 5 })
    expect(errors).toMatchObject([{ task: 'look up a limit' }])
    isBroken = false
    clock.advance(1_000)
    expect(await limiter.consume('k')).toMatchObject({ limit: 7 })
    expect(errors).toHaveLength(1)
  })

  it('that usually promises may throw at once: that is a failure like any other', async () => {
    const { caches, clock } = setStage()
    let isBroken = false
    const limiter = caches.limiter({
      name: 'x',
      per: '1h',
      limitTtl: '1m',
      limit: () => {
        if (isBroken) throw new Error('no pool')
        return Promise.resolve(7)
      },
    })
    expect(await limiter.consume('k')).toMatchObject({ limit: 7 })
    isBroken = true
    clock.advance(60_000)
    expect(await limiter.consume('k')).toMatchObject({ limit: 7, remaining: 5 })
    await expect(limiter.consume('other')).rejects.toThrow('no pool')
  })

  it.each([-1, 1.5, Number.NaN, '5', undefined, null, 2_000_000_000])(
    'that returns %o is an error that names it, and nothing is counted',
    async (limit) => {
      const { caches, store } = setStage()
      for (const source of [() => limit, async () => limit]) {
        const options = { name: 'x', limit: source, per: '1h' } as unknown as LimiterOptions
        const call = caches.limiter(options).consume('k')
        await expect(call).rejects.toThrow(InvalidOptionError)
        await expect(call).rejects.toThrow(/limiter\.limit takes/)
      }
      expect(store.asked).toEqual([])
    },
  )

  it('that throws beside one that rejects is one error, and no stray rejection', async () => {
    const { caches, store } = setStage()
    const strays: unknown[] = []
    const stray = (reason: unknown): number => strays.push(reason)
    process.on('unhandledRejection', stray)
    onTestFinished(() => {
      process.off('unhandledRejection', stray)
    })
    const limiter = caches.limiter({
      name: 'x',
      policies: [
        { name: 'a', per: '1h', limit: () => Promise.reject(new Error('rejected')) },
        {
          name: 'b',
          per: '1h',
          limit: () => {
            throw new Error('thrown')
          },
        },
      ],
    })
    await expect(limiter.consume('k')).rejects.toThrow('thrown')
    await new Promise((resolve) => setImmediate(resolve))
    expect([strays, store.asked]).toEqual([[], []])
  })

  it('says which limit lets pass what the store cannot decide', async () => {
    const { caches, store } = setStage()
    store.mode = 'fail'
    const limiter = caches.limiter({ name: 'x', limit: planOf, per: '1h', onStoreError: 'open' })
    expect(await limiter.consume('pro')).toMatchObject({ source: 'open', limit: 4 })
  })

  it('runs in the context of its caller, and so does what the limiter runs', async () => {
    const tenant = new AsyncLocalStorage<string>()
    const { caches } = setStage()
    const seen: (string | undefined)[] = []
    const limiter = caches.limiter({
      name: 'x',
      per: '1h',
      limitTtl: 0,
      limit: async () => {
        seen.push(tenant.getStore())
        return 5
      },
    })
    const work = ['a', 'b', 'c'].map((name) =>
      tenant.run(name, () => limiter.run(name, () => tenant.getStore())),
    )
    expect(await Promise.all(work)).toEqual(['a', 'b', 'c'])
    expect(seen).toEqual(['a', 'b', 'c'])
  })

  it('refuses for ever what costs more than was looked up: that is nobody’s mistake', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter({ name: 'x', limit: planOf, per: '1h', maxWait: '1m' })
    const verdict = await limiter.consume('free', 3)
    expect([verdict.allowed, verdict.retryAfterMs]).toEqual([false, Number.POSITIVE_INFINITY])
    expect(await limiter.consume('pro', 3)).toMatchObject({ allowed: true })
  })

  it.each(['exact', 'window', 'smooth', 'fixed'] as const)(
    'under a large plan, a call of %s waits as long as 10 000 of its key can be waiting',
    async (algorithm) => {
      const { caches } = setStage()
      const limiter = caches.limiter({
        name: 'x',
        per: '10s',
        algorithm,
        // In which 60 000 could come to be waiting.
        maxWait: '1m',
        limit: () => 10_000,
      })
      expect(await limiter.consume('k', 10_000)).toMatchObject({ allowed: true, waitedMs: 0 })
    },
  )

  it('refuses under a large plan what would wait for longer than that, and says when it can succeed', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter({
      name: 'x',
      per: '10s',
      algorithm: 'fixed',
      maxWait: '20s',
      limit: () => 100_000,
    })
    await limiter.consume('k', 100_000)
    const { allowed, retryAfterMs } = await limiter.consume('k')
    // In a second 10 000 calls can come to be waiting: that is the longest wait.
    expect([allowed, retryAfterMs]).toEqual([false, 9_000])
  })

  it('beside a limit that is known and too large for the wait is an error at definition', () => {
    const { caches } = setStage()
    const policies = [
      { name: 'a', limit: planOf, per: '1s' },
      { name: 'b', limit: 100_000, per: '1s' },
    ] as const
    expect(() => caches.limiter({ name: 'x', policies, maxWait: '1s' })).toThrow(
      /limiter\.maxWait takes .* which is 100 ms/,
    )
  })

  it('has no larger burst than goes with it', async () => {
    const { caches, store } = setStage()
    const bucket = { per: '1s', limit: planOf, algorithm: 'smooth', burst: 3 } as const
    const hard = caches.limiter({ ...bucket, name: 'hard', hard: true })
    expect(await hard.consume('free', 2)).toMatchObject({ allowed: true })
    expect((await hard.consume('free', 3)).retryAfterMs).toBe(Number.POSITIVE_INFINITY)
    const slow = caches.limiter({
      ...bucket,
      name: 'slow',
      per: '1000d' as const,
      burst: 1_000_000,
    })
    expect(await slow.consume('free')).toMatchObject({ allowed: true })
    const shared = caches.limiter({ ...bucket, name: 'shared', share: 0.25, onStoreError: 'local' })
    expect(await shared.consume('pro')).toMatchObject({ allowed: true, source: 'remote' })
    store.mode = 'fail'
    await expect(shared.consume('pro')).rejects.toMatchObject({
      code: 'LARDER_RATE_LIMIT_UNAVAILABLE',
    })
  })

  it('goes with a share that is less than one call', async () => {
    const { caches, store } = setStage()
    const limiter = caches.limiter({ name: 'x', limit: planOf, per: '1h', share: 0.25 })
    expect(await limiter.consume('free')).toMatchObject({ source: 'remote' })
    store.mode = 'fail'
    await expect(limiter.consume('free')).rejects.toMatchObject({
      code: 'LARDER_RATE_LIMIT_UNAVAILABLE',
    })
    expect(await limiter.consume('pro')).toMatchObject({ source: 'local', limit: 1 })
  })

  it('may be that of one of several policies', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter({
      name: 'x',
      policies: [
        { name: 'burst', limit: 10, per: '1s' },
        { name: 'daily', limit: planOf, per: 'day' },
        { name: 'slots', limit: async () => 3, algorithm: 'concurrency' },
      ],
    })
    const { policies } = await limiter.consume('free')
    expect(policies.map(({ limit }) => limit)).toEqual([10, 2, 3])
    expect(await limiter.reward('free')).toBe(1)
  })

  it('needs a name, so that its counts are found again when the limit changes', () => {
    const { caches } = setStage()
    expect(() => caches.limiter({ limit: planOf, per: '1h' })).toThrow(/limiter\.name/)
  })
})
