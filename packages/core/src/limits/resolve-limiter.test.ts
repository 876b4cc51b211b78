/** What a limiter may be told, and what is an error at definition. */

import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../errors/option-error.ts'
import type { LimiterOptions } from './limiter-options.ts'
import { resolveLimiter } from './resolve-limiter.ts'

const known = (options: LimiterOptions) => resolveLimiter(options, { where: 'limiter' }).usual
const rule = (options: LimiterOptions) => known(options).rule
const policy = (options: LimiterOptions) => rule(options).policies[0]

function refusal(options: object): string {
  try {
    known(options as LimiterOptions)
  } catch (error) {
    if (error instanceof InvalidOptionError) return `${error.option}: ${error.message}`
    throw error
  }
  return 'none'
}

describe('the algorithm', () => {
  it('is exact up to 1000 and by slices above, unless it is said', () => {
    expect(policy({ limit: 1_000, per: '1m' })?.algorithm).toBe('exact')
    expect(policy({ limit: 1_001, per: '1m' })?.algorithm).toBe('window')
    expect(policy({ limit: 10_000, per: '1m', algorithm: 'exact' })?.algorithm).toBe('exact')
  })

  it('is that of the calendar for its periods', () => {
    expect(policy({ limit: 5, per: 'day' })).toEqual({
      name: 'default',
      limit: 5,
      period: 'day',
      algorithm: 'calendar',
      timeZone: 'UTC',
    })
    expect(policy({ limit: 5, per: 'day', algorithm: 'fixed', timeZone: 'Asia/Tokyo' })).toEqual(
      expect.objectContaining({ algorithm: 'calendar', timeZone: 'Asia/Tokyo' }),
    )
  })

  it('never has slices or intervals that add up to less than the window', () => {
    expect(policy({ limit: 5, per: 100, algorithm: 'window', slices: 3 })).toMatchObject({
      windowUs: 100_000,
      slices: 3,
      sliceUs: 33_334,
    })
    expect(policy({ limit: 3, per: '1s', algorithm: 'smooth' })).toMatchObject({
      burst: 3,
      intervalUs: 333_334,
    })
  })

  it('smooth and hard: burst and interval keep every window below the limit', () => {
    for (const limit of [1, 2, 3, 10, 99, 1_000]) {
      for (const burst of [undefined, 1, limit]) {
        const found = policy({ limit, per: '1s', algorithm: 'smooth', hard: true, burst })
        if (found?.algorithm !== 'smooth') throw new Error('smooth was asked for')
        const most = found.burst + Math.ceil(found.windowUs / found.intervalUs) - 1
        expect(most).toBeLessThanOrEqual(limit)
      }
    }
  })
})

describe('the name', () => {
  it('is made of the policies, so that equal limiters share and others do not', () => {
    expect(rule({ limit: 5, per: '1m' }).limiter).toBe(rule({ limit: 5, per: 60_000 }).limiter)
    expect(rule({ limit: 5, per: '1m' }).limiter).not.toBe(rule({ limit: 6, per: '1m' }).limiter)
    const zoned = (timeZone: string) => rule({ limit: 5, per: 'day', timeZone }).limiter
    expect(zoned('America/Argentina/Buenos_Aires')).toMatch(/^[A-Za-z0-9_.-]{1,64}$/)
    expect(zoned('America/New_York')).not.toBe(zoned('Europe/Berlin'))
  })

  it('is what it is said to be, and then names the only policy too', () => {
    expect(rule({ name: 'login', limit: 5, per: '1m' })).toMatchObject({
      limiter: 'login',
      policies: [{ name: 'login' }],
    })
    const unnamed = resolveLimiter({ limit: 5, per: '1m' }, { where: 'x', name: 'Api.search' })
    expect(unnamed.usual.rule).toMatchObject({
      limiter: 'Api.search',
      policies: [{ name: 'default' }],
    })
  })
})

