/** What a limiter does on this side of the store: ask little, wait fairly, and say truly who decided. */

import {
  ClosedError,
  createCacheManager,
  InvalidOptionError,
  type Limiter,
  type LimiterOptions,
  RateLimitedError,
  RateLimitUnavailableError,
} from '@larder/core'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { localLimits, lruStore } from '@larder/local-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { setStage } from './support/stage.ts'

const FIVE = { limit: 5, per: '10s' } as const
const TIMEOUT_MS = 100

const consumeTimes = (limiter: Limiter, times: number, key = 'k') =>
  Promise.all(Array.from({ length: times }, () => limiter.consume(key)))

const allowed = (verdicts: readonly { readonly allowed: boolean }[]): number =>
  verdicts.filter((verdict) => verdict.allowed).length

describe('asking', () => {
  it('takes one call of the store for all calls of one tick, admits the first ones, and no more', async () => {
    const { caches, store } = setStage()
    const verdicts = await consumeTimes(caches.limiter(FIVE), 8)
    expect(verdicts.map((verdict) => verdict.allowed)).toEqual([
      ...[true, true, true, true, true],
      ...[false, false, false],
    ])
    expect(store.asked.map(({ length }) => length)).toEqual([8])
  })

  it('asks about thirty and more calls in parts, so that the store never works long on one', async () => {
    const { caches, store } = setStage()
    const verdicts = await consumeTimes(caches.limiter({ ...FIVE, limit: 40 }), 50)
    expect(allowed(verdicts)).toBe(40)
    expect(Math.max(...store.asked.map(({ length }) => length))).toBeLessThan(33)
    expect(store.asked.flat()).toHaveLength(50)
  })

  it('is shared by limiters that were made alike, also of those made anew with each call', async () => {
    const { caches, store } = setStage()
    const verdicts = await Promise.all(
      Array.from({ length: 8 }, () => caches.limiter({ limit: 5, per: '10s' }).consume('k')),
    )
    expect(allowed(verdicts)).toBe(5)
    expect(store.asked).toHaveLength(1)
  })

  it('does not mix limiters of other policies or names, and keys that look alike', async () => {
    const { caches } = setStage()
    const limiters = [
      caches.limiter({ limit: 1, per: '10s' }),
      caches.limiter({ limit: 1, per: '20s' }),
      caches.limiter({ limit: 1, per: '10s', name: 'other' }),
    ]
    const verdicts = await Promise.all(
      limiters.flatMap((limiter) => ['a', 'a:b', 'a}'].map((key) => limiter.consume(key))),
    )
    expect(allowed(verdicts)).toBe(9)
  })

  it('says all there is to say', async () => {
    const { caches, clock } = setStage()
    const limiter = caches.limiter({
      policies: [
        { name: 'burst', limit: 2, per: '1s' },
        { name: 'hour', limit: 100, per: '1h' },
      ],
    })
    expect(await limiter.consume('k')).toMatchObject({
      allowed: true,
      withinLimit: true,
      policy: 'burst',
      limit: 2,
      remaining: 1,
      retryAfterMs: 0,
      resetMs: 1_000,
      waitedMs: 0,
      source: 'remote',
      policies: [
        { name: 'burst', remaining: 1, limit: 2, windowMs: 1_000 },
        { name: 'hour', remaining: 99, limit: 100, windowMs: 3_600_000 },
      ],
    })
    await limiter.consume('k')
    clock.advance(0.5)
    expect(await limiter.consume('k')).toMatchObject({
      allowed: false,
      policy: 'burst',
      remaining: 0,
      // 999.5 ms, rounded up: whoever waits that long is not refused again.
      retryAfterMs: 1_000,
    })
    expect(await limiter.peek('k')).toMatchObject({
      policies: [{ remaining: 0 }, { remaining: 98 }],
    })
  })

  it('refuses costs that no limit can ever admit, and keys that are none', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter(FIVE)
    await expect(limiter.consume('k', 6)).rejects.toThrow(/cost takes a whole number from 0 to 5/)
    await expect(limiter.consume('k', 0.5)).rejects.toThrow(InvalidOptionError)
    await expect(limiter.consume('k', -1)).rejects.toThrow(InvalidOptionError)
    await expect(limiter.consume('')).rejects.toThrow(/key is empty/)
    expect(await limiter.consume('k', 0)).toMatchObject({ allowed: true, remaining: 5 })
    expect(await limiter.consume('k', 5)).toMatchObject({ allowed: true, remaining: 0 })
  })

  it('says which number a cost is above, where it is not the limit', async () => {
    const { caches } = setStage()
    const bucket = caches.limiter({ limit: 20, per: '10s', algorithm: 'smooth', hard: true })
    await expect(bucket.consume('k', 19)).rejects.toThrow(
      /cost takes a whole number from 0 to 10, the burst, which is the most that is admitted at once/,
    )
    const two = caches.limiter({ policies: [FIVE, { name: 'few', limit: 2, per: '1h' }] })
    await expect(two.consume('k', 3)).rejects.toThrow(/0 to 2, the limit of policy few/)
  })
})

