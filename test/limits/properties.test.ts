/**
 * What the algorithms promise, on the model and a clock in hand; `model.test.ts` holds the scripts to the model. The
 * numbers R1 to R17 are those of docs/design/limits.md.
 */

import type { Admission, LimitPolicy, LimitRule } from '@larder/core/store'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSeed } from '../support/seed.ts'
import { ask, beGreedy, densestWindow, type Entry } from './support/history.ts'
import { openModel, TestTime } from './support/providers.ts'
import {
  calendar,
  concurrency,
  exact,
  fixed,
  HOUR_US,
  ruleOf,
  SECOND_US,
  sliced,
  smooth,
} from './support/rules.ts'

const SEED = testSeed()
const W = 10 * SECOND_US
const options = { seed: SEED, numRuns: 150 }

/** In 10 s, a bucket of 5 with one back every 10/6 s lets in 5 + 6 - 1 = 10 at most. */
const HARD = smooth(10, W, { burst: 5, intervalUs: Math.ceil(W / 6) })
const STRICT: readonly (readonly [name: string, policy: LimitPolicy, limit: number])[] = [
  ['exact', exact(10, W), 10],
  ['exact, limit 1', exact(1, W), 1],
  ['window', sliced(10, W, 7), 10],
  ['window, one slice', sliced(10, W, 1), 10],
  ['hard smooth', HARD, 10],
  ['smooth', smooth(10, W), 10 + 10 - 1],
  ['smooth, small burst', smooth(10, W, { burst: 3 }), 3 + 10 - 1],
]

const EVERY: readonly (readonly [name: string, policy: LimitPolicy])[] = [
  ...STRICT.map(([name, policy]) => [name, policy] as const),
  ['fixed', fixed(10, W)],
  ['calendar', calendar(10, 'hour')],
]

/** Pauses as multiples of a tenth of the window, and some that are not. */
const pause = fc.oneof(fc.nat(W / 4), fc.constantFrom(0, 0, 1, W / 10, W - 1, W))
const act = fc.record({
  pause,
  cost: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 5 })),
  refunds: fc.option(fc.nat(30), { freq: 8 }),
  peeks: fc.boolean(),
})
const acts = fc.array(act, { minLength: 20, maxLength: 120 })

type Act = typeof act extends fc.Arbitrary<infer Value> ? Value : never

/** Plays a history; returns what was let in and not given back. */
async function play(rule: LimitRule, history: readonly Act[]): Promise<readonly Entry[]> {
  const time = new TestTime()
  const provider = openModel(time)
  const held: Admission[] = []
  const capacity = Math.min(...rule.policies.map((p) => ('burst' in p ? p.burst : p.limit)))
  for (const { pause: us, cost, refunds, peeks } of history) {
    time.us += us
    if (peeks) await ask(provider, rule, 1, { kind: 'peek' })
    const charged = Math.min(cost, capacity)
    const { admitted, nowUs, waitUs } = await ask(provider, rule, charged)
    if (admitted) held.push({ key: 'k', cost: charged, permit: '', nowUs, waitUs })
    const back = refunds === null ? undefined : held[refunds]
    if (back !== undefined && (await provider.refund(rule, back)))
      held.splice(held.indexOf(back), 1)
  }
  return held.map(({ nowUs, waitUs, cost }) => ({ atUs: nowUs + waitUs, cost }))
}

describe(`R1: no window of any length W, wherever it begins, gets more than the limit (SEED=${SEED})`, () => {
  it.each(STRICT)('%s', async (_, policy, limit) => {
    await fc.assert(
      fc.asyncProperty(acts, async (history) => {
        const entries = await play(ruleOf([policy]), history)
        expect(densestWindow(entries, W)).toBeLessThanOrEqual(limit)
      }),
      options,
    )
  })

  it.each(STRICT)('%s, with calls that wait for their turn', async (_, policy, limit) => {
    await fc.assert(
      fc.asyncProperty(acts, async (history) => {
        const entries = await play(ruleOf([policy], { maxWaitUs: 2 * W }), history)
        expect(densestWindow(entries, W)).toBeLessThanOrEqual(limit)
      }),
      options,
    )
  })

  it('each of several policies', async () => {
    const policies = [exact(5, W, 'a'), exact(20, 8 * W, 'b'), sliced(9, 3 * W, 5, 'c')]
    await fc.assert(
      fc.asyncProperty(acts, fc.boolean(), async (history, waits) => {
        const entries = await play(ruleOf(policies, { maxWaitUs: waits ? W : 0 }), history)
        expect(densestWindow(entries, W)).toBeLessThanOrEqual(5)
        expect(densestWindow(entries, 8 * W)).toBeLessThanOrEqual(20)
        expect(densestWindow(entries, 3 * W)).toBeLessThanOrEqual(9)
      }),
      options,
    )
  })

  it('fixed periods get no more than the limit each, and so two of them at an edge twice of it', async () => {
    const time = new TestTime()
    const rule = ruleOf([fixed(10, W)])
    const entries = await beGreedy(openModel(time), rule, time, time.us + 5 * W)
    expect(entries).toHaveLength(50)
    const [first] = entries
    const periodOf = ({ atUs }: Entry): number => Math.floor((atUs - (first?.atUs ?? 0)) / W)
    const counts = [0, 1, 2, 3, 4].map((n) => entries.filter((entry) => periodOf(entry) === n))
    expect(counts.map(({ length }) => length)).toEqual([10, 10, 10, 10, 10])
  })
})

