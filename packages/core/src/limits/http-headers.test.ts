/** R17: header values are what draft-ietf-httpapi-ratelimit-headers-10 says, and Retry-After is not before t. */

import { describe, expect, it } from 'vitest'
import type { LimitRule, PolicyState } from '../contracts/rate-limit-provider.ts'
import { rateLimitHeaders, rateLimitProblem } from './http-headers.ts'
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
    { source: 'remote', dryRun: false, elapsedMs: 0 },
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
    expect(rateLimitHeaders(verdict(rule))).toEqual({
      'RateLimit-Policy':
        '"burst";q=20;w=1, "daily";q=1000, "under-way";q=3;qu="concurrent-requests", "quick";q=5;w=1',
      RateLimit: '"burst";r=5;t=1, "daily";r=999;t=3600, "under-way";r=2;t=30, "quick";r=4;t=0',
    })
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