describe('R10: a refusal that is known', () => {
  it('costs no question until the moment the store said, and is not believed a moment longer', async () => {
    const { caches, store, clock } = setStage()
    const limiter = caches.limiter({ limit: 1, per: '3s' })
    await limiter.consume('k')
    clock.advance(1_000)
    expect(await limiter.consume('k')).toMatchObject({ source: 'remote', retryAfterMs: 2_000 })
    clock.advance(1_999)
    expect(await limiter.consume('k')).toMatchObject({ source: 'known', retryAfterMs: 1 })
    expect(store.asked).toHaveLength(2)
    clock.advance(1)
    expect(await limiter.consume('k')).toMatchObject({ source: 'remote', allowed: true })
  })

  it('does not refuse what costs less, nor other keys', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter(FIVE)
    await limiter.consume('k', 3)
    expect(await limiter.consume('k', 3)).toMatchObject({ allowed: false, remaining: 2 })
    expect(await limiter.consume('k', 3)).toMatchObject({ allowed: false, source: 'known' })
    expect(await limiter.consume('k', 2)).toMatchObject({ allowed: true })
    expect(await limiter.consume('other', 3)).toMatchObject({ allowed: true })
  })

  it('is forgotten when something is given back or reset', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter({ limit: 1, per: '3s' })
    const first = await limiter.consume('k')
    await limiter.consume('k')
    expect(await limiter.refund(first)).toBe(true)
    expect(await limiter.consume('k')).toMatchObject({ allowed: true })
    await limiter.consume('k')
    await limiter.reset('k')
    expect(await limiter.consume('k')).toMatchObject({ allowed: true })
  })

  it('is not noted when something was given back while it was asked for', async () => {
    const { caches, store } = setStage()
    const limiter = caches.limiter({ limit: 1, per: '3s' })
    const first = await limiter.consume('k')
    const refused = limiter.consume('k')
    await new Promise((resolve) => process.nextTick(resolve))
    expect(await limiter.refund(first)).toBe(true)
    expect(await refused).toMatchObject({ allowed: false })
    expect(await limiter.consume('k')).toMatchObject({ allowed: true })
    expect(store.asked).toHaveLength(3)
  })

  it('is not used where every attempt counts, nor where permits come back at any time', async () => {
    const { caches, store } = setStage()
    const guard = caches.limiter({ limit: 1, per: '3s', penalty: true })
    await consumeTimes(guard, 2)
    await guard.consume('k')
    await guard.consume('k')
    const slots = caches.limiter({ limit: 1, algorithm: 'concurrency' })
    await consumeTimes(slots, 2)
    await slots.consume('k')
    expect(store.asked).toHaveLength(5)
  })
})

describe('giving back', () => {
  it('works once a verdict, and not for a refused one', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter(FIVE)
    const [first, , , , , refused] = await consumeTimes(limiter, 6)
    if (first === undefined || refused === undefined) throw new Error('six were asked for')
    expect(await limiter.refund(refused)).toBe(false)
    expect(await limiter.refund(first)).toBe(true)
    expect(await limiter.refund(first)).toBe(false)
    expect(await limiter.peek('k')).toMatchObject({ remaining: 1 })
  })
})

