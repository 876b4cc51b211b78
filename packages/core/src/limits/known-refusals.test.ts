/** What is known to be refused. */

import { describe, expect, it } from 'vitest'
import type { LimitReply, LimitRule } from '../contracts/rate-limit-provider.ts'
import { KnownRefusals } from './known-refusals.ts'

const MOST_KEYS = 50_000

const ruleOf = (limiter: string): LimitRule => ({
  limiter,
  policies: [],
  maxWaitUs: 0,
  penalty: false,
  blockUs: 0,
})
const RULE = ruleOf('api')

function refused(waitMs: number): LimitReply {
  return { admitted: false, waitUs: waitMs * 1_000, refusedBy: 0, states: [], nowUs: 0 }
}

interface Noted {
  readonly cost?: number
  readonly waitMs?: number
  readonly askedAt?: number
  readonly rule?: LimitRule
}

function note(known: KnownRefusals, key: string, noted: Noted = {}): void {
  const { cost = 1, waitMs = 1_000, askedAt = 0, rule = RULE } = noted
  const asking = known.ask(rule)
  known.answered(asking)
  known.note(key, { rule, cost, reply: refused(waitMs), askedAt, answeredAt: askedAt + 1 }, asking)
}

describe('KnownRefusals', () => {
  it('holds from when it was asked for until the store said, not a moment longer', () => {
    const known = new KnownRefusals()
    note(known, 'k', { waitMs: 100, askedAt: 50 })
    expect(known.find({ rule: RULE, key: 'k', cost: 1 }, 149.9)).toBeDefined()
    expect(known.find({ rule: RULE, key: 'k', cost: 1 }, 150)).toBeUndefined()
    expect(known.size).toBe(0)
  })

  it('answers the same question only: that key, that rule, that cost', () => {
    const known = new KnownRefusals()
    note(known, 'k', { cost: 3 })
    expect(known.find({ rule: RULE, key: 'k', cost: 2 }, 1)).toBeUndefined()
    expect(known.find({ rule: RULE, key: 'k', cost: 3 }, 1)).toBeDefined()
    expect(known.find({ rule: RULE, key: 'k', cost: 4 }, 1)).toBeUndefined()
    expect(known.find({ rule: RULE, key: 'other', cost: 3 }, 1)).toBeUndefined()
    expect(known.find({ rule: ruleOf('api'), key: 'k', cost: 3 }, 1)).toBeUndefined()
  })

  it('knows several costs of a key, and not more and more of them', () => {
    const known = new KnownRefusals()
    for (let cost = 1; cost <= 20; cost++) note(known, 'k', { cost, waitMs: 100 * cost })
    const costs = Array.from({ length: 20 }, (_, i) => i + 1)
    expect(costs.filter((cost) => known.find({ rule: RULE, key: 'k', cost }, 1))).toEqual(
      costs.slice(12),
    )
    expect(known.find({ rule: RULE, key: 'k', cost: 20 }, 1)?.reply.waitUs).toBe(2_000_000)
  })

  it('is trusted for five seconds at most', () => {
    const known = new KnownRefusals()
    note(known, 'k', { waitMs: 3_600_000 })
    expect(known.find({ rule: RULE, key: 'k', cost: 1 }, 4_999)).toBeDefined()
    expect(known.find({ rule: RULE, key: 'k', cost: 1 }, 5_000)).toBeUndefined()
  })

  it('R16: remembers so many keys and forgets the oldest', () => {
    const known = new KnownRefusals()
    for (let i = 0; i <= MOST_KEYS; i++) note(known, `k${i}`)
    expect(known.size).toBe(MOST_KEYS)
    expect(known.find({ rule: RULE, key: 'k0', cost: 1 }, 1)).toBeUndefined()
    expect(known.find({ rule: RULE, key: `k${MOST_KEYS}`, cost: 1 }, 1)).toBeDefined()
  })

  it('forgets a key under every rule of its limiter, or all', () => {
    const known = new KnownRefusals()
    const other = ruleOf('api')
    note(known, 'a')
    note(known, 'a', { rule: other })
    note(known, 'b')
    note(known, 'a', { rule: ruleOf('login') })
    known.freed('api', 'a')
    expect([
      known.find({ rule: RULE, key: 'a', cost: 1 }, 1),
      known.find({ rule: other, key: 'a', cost: 1 }, 1),
    ]).toEqual([undefined, undefined])
    expect([known.size, known.find({ rule: RULE, key: 'b', cost: 1 }, 1) !== undefined]).toEqual([
      2,
      true,
    ])
    known.freedAny()
    expect(known.size).toBe(0)
  })

  it('forgets when the key gets something admitted: what was said of other costs is later now', () => {
    const known = new KnownRefusals()
    note(known, 'k', { cost: 5 })
    known.admitted(RULE, 'k')
    expect(known.find({ rule: RULE, key: 'k', cost: 5 }, 1)).toBeUndefined()
  })

  it.each([
    ['that key was given back', (known: KnownRefusals) => known.freed('api', 'k'), false],
    ['anything may have been', (known: KnownRefusals) => known.freedAny(), false],
    ['another key was', (known: KnownRefusals) => known.freed('api', 'other'), true],
    ['another limiter was', (known: KnownRefusals) => known.freed('login', 'k'), true],
  ])('is not noted when, while it was asked for, %s', (_, free, isNoted) => {
    const known = new KnownRefusals()
    const asking = known.ask(RULE)
    free(known)
    known.answered(asking)
    known.note('k', { rule: RULE, cost: 1, reply: refused(9), askedAt: 0, answeredAt: 1 }, asking)
    expect(known.find({ rule: RULE, key: 'k', cost: 1 }, 1) !== undefined).toBe(isNoted)
  })
})