describe('R2: who asks all the time gets', () => {
  it.each([
    ['exact', exact(10, W), 10],
    ['smooth', smooth(10, W), 10],
    ['fixed', fixed(10, W), 10],
    ['window', sliced(22, W, 10), 20],
    ['hard smooth', HARD, 6],
  ])('%s: its share in every window', async (_, policy, share) => {
    const time = new TestTime()
    const windows = 20
    const entries = await beGreedy(openModel(time), ruleOf([policy]), time, time.us + windows * W)
    expect(entries.length).toBeGreaterThanOrEqual(windows * share)
  })
})

describe(`R3: the wait is exact: refused one microsecond before, admitted then (SEED=${SEED})`, () => {
  const rules = [
    ...EVERY.map(([name, policy]) => [name, ruleOf([policy])] as const),
    ['concurrency', ruleOf([concurrency(3, W)])] as const,
    ['several', ruleOf([exact(3, W, 'a'), smooth(4, 2 * W, { name: 'b' })])] as const,
    ['waiting', ruleOf([exact(3, W)], { maxWaitUs: W / 3 })] as const,
    ['block', ruleOf([exact(3, W)], { blockUs: 3 * W })] as const,
    ['penalty', ruleOf([exact(3, W, 'a'), sliced(3, W, 4, 'b')], { penalty: true })] as const,
  ]
  it.each(rules)('%s', async (_, rule) => {
    await fc.assert(
      fc.asyncProperty(fc.array(pause, { minLength: 5, maxLength: 40 }), async (pauses) => {
        const time = new TestTime()
        const provider = openModel(time)
        for (const [i, us] of pauses.entries()) {
          time.us += us
          const { admitted, waitUs } = await ask(provider, rule, 1, { permit: `${i}` })
          if (admitted) continue
          time.us += waitUs - 1
          expect((await ask(provider, rule, 1, { kind: 'peek' })).admitted).toBe(false)
          time.us += 1
          expect((await ask(provider, rule, 1, { kind: 'peek' })).admitted).toBe(true)
        }
      }),
      options,
    )
  })
})

describe(`R8: that a state expires cannot be told from the answers (SEED=${SEED})`, () => {
  it.each([...EVERY, ['concurrency', concurrency(3, W)] as const])('%s', async (_, policy) => {
    await fc.assert(
      fc.asyncProperty(acts, async (history) => {
        const time = new TestTime()
        const [kept, expiring] = [openModel(time), openModel(time)]
        const rule = ruleOf([policy])
        for (const [i, { pause: us, cost }] of history.entries()) {
          time.us += us
          const { states } = await ask(expiring, rule, 0)
          const isIdle = states.every(({ resetUs }) => resetUs === 0)
          if (isIdle) await expiring.reset(rule, 'k')
          const call = { permit: `${i}` }
          const answer = await ask(expiring, rule, cost, call)
          expect(answer).toEqual(await ask(kept, rule, cost, call))
        }
      }),
      options,
    )
  })
})

describe(`R12: calls that wait (SEED=${SEED})`, () => {
  it.each(EVERY)('%s: go in the order they came, none longer than maxWait', async (_, policy) => {
    const rule = ruleOf([policy], { maxWaitUs: policy.algorithm === 'calendar' ? HOUR_US : W })
    await fc.assert(
      fc.asyncProperty(fc.array(pause, { minLength: 10, maxLength: 80 }), async (pauses) => {
        const time = new TestTime()
        const provider = openModel(time)
        let lastAt = 0
        for (const us of pauses) {
          time.us += us
          const { admitted, waitUs } = await ask(provider, rule)
          if (!admitted) continue
          expect(waitUs).toBeLessThanOrEqual(rule.maxWaitUs)
          expect(time.us + waitUs).toBeGreaterThanOrEqual(lastAt)
          lastAt = time.us + waitUs
        }
      }),
      options,
    )
  })

  it('a turn that is given back goes to the next one, where nobody came behind', async () => {
    const time = new TestTime()
    const provider = openModel(time)
    const rule = ruleOf([exact(1, W)], { maxWaitUs: 2 * W })
    await ask(provider, rule)
    const turn = await ask(provider, rule)
    expect(turn.waitUs).toBe(W)
    expect(await provider.refund(rule, { key: 'k', cost: 1, permit: '', ...turn })).toBe(true)
    expect((await ask(provider, rule)).waitUs).toBe(W)
  })
})

