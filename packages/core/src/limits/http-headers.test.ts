/** R17: header values are what draft-ietf-httpapi-ratelimit-headers says, and Retry-After is not before t. */

import { describe, expect, it } from 'vitest'
import type { LimitRule, PolicyState } from '../contracts/rate-limit-provider.ts'
import { rateLimitHeaders } from './http-headers.ts'
import { rateLimitProblem } from './http-problem.ts'
import { resolveLimiter } from './resolve-limiter.ts'
import { type RateLimitVerdict, unaskedVerdict, verdictOf } from './verdict.ts'

const { rule } = resolveLimiter(
  {
    policies: [
      { name: 'burst', limit: 20, per: '1s' },
      { name: 'daily', limit: 1_000, per: 'day' },
      { name: 'under-way', limit: 3, algorithm: 'concurrency' },
      { name: 'quick', limit: 5, per: '250ms' },
    ],
  },
  { where: 'limiter' },
).usual
const STATES: readonly PolicyState[] = [
  { remaining: 5, resetUs: 400_001 },
  { remaining: 999, resetUs: 3_600_000_000 },
  { remaining: 2, resetUs: 30_000_000 },
  { remaining: 4, resetUs: 0 },
]

function verdict(of: LimitRule, waitUs?: number, refusedBy = 0): RateLimitVerdict {
  const isRefused = waitUs !== undefined
  return verdictOf(
    of,
    {
      admitted: !isRefused,
      waitUs: waitUs ?? 0,
      refusedBy: isRefused ? refusedBy : -1,
      states: STATES.map((state, i) =>
        isRefused && i === refusedBy ? { ...state, remaining: 0 } : state,
      ),
      nowUs: 0,
    },
    { source: 'remote', dryRun: false, elapsedMs: 0, cost: 1 },
  )
}

/** The grammar of a list of strings with parameters (RFC 9651), as far as the draft uses it. */
const ITEM =
  '"[\\x20-\\x21\\x23-\\x5b\\x5d-\\x7e]*"(;[a-z*][a-z0-9_.*-]*=(-?\\d{1,15}|"[^"\\\\]*"|:[A-Za-z0-9+/=]*:))*'
const LIST = new RegExp(`^${ITEM}(, ${ITEM})*$`)

const parameter = (field: string | undefined, name: string): number =>
  Number(new RegExp(`;${name}=(\\d+)`).exec(field ?? '')?.[1])