describe('the share of this process', () => {
  it('is a part of each limit, rounded down', () => {
    const { localRule } = known({
      policies: [
        { name: 'a', limit: 10, per: '1s' },
        { name: 'b', limit: 5_000, per: '1h' },
        { name: 'c', limit: 9, per: '1s', algorithm: 'smooth', burst: 6 },
      ],
      share: 1 / 4,
    })
    expect(localRule.policies).toMatchObject([
      { algorithm: 'exact', limit: 2 },
      { algorithm: 'window', limit: 1_250 },
      { algorithm: 'smooth', limit: 2, burst: 1, intervalUs: 500_000 },
    ])
  })
})

describe('a share', () => {
  it('of one in n of a limit is n-th of it, for every n', () => {
    for (let n = 1; n <= 200; n++) {
      for (const times of [1, 2, 3]) {
        const options = { limit: n * times, per: '1m', share: 1 / n } as const
        const [local] = known(options).localRule.policies
        expect(local?.limit, `${times} in ${n}`).toBe(times)
      }
    }
  })

  it('never rounds up', () => {
    const { localRule } = known({ limit: 10, per: '1m', share: 0.29 })
    expect(localRule.policies[0]?.limit).toBe(2)
  })
})

describe('errors at definition', () => {
  const good = { limit: 5, per: '1m' }
  it.each<readonly [string, object, RegExp]>([
    ['no limit', { per: '1m' }, /limiter\.limit.*whole number/],
    ['a limit below 0', { limit: -1, per: '1m' }, /limiter\.limit/],
    ['a limit that is no whole number', { limit: 1.5, per: '1m' }, /limiter\.limit/],
    ['no window', { limit: 5 }, /limiter\.per/],
    ['a window of 0', { limit: 5, per: 0 }, /limiter\.per/],
    ['a window of more than ten years', { limit: 5, per: '4000d' }, /limiter\.per/],
    ['a wrong unit', { limit: 5, per: '5 minutes' }, /limiter\.per.*Did you mean '5m'/],
    ['an unknown option', { ...good, limt: 5 }, /Did you mean limit\?/],
    ['an unknown algorithm', { ...good, algorithm: 'sliding' }, /limiter\.algorithm/],
    ['an exact limit that is too large', { ...good, limit: 20_000, algorithm: 'exact' }, /10000/],
    ['a rate nobody could tell', { limit: 5_000, per: 1, algorithm: 'smooth' }, /microsecond/],
    [
      'a burst that takes for ever',
      { limit: 1, per: '1d', algorithm: 'smooth', burst: 9_999 },
      /ten years/,
    ],
    [
      'a hard burst above the limit',
      { ...good, algorithm: 'smooth', hard: true, burst: 6 },
      /burst/,
    ],
    ['an option of another algorithm', { ...good, burst: 3 }, /burst.*algorithm: "smooth"/],
    ['slices of another algorithm', { ...good, slices: 3 }, /slices.*algorithm: "window"/],
    ['a zone without a calendar', { ...good, timeZone: 'UTC' }, /timeZone.*period of the calendar/],
    ['a zone nobody knows', { limit: 5, per: 'day', timeZone: 'Mars/Base' }, /timeZone.*IANA/],
    ['a sliding calendar', { limit: 5, per: 'day', algorithm: 'exact' }, /algorithm.*"fixed"/],
    ['a lease without concurrency', { ...good, lease: '1s' }, /lease.*"concurrency"/],
    ['a window with concurrency', { ...good, algorithm: 'concurrency' }, /per.*left out/],
    ['a lease nobody could renew', { limit: 5, algorithm: 'concurrency', lease: 5 }, /lease/],
    [
      'waiting for a permit',
      { limit: 5, algorithm: 'concurrency', maxWait: '1s' },
      /maxWait.*queue/,
    ],
    ['a penalty for concurrency', { limit: 5, algorithm: 'concurrency', penalty: true }, /penalty/],
    ['a wait longer than sense', { ...good, maxWait: '2h' }, /maxWait/],
    ['a wait of too many', { limit: 1_000, per: '1s', maxWait: '1m' }, /maxWait.*10000 calls/],
    [
      'a wait of too many slices',
      { limit: 1, per: '1s', algorithm: 'window', slices: 60, maxWait: '1h' },
      /maxWait.*1000 slices.*16667 ms/,
    ],
    ['no policies', { policies: [] }, /policies/],
    [
      'too many policies',
      { policies: Array.from({ length: 17 }, (_, i) => ({ ...good, name: `p${i}` })) },
      /policies.*at most 16/,
    ],
    ['a time to believe limits that is none', { ...good, limitTtl: 'long' }, /limitTtl/],
    ['two policies of one name', { policies: [good, good] }, /policies.*name of its own/],
    ['a policy beside the policies', { ...good, policies: [good] }, /limit.*one of the policies/],
    ['an error inside a policy', { policies: [{ ...good, per: 0 }] }, /policies\[0\]\.per/],
    ['a bad name', { ...good, name: 'a:b' }, /limiter\.name/],
    ['a share of 0', { ...good, share: 0 }, /share/],
    ['a share of less than one call', { ...good, share: 0.1 }, /share.*at least one call/],
    ['a bad word for store trouble', { ...good, onStoreError: 'ignore' }, /onStoreError/],
    ['a switch that is no function', { ...good, enabled: true }, /enabled/],
    ['a block of 0', { ...good, block: 0 }, /block/],
  ])('%s', (_, options, message) => {
    expect(refusal(options)).toMatch(message)
  })
})