describe(`R14: a clock that is set back (SEED=${SEED})`, () => {
  const steps = fc.array(
    fc.record({ pause, back: fc.option(fc.integer({ min: 1, max: 5 * W }), { freq: 6 }) }),
    { minLength: 20, maxLength: 100 },
  )

  it.each(STRICT)(
    '%s: lets in no more than the limit in any window of real time',
    async (_, policy, limit) => {
      await fc.assert(
        fc.asyncProperty(steps, fc.boolean(), async (history, waits) => {
          const time = new TestTime()
          const provider = openModel(time)
          const rule = ruleOf([policy], { maxWaitUs: waits ? W : 0 })
          let behind = 0
          const entries: Entry[] = []
          for (const { pause: us, back } of history) {
            time.us += us
            if (back !== null) {
              time.us -= back
              behind += back
            }
            const { admitted, waitUs } = await ask(provider, rule)
            if (admitted) entries.push({ atUs: time.us + behind + waitUs, cost: 1 })
          }
          expect(densestWindow(entries, W)).toBeLessThanOrEqual(limit)
        }),
        options,
      )
    },
  )

  it.each(EVERY)('%s: refuses no longer than it would have otherwise', async (_, policy) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1000 * HOUR_US }), async (back) => {
        const time = new TestTime()
        const provider = openModel(time)
        const rule = ruleOf([policy])
        for (let i = 0; i < 30; i++) await ask(provider, rule)
        time.us -= back
        const { admitted, waitUs } = await ask(provider, rule)
        const slice = policy.algorithm === 'window' ? 2 * policy.sliceUs : 0
        const longest = policy.algorithm === 'calendar' ? HOUR_US : W + slice
        expect(admitted ? 0 : waitUs).toBeLessThanOrEqual(longest)
      }),
      options,
    )
  })
})

describe('R15: the ends of the scales', () => {
  const YEAR_US = 365 * 24 * HOUR_US
  it.each([
    ['a window of 1 ms', 1_000],
    ['a window of a year', YEAR_US],
    ['a window of ten years', 10 * YEAR_US],
  ])('%s', async (_, windowUs) => {
    const policies = [
      exact(1, windowUs),
      sliced(1, windowUs, 1),
      smooth(1, windowUs),
      fixed(1, windowUs),
    ]
    for (const policy of policies) {
      const time = new TestTime()
      const provider = openModel(time)
      const rule = ruleOf([policy])
      expect((await ask(provider, rule)).admitted).toBe(true)
      const { admitted, waitUs } = await ask(provider, rule)
      expect([admitted, waitUs > 0]).toEqual([false, true])
      time.us += waitUs
      expect((await ask(provider, rule)).admitted).toBe(true)
    }
  })

  it('limits of a thousand million', async () => {
    const limit = 1_000_000_000
    for (const policy of [sliced(limit, HOUR_US), smooth(limit, HOUR_US), fixed(limit, HOUR_US)]) {
      const time = new TestTime()
      const provider = openModel(time)
      const rule = ruleOf([policy])
      const { states } = await ask(provider, rule, limit - 1)
      expect(states).toMatchObject([{ remaining: 1 }])
      expect((await ask(provider, rule, 1)).admitted).toBe(true)
      expect((await ask(provider, rule, 1)).admitted).toBe(false)
    }
  })

  it.each(EVERY)(
    '%s: a cost of 0 is free, one of the limit takes all, one above is never admitted',
    async (_, policy) => {
      const provider = openModel(new TestTime())
      const rule = ruleOf([policy])
      const most = policy.algorithm === 'smooth' ? policy.burst : policy.limit
      expect(await ask(provider, rule, 0)).toMatchObject({ admitted: true })
      const tooDear = { admitted: false, waitUs: Number.POSITIVE_INFINITY, refusedBy: 0 }
      expect(await ask(provider, rule, most + 1)).toMatchObject(tooDear)
      expect(await ask(provider, rule, most)).toMatchObject({
        admitted: true,
        states: [{ remaining: 0 }],
      })
      expect(await ask(provider, rule, 0)).toMatchObject({ admitted: true })
      expect(await ask(provider, rule, 1)).toMatchObject({ admitted: false })
    },
  )
})
