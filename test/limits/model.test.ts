/**
 * The scripts and their model give the same answers to the same random histories, under a clock that the test owns (R9).
 * A model that is right in `properties.test.ts` and scripts that do as it does are right together.
 */

import type {
  Admission,
  LimitReply,
  LimitRequest,
  LimitRule,
  RateLimitProvider,
} from '@larder/core/store'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { testSeed } from '../support/seed.ts'
import { type Model, openModel, openRedisLimits, TestTime } from './support/providers.ts'
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
import { statesIn } from './support/states.ts'

let redis: Redis
beforeAll(() => {
  redis = new Redis(inject('redisUrl'))
})
afterAll(() => redis.disconnect())

const SEED = testSeed()
/** Histories of each family. */
const RUNS = Number(process.env['RUNS'] ?? 60)
const KEYS = ['a', 'ü:}{', 'b']
const W = 10 * SECOND_US

/** Rules by what they are about; those of one list follow each other on the same keys, as if changed in operation. */
const FAMILIES: Readonly<Record<string, readonly LimitRule[]>> = {
  exact: [ruleOf([exact(3, W)]), ruleOf([exact(5, W)]), ruleOf([exact(2, W)])],
  'exact, waiting': [ruleOf([exact(3, W)], { maxWaitUs: 3 * W }), ruleOf([exact(4, W)])],
  'exact, another window': [ruleOf([exact(3, W)]), ruleOf([exact(3, 3 * W)])],
  window: [ruleOf([sliced(5, W, 4)]), ruleOf([sliced(3, W, 4)]), ruleOf([sliced(9, W, 4)])],
  'window, waiting': [ruleOf([sliced(3, W, 5)], { maxWaitUs: 3 * W }), ruleOf([sliced(3, W, 5)])],
  'window, more slices': [
    ruleOf([sliced(5, W, 4)]),
    ruleOf([sliced(4, 2 * W, 8)], { maxWaitUs: W }),
    ruleOf([sliced(5, 2 * W, 7)]),
  ],
  'window, other slices': [ruleOf([sliced(5, W, 4)]), ruleOf([sliced(5, 2 * W, 7)])],
  smooth: [ruleOf([smooth(4, W)]), ruleOf([smooth(6, W)]), ruleOf([smooth(4, W, { burst: 2 })])],
  'smooth, waiting': [ruleOf([smooth(4, W, { burst: 2 })], { maxWaitUs: 2 * W })],
  'smooth, waiting, other limits': [
    ruleOf([smooth(4, W, { burst: 2 })], { maxWaitUs: 2 * W }),
    ruleOf([smooth(9, W, { burst: 4 })], { maxWaitUs: W }),
    ruleOf([smooth(3, 2 * W)]),
  ],
  fixed: [ruleOf([fixed(3, W)]), ruleOf([fixed(5, W)]), ruleOf([fixed(3, 2 * W)])],
  'fixed, waiting': [ruleOf([fixed(3, W)], { maxWaitUs: 3 * W }), ruleOf([fixed(4, W)])],
  calendar: [
    ruleOf([calendar(3, 'hour', 'Asia/Kathmandu')]),
    ruleOf([calendar(5, 'day', 'Europe/Berlin')]),
  ],
  'calendar, waiting': [ruleOf([calendar(3, 'hour')], { maxWaitUs: HOUR_US })],
  concurrency: [ruleOf([concurrency(3, W)]), ruleOf([concurrency(2, 2 * W)])],
  'several policies': [
    ruleOf([exact(3, W, 'x'), sliced(6, 3 * W, 4, 'w'), smooth(5, W, { name: 's' })]),
    ruleOf([exact(4, W, 'x'), sliced(5, 3 * W, 4, 'w'), smooth(5, W, { name: 's' })]),
  ],
  'several policies, waiting': [
    ruleOf([exact(2, W, 'x'), smooth(4, 2 * W, { name: 's' }), fixed(3, W, 'f')], {
      maxWaitUs: 2 * W,
    }),
  ],
  'windows and permits': [ruleOf([exact(4, W, 'x'), concurrency(2, W, 'c')])],
  penalty: [
    ruleOf([exact(3, W, 'x'), sliced(4, W, 4, 'w')], { penalty: true }),
    ruleOf([smooth(3, W, { name: 's' }), fixed(4, W, 'f')], { penalty: true }),
  ],
  block: [ruleOf([exact(3, W)], { blockUs: 2 * W }), ruleOf([smooth(3, W)], { blockUs: W })],
  'penalty, other limits': [
    ruleOf([exact(5, W, 'x'), sliced(5, W, 4, 'w'), smooth(5, W, { name: 's' }), fixed(5, W, 'f')]),
    ruleOf(
      [exact(2, W, 'x'), sliced(2, W, 4, 'w'), smooth(2, W, { name: 's' }), fixed(2, W, 'f')],
      {
        penalty: true,
      },
    ),
  ],
  'penalty and block': [ruleOf([exact(2, W)], { blockUs: W, penalty: true, maxWaitUs: W })],
}