describe('a resolved limiter', () => {
  const resolved = (options: LimiterOptions) => resolveLimiter(options, { where: 'x', name: 'x' })
  const place = { where: '@RateLimited(Api.search)', name: 'Api.search' }

  it('takes the name of its place, with all else as it was, unless its options name it', () => {
    const { usual } = resolved({ limit: 8, per: '1m', share: 0.5 })
    const { rule, localRule } = resolved({ limit: 8, per: '1m', share: 0.5 }).at(place).usual
    expect(rule).toEqual({ ...usual.rule, limiter: 'Api.search' })
    expect(localRule).toEqual({ ...usual.localRule, limiter: 'Api.search' })
    const named = resolved({ name: 'api', limit: 8, per: '1m' })
    expect([named.isNamed, named.at(place).usual.rule.limiter]).toEqual([true, 'api'])
  })

  it('makes rules under limits that are looked up, and names the place where one is wrong', () => {
    const looked = resolved({ limit: () => 5, per: '1m' } as never).at(place)
    expect(looked.sources).toEqual([
      { lookup: expect.any(Function), option: '@RateLimited(Api.search).limit' },
    ])
    expect(looked.under([7]).rule).toMatchObject({
      limiter: 'Api.search',
      policies: [{ limit: 7, algorithm: 'window' }],
    })
  })

  it('has the same terms as another of the same rule, and not those of one that differs', () => {
    const several = (one: string, other: string): LimiterOptions => ({
      policies: [
        { name: one, limit: 5, per: '1s' },
        { name: other, limit: 5, per: '1m' },
      ],
    })
    const all: readonly LimiterOptions[] = [
      { limit: 5, per: '1m' },
      { limit: 5, per: '2m' },
      { limit: 5, per: '1m', share: 0.5 },
      { limit: 5, per: '1m', penalty: true },
      { limit: 5, per: '1m', block: '1s' },
      { limit: 5, per: '1m', maxWait: '1s' },
      { name: 'a', limit: 5, per: '1m' },
      several('a', 'b'),
      several('a-exact', 'b'),
    ]
    const termsOf = (options: LimiterOptions): string => resolved(options).usual.contents
    expect(new Set(all.map(termsOf)).size).toBe(all.length)
    expect(all.map(termsOf)).toEqual(all.map((options) => termsOf({ ...options })))
  })
})
