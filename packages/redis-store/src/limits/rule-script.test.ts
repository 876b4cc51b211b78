/** Rules as the scripts get them, and their keys. */

import type { LimitPolicy, LimitRule } from '@larder/core/store'
import { describe, expect, it } from 'vitest'
import { hashTagOf } from '../key-layout.ts'
import { RuleScript } from './rule-script.ts'

const exact: LimitPolicy = { name: 'p', limit: 5, algorithm: 'exact', windowUs: 7 }
const daily: LimitPolicy = {
  name: 'd',
  limit: 5,
  algorithm: 'calendar',
  period: 'day',
  timeZone: 'UTC',
}

function scriptOf(policies: readonly LimitPolicy[], more: Partial<LimitRule> = {}): RuleScript {
  const plain = { limiter: 'api', maxWaitUs: 0, penalty: false, blockUs: 0 }
  return new RuleScript({ ...plain, policies, ...more })
}

describe('RuleScript', () => {
  it('has a script of its own for a single policy, and JSON for the rest', () => {
    expect(scriptOf([exact], { maxWaitUs: 9 }).decision).toEqual({
      kind: 'single',
      script: 'limitExact',
      rule: ['9', '5', '7'],
    })
    const others = [
      scriptOf([exact, daily]),
      scriptOf([exact], { penalty: true }),
      scriptOf([exact], { blockUs: 1 }),
      scriptOf([daily]),
    ]
    for (const { decision } of others) expect(decision.kind).toBe('any')
    expect(JSON.parse(scriptOf([exact], { penalty: true, blockUs: 3 }).at(0))).toEqual({
      policies: [{ algorithm: 'exact', limit: 5, window: 7 }],
      maxWait: 0,
      penalty: true,
      block: 3,
    })
  })

  it("sends the calendar's edges around the server's time, and the same text while they hold", () => {
    const script = scriptOf([daily])
    const noonUs = Date.UTC(2025, 0, 2, 12) * 1_000
    const text = script.at(noonUs)
    const { policies } = JSON.parse(text) as { policies: { edges: number[] }[] }
    expect(policies[0]?.edges.slice(0, 3)).toEqual(
      [1, 2, 3].map((day) => Date.UTC(2025, 0, day) * 1_000),
    )
    expect(script.at(noonUs + 1_000_000)).toBe(text)
    expect(script.at(noonUs + 86_400_000_000)).not.toBe(text)
  })

  it('keeps all keys of a subject in one slot, and those of two subjects apart', () => {
    const script = scriptOf([exact, daily], { blockUs: 1 })
    const keysOf = (key: string): string[] => {
      const keys: string[] = []
      script.pushDecisionKeys(keys, 'shop', key)
      return keys
    }
    expect(keysOf('ip')).toEqual([
      '{shop:limit:api:ip}:p:exact',
      '{shop:limit:api:ip}:d:calendar',
      '{shop:limit:api:ip}:block',
    ])
    const odd = ['a', 'a}', 'a}:p:exact', 'a}:block', '}', '{', ':']
    expect(new Set(odd.flatMap(keysOf)).size).toBe(3 * odd.length)
    for (const key of odd) expect(new Set(keysOf(key).map(hashTagOf)).size).toBe(1)
    expect(script.allKeys('shop', 'ip')).toEqual(keysOf('ip'))
  })
})
