/** The in-process provider around the model; what the model decides is tested in test/limits. */

import type { LimitRule } from '@larder/core/store'
import { describe, expect, it } from 'vitest'
import { localLimits } from './local-limits.ts'

const rule: LimitRule = {
  limiter: 'test',
  policies: [{ name: 'p', limit: 2, algorithm: 'exact', windowUs: 1_000_000 }],
  maxWaitUs: 0,
  penalty: false,
  blockUs: 0,
}
const call = (key: string, kind: 'take' | 'peek' = 'take') => ({ key, cost: 1, kind, permit: '' })

describe('localLimits', () => {
  it('decides calls in order, by key and limiter', async () => {
    const limits = localLimits()
    const replies = await limits.decide(rule, [call('a'), call('a'), call('b'), call('a')])
    expect(replies.map(({ admitted }) => admitted)).toEqual([true, true, true, false])
    const [other] = await limits.decide({ ...rule, limiter: 'other' }, [call('a')])
    expect(other?.admitted).toBe(true)
  })

  it('follows real time', async () => {
    const limits = localLimits()
    const [before] = await limits.decide(rule, [call('a')])
    expect(Math.abs((before?.nowUs ?? 0) / 1_000 - Date.now())).toBeLessThan(60_000)
    expect(Number.isInteger(before?.nowUs)).toBe(true)
  })

  it('says when something was given back or reset, and only then', async () => {
    const limits = localLimits({ nowUs: () => 5 })
    const freed: string[] = []
    limits.listener = {
      onFreed: (limiter, key) => freed.push(`${limiter} ${key}`),
      onDoubt: () => undefined,
    }
    await limits.decide(rule, [call('a')])
    const admission = { key: 'a', cost: 1, permit: '', nowUs: 5, waitUs: 0 }
    expect(await limits.refund(rule, admission)).toBe(true)
    expect(await limits.refund(rule, admission)).toBe(false)
    expect(await limits.refund(rule, { ...admission, key: 'unknown' })).toBe(false)
    await limits.reset(rule, 'b')
    expect(freed).toEqual(['test a', 'test b'])
  })

  it('remembers nothing of looks, and nothing after closing', async () => {
    const limits = localLimits()
    await limits.decide(rule, [call('a', 'peek'), call('a', 'peek'), call('a', 'peek')])
    const [third] = await limits.decide(rule, [call('a')])
    expect(third).toMatchObject({ admitted: true, states: [{ remaining: 1 }] })
    await limits.close()
    const [after] = await limits.decide(rule, [call('a')])
    expect(after).toMatchObject({ states: [{ remaining: 1 }] })
  })

  it('checks its options', () => {
    expect(() => localLimits({ maxKeys: 0 })).toThrow(/localLimits\.maxKeys/)
    expect(() => localLimits({ maxKey: 5 } as object)).toThrow(/Did you mean maxKeys\?/)
    expect(() => localLimits({ nowUs: 5 as never })).toThrow(/localLimits\.nowUs/)
  })
})