describe('waiting', () => {
  const WAITING = { limit: 1, per: '1s', maxWait: '3s' } as const

  it('R12: serves in the order of arrival, each at its turn, and refuses who would wait too long', async () => {
    const { caches, clock } = setStage()
    const limiter = caches.limiter(WAITING)
    const served: string[] = []
    const calls = Array.from({ length: 6 }, async (_, i) => {
      const verdict = await limiter.consume('k')
      served.push(`${i} at ${clock.now()} ${verdict.allowed} after ${verdict.waitedMs}`)
      return verdict
    })
    await clock.advanceAsync(0)
    expect(served).toEqual(['0 at 0 true after 0', '4 at 0 false after 0', '5 at 0 false after 0'])
    await clock.advanceAsync(5_000)
    expect(served.slice(3)).toEqual([
      '1 at 1000 true after 1000',
      '2 at 2000 true after 2000',
      '3 at 3000 true after 3000',
    ])
    expect((await Promise.all(calls)).at(-1)).toMatchObject({ retryAfterMs: 1_000 })
  })

  it('ends when its signal aborts, and the turn goes to the next one', async () => {
    const { caches, clock } = setStage()
    const limiter = caches.limiter(WAITING)
    await limiter.consume('k')
    const impatient = new AbortController()
    const given = limiter.consume('k', 1, { signal: impatient.signal })
    await clock.advanceAsync(400)
    impatient.abort(new Error('gone'))
    await expect(given).rejects.toThrow('gone')
    const next = limiter.consume('k')
    await clock.advanceAsync(600)
    expect(await next).toMatchObject({ allowed: true, waitedMs: 600 })
    await expect(limiter.consume('k', 1, { signal: impatient.signal })).rejects.toThrow('gone')
  })

  it('of many on one signal listens to it once', async () => {
    const { caches, clock } = setStage()
    const warnings: Error[] = []
    const warned = (warning: Error): number => warnings.push(warning)
    process.on('warning', warned)
    onTestFinished(() => {
      process.off('warning', warned)
    })
    const limiter = caches.limiter({ limit: 1, per: '1s', maxWait: '1m' })
    const impatient = new AbortController()
    const calls = Array.from({ length: 40 }, () =>
      limiter.consume('k', 1, { signal: impatient.signal }),
    )
    await clock.advanceAsync(1_000)
    impatient.abort(new Error('gone'))
    const ends = await Promise.allSettled(calls)
    expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(38)
    await new Promise((resolve) => setImmediate(resolve))
    expect(warnings).toEqual([])
  })

  it('ends when the manager closes', async () => {
    const { caches, clock } = setStage()
    const limiter = caches.limiter(WAITING)
    await limiter.consume('k')
    const waiting = limiter.consume('k')
    await clock.advanceAsync(1)
    const closing = caches.close()
    await expect(waiting).rejects.toThrow(ClosedError)
    await closing
    await expect(limiter.consume('k')).rejects.toThrow(ClosedError)
    expect(() => caches.limiter(FIVE)).toThrow(ClosedError)
  })
})

describe('R13: when the store cannot say', () => {
  it('this process counts alone, with its share, and says so', async () => {
    const { caches, store } = setStage()
    const limiter = caches.limiter({ ...FIVE, share: 0.4 })
    store.mode = 'fail'
    const verdicts = await consumeTimes(limiter, 4)
    expect(verdicts).toMatchObject([
      { allowed: true, source: 'local', limit: 2 },
      { allowed: true, source: 'local' },
      { allowed: false, source: 'local' },
      { allowed: false, source: 'local' },
    ])
    // What costs more than the share cannot be judged here, and is not called limited.
    await expect(limiter.consume('k', 3)).rejects.toThrow(RateLimitUnavailableError)
    store.mode = 'answer'
  })

  it('everything passes, if that was chosen', async () => {
    const { caches, store } = setStage()
    store.mode = 'fail'
    const verdicts = await consumeTimes(caches.limiter({ ...FIVE, onStoreError: 'open' }), 9)
    expect(new Set(verdicts.map(({ allowed, source }) => `${allowed} ${source}`))).toEqual(
      new Set(['true open']),
    )
  })

  it('nothing passes, if that was chosen, and that is not called limited either', async () => {
    const { caches, store } = setStage()
    store.mode = 'fail'
    const limiter = caches.limiter({ ...FIVE, onStoreError: 'closed' })
    await expect(limiter.consume('k')).rejects.toMatchObject({
      code: 'LARDER_RATE_LIMIT_UNAVAILABLE',
      key: 'k',
      cause: new Error('The store is on fire'),
    })
    await expect(limiter.run('k', () => 1)).rejects.toThrow(RateLimitUnavailableError)
  })

  it('answers within its deadline while the store hangs, then at once, and asks again by itself', async () => {
    const { caches, store, clock } = setStage()
    const limiter = caches.limiter(FIVE)
    store.mode = 'hang'
    for (let i = 0; i < 3; i++) {
      const call = limiter.consume(`k${i}`)
      await clock.advanceAsync(TIMEOUT_MS)
      expect(await call).toMatchObject({ source: 'local', allowed: true })
    }
    const before = store.asked.length
    expect(await limiter.consume('k3')).toMatchObject({ source: 'local' })
    expect(store.asked).toHaveLength(before)
    store.mode = 'answer'
    await clock.advanceAsync(1_000)
    expect(await limiter.consume('k4')).toMatchObject({ source: 'remote' })
  })

  it('a deadline of its own is kept', async () => {
    const { caches, store, clock } = setStage()
    store.mode = 'hang'
    const call = caches.limiter({ ...FIVE, storeTimeout: '30ms' }).consume('k')
    await clock.advanceAsync(29)
    let isDone = false
    void call.then(() => {
      isDone = true
    })
    expect(isDone).toBe(false)
    await clock.advanceAsync(1)
    expect(await call).toMatchObject({ source: 'local' })
  })

  it('a late answer is not believed, and changes nothing', async () => {
    const { caches, store, clock } = setStage()
    const limiter = caches.limiter({ limit: 1, per: '1h' })
    await limiter.consume('k')
    store.mode = 'hang'
    const call = limiter.consume('k')
    await clock.advanceAsync(TIMEOUT_MS)
    expect(await call).toMatchObject({ allowed: true, source: 'local' })
    store.mode = 'answer'
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, source: 'remote' })
  })
})

