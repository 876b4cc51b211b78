/** What is known to be refused. */

import { describe, expect, it } from 'vitest'
import type { LimitReply } from '../contracts/rate-limit-provider.ts'
import { KnownRefusals } from './known-refusals.ts'

const MOST_KEYS = 10_000

function refused(waitMs: number): LimitReply {
  return { admitted: false, waitUs: waitMs * 1_000, refusedBy: 0, states: [], nowUs: 0 }
}

const note = (cost: number, waitMs: number, askedAt = 0) => ({
  cost,
  reply: refused(waitMs),
  askedAt,
  answeredAt: askedAt + 1,
})

describe('KnownRefusals', () => {
  it('holds from when it was asked for until the store said, not a moment longer', () => {
    const known = new KnownRefusals()
    known.note('k', note(1, 100, 50))
    expect(known.find('k', 1, 149.9)).toBeDefined()
    expect(known.find('k', 1, 150)).toBeUndefined()
    expect(known.size).toBe(0)
  })

  it('is about that key, and calls of that cost or more', () => {
    const known = new KnownRefusals()
    known.note('k', note(3, 100))
    expect(known.find('k', 2, 1)).toBeUndefined()
    expect(known.find('k', 3, 1)).toBeDefined()
    expect(known.find('k', 4, 1)).toBeDefined()
    expect(known.find('other', 3, 1)).toBeUndefined()
  })

  it('is believed for five seconds at most', () => {
    const known = new KnownRefusals()
    known.note('k', note(1, 3_600_000))
    expect(known.find('k', 1, 4_999)).toBeDefined()
    expect(known.find('k', 1, 5_000)).toBeUndefined()
  })

  it('forgets the oldest beyond ten thousand keys (R16)', () => {
    const known = new KnownRefusals()
    for (let i = 0; i <= MOST_KEYS; i++) known.note(`k${i}`, note(1, 1_000))
    expect(known.size).toBe(MOST_KEYS)
    expect(known.find('k0', 1, 1)).toBeUndefined()
    expect(known.find(`k${MOST_KEYS}`, 1, 1)).toBeDefined()
  })

  it('forgets a key, or all', () => {
    const known = new KnownRefusals()
    known.note('a', note(1, 1_000))
    known.note('b', note(1, 1_000))
    known.forget('a')
    expect([known.find('a', 1, 1), known.find('b', 1, 1)].map(Boolean)).toEqual([false, true])
    known.clear()
    expect(known.size).toBe(0)
  })
})