type Step =
  | { readonly kind: 'decide'; readonly rule: number; readonly requests: readonly LimitRequest[] }
  | { readonly kind: 'pass'; readonly us: number }
  | { readonly kind: 'refund' | 'renew'; readonly which: number }
  | { readonly kind: 'reset'; readonly key: string }
  | {
      readonly kind: 'adjust'
      readonly how: 'reward' | 'set'
      readonly rule: number
      readonly key: string
      readonly points: number
    }
  | { readonly kind: 'block'; readonly key: string; readonly us: number }

const request = fc.record({
  key: fc.constantFrom(...KEYS),
  cost: fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, { weight: 2, arbitrary: fc.nat(7) }),
  kind: fc.constantFrom('take', 'take', 'take', 'peek'),
}) satisfies fc.Arbitrary<Pick<LimitRequest, 'key' | 'cost'>>

/** Forward mostly, by steps around the windows and by single microseconds; back now and then. */
const passing = fc.oneof(
  { weight: 4, arbitrary: fc.nat(W / 2) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, W - 1, W, W + 1, 3 * W, HOUR_US) },
  { weight: 1, arbitrary: fc.integer({ min: -2 * W, max: -1 }) },
)

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('decide' as const),
      rule: fc.nat(5),
      requests: fc.array(
        request.map((given) => ({ ...given, permit: '' }) as LimitRequest),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  },
  { weight: 4, arbitrary: passing.map((us) => ({ kind: 'pass' as const, us })) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('refund' as const, 'renew' as const),
      which: fc.nat(20),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('reset' as const), key: fc.constantFrom(...KEYS) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('adjust' as const),
      how: fc.constantFrom('reward' as const, 'set' as const),
      rule: fc.nat(5),
      key: fc.constantFrom(...KEYS),
      points: fc.nat(6),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('block' as const),
      key: fc.constantFrom(...KEYS),
      us: fc.constantFrom(0, 1, W / 10, W),
    }),
  },
)

const take = (rule: number, cost: number): Step => ask(rule, cost, 'take')
const peek = (rule: number): Step => ask(rule, 1, 'peek')
const pass = (us: number): Step => ({ kind: 'pass', us })
const refund = (which: number): Step => ({ kind: 'refund', which })

function ask(rule: number, cost: number, kind: 'take' | 'peek'): Step {
  return { kind: 'decide', rule, requests: [{ key: 'a', cost, kind, permit: '' }] }
}

/** Histories in which they once did not, besides those that are tests of their own. */
const FOUND: Readonly<Record<string, readonly (readonly Step[])[]>> = {
  // A permit gives the last live one back while another one has just ended, and the clock is set back by a little.
  concurrency: [[take(1, 1), take(0, 1), pass(W), refund(0), pass(-1), take(0, 1)]],
  // A look under a larger limit, which writes nothing, before a turn ahead closes its period again.
  'fixed, waiting': [[take(0, 3), peek(1), take(0, 1), refund(1), take(1, 1)]],
  // A look at what has ended since a change of the limit, and then the clock is set back by a little.
  smooth: [[take(0, 1), take(2, 1), pass(W), peek(2), pass(-1), take(2, 2), peek(2)]],
  // All is given back, a turn ahead too; then a call comes at its time, and the clock is set back by a little.
  'exact, waiting': [
    [take(0, 3), take(0, 1), refund(1), refund(0), pass(W), take(0, 1), pass(-1), peek(0)],
  ],
  // A look under more slices, which writes nothing.
  'window, more slices': [[take(0, 5), pass((5 * W) / 4), peek(1), take(2, 1)]],
  // A call is counted in a slice that was reserved in, and the clock is set back to before it.
  'window, waiting': [
    [take(0, 3), take(0, 1), pass((6 * W) / 5), take(0, 1), pass(-1_500_000), peek(0)],
  ],
}