describe('which store', () => {
  const limiterOf = (options: Partial<Parameters<typeof createCacheManager>[0]>, more = {}) => {
    const caches = createCacheManager({ namespace: 'x', default: false, ...options })
    onTestFinished(() => caches.close())
    return caches.limiter({ ...FIVE, ...more } as LimiterOptions)
  }

  it('is the local one where there is no remote one, and says so', async () => {
    expect(await limiterOf({ local: lruStore() }).consume('k')).toMatchObject({ source: 'local' })
  })

  it('is never silently the local one where there is a remote one without limits', () => {
    const remote = new MemoryServer().store()
    const options = { local: lruStore(), remote, codec: structuredCodec }
    expect(() => limiterOf(options)).toThrow(
      /createCacheManager\.limits takes a rate-limit provider/,
    )
    expect(() => limiterOf({})).toThrow(/createCacheManager\.limits/)
  })

  it('may be one of its own', async () => {
    expect(await limiterOf({ limits: localLimits() }).consume('k')).toMatchObject({ allowed: true })
    expect(() => limiterOf({ limits: {} as never })).toThrow(/createCacheManager\.limits/)
  })

  it("without a local one, store trouble means 'closed', and 'local' is an error", async () => {
    const { store, caches } = setStage({ local: undefined })
    expect(() => caches.limiter({ ...FIVE, onStoreError: 'local' })).toThrow(
      /limiter\.onStoreError takes 'open' or 'closed'/,
    )
    store.mode = 'fail'
    await expect(caches.limiter(FIVE).consume('k')).rejects.toThrow(RateLimitUnavailableError)
  })
})

describe('switches', () => {
  it('a dry run decides, counts and reports, and lets everything pass', async () => {
    const { caches, decisions } = setStage()
    const limiter = caches.limiter({ ...FIVE, limit: 2, dryRun: true })
    const verdicts = await consumeTimes(limiter, 3)
    expect(verdicts).toMatchObject([
      { allowed: true, withinLimit: true },
      { allowed: true, withinLimit: true },
      { allowed: true, withinLimit: false, remaining: 0 },
    ])
    expect(decisions.map(({ withinLimit }) => withinLimit)).toEqual([true, true, false])
  })

  it('a dry run waits for nobody', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter({ limit: 1, per: '1h', maxWait: '1h', dryRun: true })
    expect(allowed(await consumeTimes(limiter, 2))).toBe(2)
  })

  it('the kill switch lets everything pass at once, uncounted, until it is put back', async () => {
    const { caches, store } = setStage()
    let isOn = true
    const limiter = caches.limiter({ ...FIVE, limit: 1, enabled: () => isOn })
    await limiter.consume('k')
    expect(await limiter.consume('k')).toMatchObject({ allowed: false })
    isOn = false
    expect(await limiter.consume('k')).toMatchObject({ allowed: true, source: 'off' })
    expect(await limiter.peek('k')).toMatchObject({ source: 'off' })
    expect(store.asked).toHaveLength(2)
    isOn = true
    expect(await limiter.consume('k')).toMatchObject({ allowed: false })
  })
})

