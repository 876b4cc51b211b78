/** The conformance suite of rate-limit providers: on real time, with windows so long that none ends meanwhile. */

import assert from 'node:assert/strict'
import type { LimitPolicy, RateLimitProvider } from '../../contracts/rate-limit-provider.ts'
import { type ConformanceCase, PASSED, skippedFor } from './conformance-case.ts'
import { eventually, settled } from './patience.ts'
import {
  ask,
  call,
  EXACT,
  HOUR_US,
  LIMIT,
  MONTH_US,
  PERMITS,
  ruleOf,
  WINDOWED,
} from './rate-limit-rules.ts'

/** Two ends of one store; the same one twice where it is not shared. */
export interface LimitsUnderTest {
  /** Not open yet; the suite opens and closes them. */
  readonly limits: readonly [RateLimitProvider, RateLimitProvider]
  /** Nobody else's. */
  readonly namespace: string
  /** Called after the providers were closed. */
  cleanup?(): void | Promise<void>
}

export type MakeLimits = () => LimitsUnderTest | Promise<LimitsUnderTest>

type Ends = readonly [RateLimitProvider, RateLimitProvider]

interface LimitCase {
  readonly name: string
  readonly isAboutOthers?: boolean
  run(ends: Ends): Promise<void>
}

const CASES: readonly LimitCase[] = [
  ...[...WINDOWED, PERMITS].map((policy) => ({
    name: `${policy.algorithm}: admits as many as the limit in the order asked, and says when to come again`,
    async run([limits]: Ends) {
      const rule = ruleOf([policy])
      const replies = await limits.decide(rule, [call(), call(), call(), call(), call()])
      const admitted = replies.map((reply) => reply.admitted)
      assert.deepEqual(admitted, [true, true, true, false, false])
      const left = replies.map(({ states }) => states[0]?.remaining)
      assert.deepEqual(left, [2, 1, 0, 0, 0])
      for (const { admitted: isAdmitted, waitUs, refusedBy, nowUs, states } of replies) {
        assert(Number.isInteger(nowUs) && nowUs > 0, 'the time of the decision is whole µs')
        assert.equal(refusedBy, isAdmitted ? -1 : 0)
        assert((states[0]?.resetUs ?? 0) > 0, 'something is taken, so something will come back')
        if (isAdmitted) assert.equal(waitUs, 0)
        else assert(waitUs > 0 && waitUs <= MONTH_US, `the wait is ${waitUs} µs`)
      }
    },
  })),
  {
    name: 'counts each key and each limiter alone, whatever they are called',
    async run([limits]) {
      const keys = ['k', 'k:1', 'k}', '{k', 'ü ☃ "quoted"', ':']
      const all = [ruleOf([EXACT]), ruleOf([EXACT])]
      for (const rule of all) {
        for (const key of keys) {
          const reply = await ask(limits, rule, call(LIMIT, 'take', key))
          assert.equal(reply.admitted, true, `${rule.limiter} ${key}`)
        }
      }
    },
  },
  {
    name: 'admits by all policies, or counts in none',
    async run([limits]) {
      const rule = ruleOf([...WINDOWED, PERMITS, { ...EXACT, name: 'tight', limit: 1 }])
      assert.equal((await ask(limits, rule)).admitted, true)
      const refused = await ask(limits, rule)
      assert.equal(refused.admitted, false)
      assert.equal(refused.refusedBy, rule.policies.length - 1)
      const left = refused.states.map(({ remaining }) => remaining)
      assert.deepEqual(left, [2, 2, 2, 2, 2, 2, 0])
    },
  },
  {
    name: 'looks without counting, and takes a cost of 0 for a look',
    async run([limits]) {
      const rule = ruleOf([...WINDOWED, PERMITS])
      await limits.decide(rule, [call(1, 'peek'), call(LIMIT, 'peek'), call(0)])
      const reply = await ask(limits, rule, call(LIMIT))
      assert.equal(reply.admitted, true)
      const look = await ask(limits, rule, call(1, 'peek'))
      assert.equal(look.admitted, false)
      assert.equal((await ask(limits, rule, call(0))).admitted, true)
    },
  },
  {
    name: 'takes a cost as a whole or not at all, and never one above a limit',
    async run([limits]) {
      for (const policy of [...WINDOWED, PERMITS]) {
        const rule = ruleOf([policy])
        const replies = await limits.decide(rule, [call(2), call(2), call(1), call(LIMIT + 1)])
        const admitted = replies.map((reply) => reply.admitted)
        assert.deepEqual(admitted, [true, false, true, false], policy.algorithm)
        assert.equal(replies[3]?.waitUs, Number.POSITIVE_INFINITY)
      }
    },
  },
  {
    name: 'takes a recent admission back',
    async run([limits]) {
      for (const policy of [...WINDOWED, PERMITS]) {
        const rule = ruleOf([policy])
        const { admission } = await ask(limits, rule, call(LIMIT))
        assert.equal(await limits.refund(rule, admission), true, policy.algorithm)
        assert.equal((await ask(limits, rule, call(LIMIT))).admitted, true, policy.algorithm)
      }
    },
  },
  {
    name: 'gives nothing back for what it does not know',
    async run([limits]) {
      const rule = ruleOf([EXACT, PERMITS])
      const unknown = { key: 'k', cost: 1, permit: 'unknown', nowUs: 1, waitUs: 0 }
      assert.equal(await limits.refund(rule, unknown), false)
    },
  },
  {
    name: 'reserves turns in the order asked, up to the longest wait',
    async run([limits]) {
      const policy: LimitPolicy = { ...EXACT, limit: 1 } as LimitPolicy
      const rule = ruleOf([policy], { maxWaitUs: 2 * HOUR_US })
      const replies = await limits.decide(rule, [call(), call(), call(), call()])
      assert.deepEqual(
        replies.map(({ admitted, waitUs }) => [admitted, waitUs]),
        [
          [true, 0],
          [true, HOUR_US],
          [true, 2 * HOUR_US],
          [false, HOUR_US],
        ],
      )
    },
  },
  {
    name: 'prolongs permits that are held, and no others',
    async run([limits]) {
      const rule = ruleOf([PERMITS])
      const { admission } = await ask(limits, rule, call(2))
      const stranger = { ...admission, permit: 'stranger' }
      assert.deepEqual(await limits.renew(rule, [admission, stranger]), [true, false])
      assert.equal(await limits.refund(rule, admission), true)
      assert.deepEqual(await limits.renew(rule, [admission]), [false])
    },
  },
  {
    name: 'with penalty, counts refused calls',
    async run([limits]) {
      const rule = ruleOf([EXACT], { penalty: true })
      await limits.decide(rule, [call(LIMIT), call()])
      const { waitUs } = await ask(limits, rule)
      // Each refusal is the newest of three; the first of them is what has to leave.
      assert(waitUs > HOUR_US - 60_000_000, `the wait is ${waitUs} µs`)
    },
  },
  {
    name: 'blocks after a refusal, until it is reset',
    async run([limits]) {
      const rule = ruleOf([EXACT], { blockUs: 5 * HOUR_US })
      await ask(limits, rule, call(LIMIT))
      const { waitUs } = await ask(limits, rule)
      assert.equal(waitUs, 5 * HOUR_US)
      assert.equal((await ask(limits, rule, call(0))).admitted, false)
      await limits.reset(rule, 'k')
      assert.equal((await ask(limits, rule, call(LIMIT))).admitted, true)
    },
  },
  {
    name: 'counts the calls of other ends, and tells them what was given back',
    isAboutOthers: true,
    async run([limits, other]) {
      const freed: string[] = []
      other.listener = {
        onFreed: (limiter, key) => freed.push(`${limiter} ${key}`),
        onDoubt: () => undefined,
      }
      const rule = ruleOf([EXACT])
      const { admission } = await ask(limits, rule, call(LIMIT))
      assert.equal((await ask(other, rule)).admitted, false)
      await eventually('the other end is told of a reset', async () => {
        await limits.reset(rule, 'elsewhere:x')
        return freed.includes(`${rule.limiter} elsewhere:x`)
      })
      assert.equal(await limits.refund(rule, admission), true)
      await eventually('the other end is told', () => freed.includes(`${rule.limiter} k`))
      assert.equal((await ask(other, rule)).admitted, true)
    },
  },
  {
    name: 'opens twice and closes twice without complaint',
    async run([limits]) {
      await settled('it closes', limits.close())
      await settled('it closes again', limits.close())
    },
  },
]

/**
 * Returns the cases a rate-limit provider must pass; those about other ends report themselves as skipped where there are none.
 *
 * @param makeLimits is called once per case.
 */
export function rateLimitCases(makeLimits: MakeLimits): readonly ConformanceCase[] {
  return CASES.map(({ name, isAboutOthers = false, run }) => ({
    name,
    async run() {
      const { limits, namespace, cleanup } = await makeLimits()
      try {
        if (isAboutOthers && !limits[0].capabilities.shared) {
          return skippedFor('the limits under test are not shared')
        }
        for (const end of limits) {
          end.open(namespace)
          end.open(namespace)
        }
        await run(limits)
        return PASSED
      } finally {
        for (const end of limits) await end.close()
        await cleanup?.()
      }
    },
  }))
}