/** What was admitted, as each side remembers it. */
interface Taken {
  readonly rule: LimitRule
  readonly admission: Admission
}

describe(`R9: the scripts answer as their model does, and write what it would (SEED=${SEED})`, () => {
  const answerAlike = async (family: string, rules: readonly LimitRule[]): Promise<void> => {
    const time = new TestTime()
    const namespace = freshNamespace()
    const sides = [openRedisLimits(time, namespace), openModel(time)] as const
    let round = 0
    let lost: unknown
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        // No shorter history would find the server again.
        if (lost !== undefined) throw lost
        round += 1
        const prefix = `${round}:`
        try {
          await replay(sides, { rules, steps, time, prefix })
          await expectSameStates(sides[1], { rules, prefix, namespace })
        } catch (error) {
          if (!(error instanceof Error && error.name === 'AssertionError')) lost = error
          throw error
        }
      }),
      { seed: SEED, numRuns: RUNS, examples: (FOUND[family] ?? []).map((steps) => [[...steps]]) },
    )
  }

  // Thousands of round trips, one after the other: on a busy machine they take their time.
  it.each(Object.entries(FAMILIES))('%s', answerAlike, 180_000)
})

/** A difference in what is kept becomes one in what is answered sooner or later, and mostly later than a history is long. */
async function expectSameStates(
  model: Model,
  { rules, prefix, namespace }: Pick<History, 'rules' | 'prefix'> & { readonly namespace: string },
): Promise<void> {
  const policies = rules.flatMap((rule) => rule.policies)
  const [rule] = rules
  await Promise.all(
    KEYS.map(async (name) => {
      const key = prefix + name
      const states = await statesIn(redis, { namespace, limiter: 'test', key }, policies)
      expect(states).toEqual(model.written(rule as LimitRule, key))
    }),
  )
}

interface History {
  readonly rules: readonly LimitRule[]
  readonly steps: readonly Step[]
  readonly time: TestTime
  /** Of the keys: every history has its own. */
  readonly prefix: string
}

async function replay(
  sides: readonly [RateLimitProvider, RateLimitProvider],
  { rules, steps, time, prefix }: History,
): Promise<void> {
  const taken: Taken[] = []
  for (const at of steps) {
    if (at.kind === 'pass') {
      time.us += at.us
      continue
    }
    if (at.kind === 'reset') {
      const rule = rules[0] as LimitRule
      await Promise.all(sides.map((side) => side.reset(rule, prefix + at.key)))
      continue
    }
    if (at.kind === 'block') {
      const rule = rules[0] as LimitRule
      await Promise.all(sides.map((side) => side.block?.(rule, prefix + at.key, at.us)))
      continue
    }
    if (at.kind === 'adjust') {
      const rule = rules[at.rule % rules.length] as LimitRule
      const [answer, expected] = await Promise.all(
        sides.map((side) => side.adjust?.(rule, prefix + at.key, at.how, at.points)),
      )
      expect(answer).toBe(expected)
      continue
    }
    if (at.kind === 'decide') {
      const rule = rules[at.rule % rules.length] as LimitRule
      const requests = at.requests.map((given, i) => ({
        ...given,
        key: prefix + given.key,
        permit: `permit-${taken.length}-${i}`,
      }))
      const [answer, expected] = await Promise.all(sides.map((side) => side.decide(rule, requests)))
      expect(answer).toEqual(expected)
      taken.push(...admissionsOf(rule, requests, answer ?? []))
      continue
    }
    const { rule, admission } = taken[at.which % Math.max(1, taken.length)] ?? {}
    if (rule === undefined || admission === undefined) continue
    if (at.kind === 'renew' && !hasPermits(rule)) continue
    const [answer, expected] = await Promise.all(
      sides.map((side) =>
        at.kind === 'refund' ? side.refund(rule, admission) : side.renew(rule, [admission]),
      ),
    )
    expect(answer).toEqual(expected)
  }
}

function hasPermits({ policies }: LimitRule): boolean {
  return policies.some(({ algorithm }) => algorithm === 'concurrency')
}

function admissionsOf(
  rule: LimitRule,
  requests: readonly LimitRequest[],
  replies: readonly LimitReply[],
): readonly Taken[] {
  return requests.flatMap(({ key, cost, kind, permit }, i) => {
    const reply = replies[i]
    if (reply?.admitted !== true || kind === 'peek' || cost === 0) return []
    const { nowUs, waitUs } = reply
    return [{ rule, admission: { key, cost, permit, nowUs, waitUs } }]
  })
}