describe('penalty and block', () => {
  it('with penalty, who keeps trying stays out', async () => {
    const { caches, clock } = setStage()
    const limiter = caches.limiter({ limit: 2, per: '10s', penalty: true })
    await consumeTimes(limiter, 2)
    for (let i = 0; i < 5; i++) {
      clock.advance(4_000)
      expect(await limiter.consume('k')).toMatchObject({ allowed: false })
    }
    clock.advance(10_000)
    expect(await limiter.consume('k')).toMatchObject({ allowed: true })
  })

  it('a refusal that was only looked at before a call does not keep it from beginning a block', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter({ limit: 1, per: '2s', block: '1m' })
    await limiter.consume('k')
    expect(await limiter.peek('k')).toMatchObject({ allowed: false })
    expect((await limiter.consume('k')).retryAfterMs).toBeGreaterThan(30_000)
  })

  it('after a refusal, a block admits nothing until it is over or reset', async () => {
    const { caches, clock } = setStage()
    const limiter = caches.limiter({ limit: 2, per: '1s', block: '1m' })
    await consumeTimes(limiter, 2)
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, retryAfterMs: 60_000 })
    clock.advance(30_000)
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, retryAfterMs: 30_000 })
    await limiter.reset('k')
    expect(await limiter.consume('k')).toMatchObject({ allowed: true, remaining: 1 })
  })
})

describe('permits', () => {
  it('are held while the work runs, also when it fails, and then given back', async () => {
    const { caches, clock } = setStage()
    const limiter = caches.limiter({ limit: 1, algorithm: 'concurrency', lease: '3s' })
    let finish = (): void => undefined
    const work = limiter.run(
      'k',
      () =>
        new Promise<string>((resolve) => {
          finish = () => resolve('done')
        }),
    )
    // Four terms long: it is renewed.
    await clock.advanceAsync(12_000)
    await expect(limiter.run('k', () => 'second')).rejects.toThrow(RateLimitedError)
    finish()
    expect(await work).toBe('done')
    await clock.advanceAsync(0)
    await expect(limiter.run('k', () => Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    )
    await clock.advanceAsync(0)
    expect(await limiter.run('k', () => 'third')).toBe('third')
  })

  it('of a process that died are free after their term', async () => {
    const { caches, clock } = setStage()
    const limiter = caches.limiter({ limit: 1, algorithm: 'concurrency', lease: '3s' })
    await limiter.consume('k')
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, retryAfterMs: 3_000 })
    clock.advance(3_000)
    const held = await limiter.consume('k')
    expect(held).toMatchObject({ allowed: true })
    expect(await limiter.refund(held)).toBe(true)
    expect(await limiter.consume('k')).toMatchObject({ allowed: true })
  })

  it('are all that is given back: what was counted stays counted', async () => {
    const { caches, clock } = setStage()
    const limiter = caches.limiter({
      policies: [
        { name: 'burst', limit: 2, per: '1h' },
        { name: 'slots', limit: 1, algorithm: 'concurrency' },
      ],
    })
    await limiter.run('k', () => 1)
    await clock.advanceAsync(0)
    expect(await limiter.peek('k')).toMatchObject({
      policies: [{ remaining: 1 }, { remaining: 1 }],
    })
    await limiter.run('k', () => 2)
    await clock.advanceAsync(0)
    await expect(limiter.run('k', () => 3)).rejects.toMatchObject({ policy: 'burst' })
  })

  it('of several at a time', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter({ limit: 5, algorithm: 'concurrency' })
    const three = await limiter.consume('k', 3)
    expect(await limiter.consume('k', 3)).toMatchObject({ allowed: false, remaining: 2 })
    expect(await limiter.consume('k', 2)).toMatchObject({ allowed: true, remaining: 0 })
    await limiter.refund(three)
    expect(await limiter.peek('k')).toMatchObject({ remaining: 3 })
  })
})

describe('run', () => {
  it('runs what is allowed, and throws a RateLimitedError otherwise', async () => {
    const { caches } = setStage()
    const limiter = caches.limiter({ limit: 3, per: '1m' })
    expect(await limiter.run('k', ({ remaining }) => remaining, { cost: 2 })).toBe(1)
    await expect(limiter.run('k', () => 1, { cost: 2 })).rejects.toMatchObject({
      code: 'LARDER_RATE_LIMITED',
      key: 'k',
      limit: 3,
      remaining: 1,
      retryAfterMs: 60_000,
      source: 'remote',
    })
  })
})