describe('rateLimitHeaders', () => {
  it('lists the policies and what is left of them', () => {
    expect(rateLimitHeaders(verdict(rule), { draft: 10 })).toEqual({
      'RateLimit-Policy':
        '"burst";q=20;w=1, "daily";q=1000, "under-way";q=3;qu="concurrent-requests", "quick";q=5;w=1',
      RateLimit: '"burst";r=5;t=1, "daily";r=999;t=3600, "under-way";r=2;t=30, "quick";r=4;t=0',
    })
  })

  it('tells how long no more than the rest should be used, and no faster than the policy allows', () => {
    const policies = '"burst";r=5;t=1, "daily";r=999;t=86314, "under-way";r=2, "quick";r=4;t=1'
    expect(rateLimitHeaders(verdict(rule))['RateLimit']).toBe(policies)
  })

  it.each([
    // The bucket is full again after a second; a client that used 3599 in it would be refused for an hour.
    [{ limit: 3_600, per: '1h', algorithm: 'smooth' }, 3_599, 1, 3_599],
    [{ limit: 3_600, per: '1h', algorithm: 'smooth' }, 0, 3_600, 1],
    [{ limit: 10_000, per: '1000s', algorithm: 'fixed' }, 10_000, 10, 1_000],
    [{ limit: 100, per: '60s', algorithm: 'fixed' }, 10, 50, 50],
    [{ limit: 100, per: '60s' }, 0, 42, 42],
    [{ limit: 240, per: 'day' }, 120, 60, 43_200],
  ] as const)('under %o with %i left and a reset in %i s, t is %i', (policy, remaining, s, t) => {
    const { rule } = resolveLimiter(policy, { where: 'limiter' }).usual
    const states = [{ remaining, resetUs: s * 1_000_000 }]
    const reply = { admitted: true, waitUs: 0, refusedBy: -1, states, nowUs: 0 }
    const how = { source: 'remote', dryRun: false, elapsedMs: 0, cost: 1 } as const
    const fields = rateLimitHeaders(verdictOf(rule, reply, how))
    expect(fields['RateLimit']).toBe(`"default";r=${remaining};t=${t}`)
  })

  it('says of a blocked key that nothing is left', () => {
    const states = STATES.map((state) => ({ ...state, remaining: 3 }))
    const reply = { admitted: false, waitUs: 900_000_000, refusedBy: 0, states, nowUs: 0 }
    const how = { source: 'remote', dryRun: false, elapsedMs: 0, cost: 1 } as const
    const blocked = verdictOf(rule, reply, how)
    expect(blocked.blocked).toBe(true)
    expect(rateLimitHeaders(blocked)['RateLimit']).toBe('"burst";r=0;t=900')
    expect(rateLimitProblem(blocked)).toMatchObject({ status: 429, 'violated-policies': ['burst'] })
    expect(rateLimitProblem(blocked).type).toMatch(/#abnormal-usage-detected$/)
  })

  it.each([1, 999_999, 1_000_000, 1_000_001, 86_400_000_000])(
    'of a call refused for %i µs: only that policy, and Retry-After is not before its t',
    (waitUs) => {
      const headers = rateLimitHeaders(verdict(rule, waitUs))
      expect(headers['RateLimit']).toBe(`"burst";r=0;t=${Math.ceil(waitUs / 1_000_000)}`)
      const retryAfter = Number(headers['Retry-After'])
      expect(retryAfter).toBeGreaterThanOrEqual(parameter(headers['RateLimit'], 't'))
      expect(retryAfter * 1_000_000).toBeGreaterThanOrEqual(waitUs)
    },
  )

  it('keeps to the grammar of structured fields, partition keys of any text included', () => {
    const all = [verdict(rule), verdict(rule, 5), verdict(rule, 5, 2)]
    for (const partitionKey of [undefined, 'ip', '"quoted" \\ ü ☃ \n']) {
      for (const one of all) {
        const headers = rateLimitHeaders(one, { partitionKey, legacy: true })
        expect(headers['RateLimit-Policy']).toMatch(LIST)
        expect(headers['RateLimit']).toMatch(LIST)
        for (const [name, value] of Object.entries(headers)) {
          expect(name).toMatch(/^[A-Za-z-]+$/)
          expect(value).toMatch(/^[\x20-\x7e]+$/)
        }
      }
    }
    const { RateLimit } = rateLimitHeaders(verdict(rule, 5), { partitionKey: 'ü' })
    expect(RateLimit).toBe('"burst";r=0;t=1;pk=:w7w=:')
  })

  it.each([
    ['a partition key of 128 bytes is said', 'ü'.repeat(64), 128],
    ['a longer one is said by its digest', `${'ü'.repeat(64)}a`, 32],
    ['a very long one, too', 'k'.repeat(1_000_000), 32],
  ])('%s', (_, partitionKey, bytes) => {
    const { RateLimit = '' } = rateLimitHeaders(verdict(rule), { partitionKey })
    const said = [...RateLimit.matchAll(/;pk=:([^:]*):/g)].map(([, pk = '']) => pk)
    expect(said.length).toBeGreaterThan(0)
    for (const pk of said) expect(Buffer.from(pk, 'base64')).toHaveLength(bytes)
    const other = rateLimitHeaders(verdict(rule), { partitionKey: `${partitionKey.slice(0, -1)}b` })
    expect(other['RateLimit']).not.toBe(RateLimit)
    expect(rateLimitHeaders(verdict(rule), { partitionKey })['RateLimit']).toBe(RateLimit)
  })

  it('adds the older fields when asked', () => {
    expect(rateLimitHeaders(verdict(rule, 2_500_000), { legacy: true })).toMatchObject({
      'X-RateLimit-Limit': '20',
      'X-RateLimit-Remaining': '0',
      'X-RateLimit-Reset': '1',
    })
  })

  it('spreads Retry-After, and only to later', () => {
    const refusal = verdict(rule, 10_000_000)
    const waits = Array.from({ length: 200 }, () =>
      Number(rateLimitHeaders(refusal, { jitter: '5s' })['Retry-After']),
    )
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(10)
    expect(Math.max(...waits)).toBeLessThanOrEqual(15)
    expect(new Set(waits).size).toBeGreaterThan(1)
  })

  it('says nothing where nobody has decided', () => {
    expect(rateLimitHeaders(unaskedVerdict(rule, 'open'))).toEqual({})
    expect(rateLimitHeaders(unaskedVerdict(rule, 'off'), { legacy: true })).toEqual({})
  })

  it('refuses unknown options', () => {
    expect(() => rateLimitHeaders(verdict(rule), { legcy: true } as object)).toThrow(/legacy/)
    expect(() => rateLimitHeaders(verdict(rule), { partitionKey: 5 } as never)).toThrow(/a string/)
  })
})

it('rateLimitProblem names the policy that was violated', () => {
  expect(rateLimitProblem(verdict(rule, 1, 1))).toEqual({
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: 'Request cannot be satisfied as assigned quota has been exceeded',
    status: 429,
    'violated-policies': ['daily'],
  })
})

it('rateLimitProblem tells of a store that is away without blaming a policy', () => {
  expect(rateLimitProblem([], 'temporary-reduced-capacity')).toMatchObject({
    type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
    status: 503,
    'violated-policies': [],
  })
})
