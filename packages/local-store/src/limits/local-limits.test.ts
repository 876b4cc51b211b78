/** The in-process provider around the model; what the model decides is tested in test/limits. */

import type { LimitPolicy, LimitRule } from '@larder/core/store'
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

  it.each<readonly [string, (us: number) => LimitPolicy]>([
    ['exact', (windowUs) => ({ name: 'p', limit: 2, algorithm: 'exact', windowUs })],
    ['fixed', (windowUs) => ({ name: 'p', limit: 2, algorithm: 'fixed', windowUs })],
    [
      'window',
      (us) => ({ name: 'p', limit: 2, algorithm: 'window', windowUs: us, slices: us, sliceUs: 1 }),
    ],
    [
      'smooth',
      (us) => ({
        name: 'p',
        limit: 2,
        algorithm: 'smooth',
        windowUs: us,
        burst: 1,
        intervalUs: 50,
      }),
    ],
  ])(
    'keeps what counts in a long window, whatever looks under a short one: %s',
    async (_, policy) => {
      let nowUs = 1_000_000
      const limits = localLimits({ nowUs: () => nowUs })
      const long = { ...rule, policies: [policy(100)] }
      const short = { ...rule, policies: [policy(10)] }
      await limits.decide(long, [call('a')])
      const [before] = await limits.decide(long, [call('a', 'peek')])
      nowUs += 60
      // Each change looks at two others whether they may be forgotten.
      await limits.decide(short, [call('a', 'peek'), call('b'), call('c'), call('d'), call('e')])
      nowUs -= 60
      const [after] = await limits.decide(long, [call('a', 'peek')])
      expect(after).toEqual(before)
    },
  )

  it('checks its options', () => {
    expect(() => localLimits({ maxKeys: 0 })).toThrow(/localLimits\.maxKeys/)
    expect(() => localLimits({ maxKey: 5 } as object)).toThrow(/Did you mean maxKeys\?/)
    expect(() => localLimits({ nowUs: 5 as never })).toThrow(/localLimits\.nowUs/)
  })
})
