/**
 * What limits promise, each promise once, for whatever algorithm and store: `promises.test.ts` crosses them, so that none is
 * tested for two algorithms of eight. The numbers are those of docs/design/limits.md.
 */

import type { Admission, LimitReply, LimitRule, RateLimitProvider } from '@larder/core/store'
import fc from 'fast-check'
import { expect } from 'vitest'
import { type Algorithm, mostCounted, W } from './algorithms.ts'
import { ask, type Entry } from './history.ts'
import type { TestTime } from './providers.ts'
import { HOUR_US, ruleOf } from './rules.ts'

/** A store nobody has called yet, and its clock. */
export interface Fresh {
  readonly time: TestTime
  readonly limits: RateLimitProvider
  /** A key nobody has called yet. */
  readonly key: string
}

export interface PromiseCase {
  readonly name: string
  /** Why it is not promised of an algorithm; undefined where it is. */
  exempt?(algorithm: Algorithm): string | undefined
  run(algorithm: Algorithm, fresh: () => Fresh, check: typeof fc.assert): Promise<void>
}

const LIMIT = 6
const pause = fc.oneof(fc.nat(W / 4), fc.constantFrom(0, 0, 1, W / 10, W - 1, W))
const act = fc.record({
  pause,
  cost: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 4 })),
  refunds: fc.option(fc.nat(30), { freq: 8 }),
  limit: fc.integer({ min: 1, max: 12 }),
  back: fc.option(fc.integer({ min: 1, max: 3 * W }), { freq: 6 }),
})
const acts = fc.array(act, { minLength: 15, maxLength: 60 })
type Act = typeof act extends fc.Arbitrary<infer Value> ? Value : never

/** Limits that are changed again before the turns have come that were given under the change before. */
const CHANGED_AGAIN: readonly (readonly Act[])[] = [
  [at(0, 1, 1), at(W - 1, 2, 4), at(0, 1, 2), at(0, 1, 1), at(0, 1, 1)],
  [
    at(0, 1, 4),
    at(0, 3, 3),
    at(W, 3, 4),
    at(0, 3, 4),
    at(0, 1, 4),
    at(0, 1, 2),
    at(0, 3, 5),
    at(0, 1, 1),
    at(0, 1, 1),
  ],
]

/** A turn in a period ahead is given back before it comes, so that the next period begins with the first call after it. */
const GIVEN_BACK_BEFORE: readonly Act[] = [
  at(0, 4, 1),
  at(0, 2, 1),
  { ...at(0, 1, 1), refunds: 2 },
  at(W + 5, 4, 1),
  at(W - 5, 1, 1),
  at(5, 4, 1),
  at(0, 2, 1),
]

function at(pauseUs: number, cost: number, limit: number): Act {
  return { pause: pauseUs, cost, limit, refunds: null, back: null }
}

const noWaits = ({ canWait }: Algorithm): string | undefined =>
  canWait ? undefined : 'it is unknown when a permit comes back'
const noPoints = ({ hasPoints }: Algorithm): string | undefined =>
  hasPoints ? undefined : 'permits belong to running calls'
const waitOf = ({ name }: Algorithm): number => (name === 'calendar' ? HOUR_US : 2 * W)

let permits = 0

async function call(
  { limits, key }: Fresh,
  rule: LimitRule,
  cost = 1,
  kind: 'take' | 'peek' = 'take',
): Promise<LimitReply & { readonly admission: Admission }> {
  permits += 1
  const own = `p${permits}`
  const reply = await ask(limits, rule, cost, { key, kind, permit: own })
  const { nowUs, waitUs } = reply
  return { ...reply, admission: { key, cost, permit: own, nowUs, waitUs } }
}

interface Play {
  readonly algorithm: Algorithm
  readonly rule: (act: Act) => LimitRule
  /** Told of each admission, with all that was let in and not given back. */
  readonly onAdmitted?: (entries: readonly Entry[], act: Act) => void
  readonly goesBack?: boolean
}

/** Plays a history; returns what was let in and not given back, on a clock that never goes back. */
async function play(fresh: Fresh, history: readonly Act[], how: Play): Promise<readonly Entry[]> {
  const { time, limits } = fresh
  const held: { readonly entry: Entry; readonly admission: Admission; readonly rule: LimitRule }[] =
    []
  let behind = 0
  for (const step of history) {
    time.us += step.pause
    if (how.goesBack === true && step.back !== null) {
      time.us -= step.back
      behind += step.back
    }
    const rule = how.rule(step)
    const [policy] = rule.policies
    const most = policy === undefined ? 1 : 'burst' in policy ? policy.burst : policy.limit
    const cost = Math.min(step.cost, most)
    const { admitted, waitUs, admission } = await call(fresh, rule, cost)
    if (admitted) {
      const entry = { atUs: time.us + behind + waitUs, cost }
      held.push({ entry, admission, rule })
      held.sort((a, b) => a.entry.atUs - b.entry.atUs)
      how.onAdmitted?.(
        held.map((each) => each.entry).filter(({ atUs }) => atUs <= entry.atUs),
        step,
      )
    }
    const back = step.refunds === null ? undefined : held[step.refunds]
    // Once each, as limiters do.
    if (back === undefined || back.entry.cost === 0) continue
    if (!(await limits.refund(back.rule, back.admission))) continue
    // It counts no more then. But it began a period if it did, which it did not before its turn.
    const left = { ...back, entry: { ...back.entry, cost: 0 } }
    const hadItsTurn = back.entry.atUs <= time.us + behind
    held.splice(held.indexOf(back), 1, ...(hadItsTurn ? [left] : []))
  }
  return held.map(({ entry }) => entry)
}

/** Takes all that can be taken now. */
async function use(fresh: Fresh, rule: LimitRule): Promise<Admission[]> {
  const taken: Admission[] = []
  for (;;) {
    const { admitted, waitUs, admission } = await call(fresh, rule)
    if (!admitted || waitUs > 0) return taken
    taken.push(admission)
  }
}

export const PROMISES: readonly PromiseCase[] = [
  {
    name: 'R1: never more than it says',
    async run(algorithm, fresh, check) {
      const property = fc.asyncProperty(acts, async (history) => {
        const rule = (): LimitRule => ruleOf([algorithm.policy(LIMIT)])
        const entries = await play(fresh(), history, { algorithm, rule })
        expect(mostCounted(algorithm, entries)).toBeLessThanOrEqual(algorithm.most(LIMIT))
      })
      await check(property)
    },
  },
  {
    name: 'R1: never more than it says, with calls that wait for their turn',
    exempt: noWaits,
    async run(algorithm, fresh, check) {
      const property = fc.asyncProperty(acts, async (history) => {
        const rule = (): LimitRule =>
          ruleOf([algorithm.policy(LIMIT)], { maxWaitUs: waitOf(algorithm) })
        const entries = await play(fresh(), history, { algorithm, rule })
        expect(mostCounted(algorithm, entries)).toBeLessThanOrEqual(algorithm.most(LIMIT))
      })
      await check(property, { examples: [[[...GIVEN_BACK_BEFORE]]] })
    },
  },
  {
    name: 'R3: the wait is exact: refused one microsecond before, admitted then',
    async run(algorithm, fresh, check) {
      const property = fc.asyncProperty(acts, async (history) => {
        const store = fresh()
        const rule = ruleOf([algorithm.policy(LIMIT)])
        for (const { pause: us, cost } of history) {
          store.time.us += us
          const charged = Math.min(cost, algorithm.capacity(LIMIT))
          const { admitted, waitUs } = await call(store, rule, charged)
          if (admitted) continue
          store.time.us += waitUs - 1
          expect((await call(store, rule, charged, 'peek')).admitted).toBe(false)
          store.time.us += 1
          expect((await call(store, rule, charged, 'peek')).admitted).toBe(true)
        }
      })
      await check(property)
    },
  },
  {
    name: 'R3: the wait is exact after the limit was changed, too',
    async run(algorithm, fresh, check) {
      const property = fc.asyncProperty(acts, async (history) => {
        const store = fresh()
        for (const { pause: us, limit } of history) {
          store.time.us += us
          const rule = ruleOf([algorithm.policy(limit)])
          const { admitted, waitUs } = await call(store, rule)
          if (admitted) continue
          store.time.us += waitUs - 1
          expect((await call(store, rule, 1, 'peek')).admitted).toBe(false)
          store.time.us += 1
          expect((await call(store, rule, 1, 'peek')).admitted).toBe(true)
        }
      })
      await check(property)
    },
  },
  {
    name: 'R4: a refusal or a look changes no later answer',
    async run(algorithm, fresh) {
      const [asked, left] = [fresh(), fresh()]
      const rule = ruleOf([algorithm.policy(LIMIT)])
      for (const store of [asked, left]) await use(store, rule)
      for (let i = 0; i < 5; i++) {
        for (const store of [asked, left]) store.time.us += W / 50
        await call(asked, rule, algorithm.capacity(LIMIT))
        await call(asked, rule, 1, 'peek')
        const [answer, expected] = [
          await call(asked, rule, 1, 'peek'),
          await call(left, rule, 1, 'peek'),
        ]
        expect({ ...answer, admission: undefined, nowUs: 0 }).toEqual({
          ...expected,
          admission: undefined,
          nowUs: 0,
        })
      }
    },
  },
  {
    name: 'R7: a changed limit holds from its first call on',
    async run(algorithm, fresh, check) {
      const property = fc.asyncProperty(acts, async (history) => {
        await play(fresh(), history, {
          algorithm,
          rule: ({ limit }) => ruleOf([algorithm.policy(limit)]),
          onAdmitted: (entries, { limit }) =>
            expect(algorithm.counted(entries)).toBeLessThanOrEqual(algorithm.most(limit)),
        })
      })
      await check(property)
    },
  },
  {
    name: 'R7: a changed limit holds from its first call on, also for calls that wait',
    exempt: noWaits,
    async run(algorithm, fresh, check) {
      const property = fc.asyncProperty(acts, async (history) => {
        await play(fresh(), history, {
          algorithm,
          rule: ({ limit }) => ruleOf([algorithm.policy(limit)], { maxWaitUs: waitOf(algorithm) }),
          onAdmitted: (entries, { limit }) =>
            expect(algorithm.counted(entries)).toBeLessThanOrEqual(algorithm.most(limit)),
        })
      })
      await check(property, { examples: CHANGED_AGAIN.map((history) => [[...history]]) })
    },
  },
  {
    name: 'R7: a changed limit holds from its first call on, also where refusals count',
    async run(algorithm, fresh, check) {
      const property = fc.asyncProperty(acts, async (history) => {
        await play(fresh(), history, {
          algorithm,
          rule: ({ limit }) => ruleOf([algorithm.policy(limit)], { penalty: true }),
          onAdmitted: (entries, { limit }) =>
            expect(algorithm.counted(entries)).toBeLessThanOrEqual(algorithm.most(limit)),
        })
      })
      await check(property)
    },
  },
  {
    name: 'R7: a limit that was lowered for a while has forgotten nothing, whatever was refused meanwhile',
    async run(algorithm, fresh) {
      const store = fresh()
      const rule = ruleOf([algorithm.policy(LIMIT)])
      await use(store, rule)
      store.time.us += 1
      const lowered = ruleOf([algorithm.policy(1)], { penalty: true })
      for (let i = 0; i < 2 * LIMIT; i++) await call(store, lowered)
      expect(await use(store, rule)).toHaveLength(0)
    },
  },
  {
    name: 'R7: a raised limit admits more at once, or soon',
    async run(algorithm, fresh) {
      const store = fresh()
      await use(store, ruleOf([algorithm.policy(LIMIT)]))
      const raised = ruleOf([algorithm.policy(4 * LIMIT)])
      expect((await call(store, raised)).admitted).toBe(true)
    },
  },
  {
    name: 'R8: that a state expires cannot be told from the answers',
    async run(algorithm, fresh, check) {
      const property = fc.asyncProperty(acts, async (history) => {
        const [kept, expiring] = [fresh(), fresh()]
        const rule = ruleOf([algorithm.policy(LIMIT)])
        for (const { pause: us, cost } of history) {
          for (const { time } of [kept, expiring]) time.us += us
          const { states } = await call(expiring, rule, 0)
          if (states.every(({ resetUs }) => resetUs === 0))
            await expiring.limits.reset(rule, expiring.key)
          const { admission: _, ...answer } = await call(expiring, rule, cost)
          const { admission: __, ...expected } = await call(kept, rule, cost)
          expect(answer).toEqual(expected)
        }
      })
      await check(property)
    },
  },
  {
    name: 'R12: who waits goes in the order of coming, none longer than allowed',
    exempt: noWaits,
    async run(algorithm, fresh, check) {
      const rule = ruleOf([algorithm.policy(LIMIT)], { maxWaitUs: waitOf(algorithm) })
      const property = fc.asyncProperty(acts, async (history) => {
        const store = fresh()
        let lastAt = 0
        for (const { pause: us } of history) {
          store.time.us += us
          const { admitted, waitUs } = await call(store, rule)
          if (!admitted) continue
          expect(waitUs).toBeLessThanOrEqual(rule.maxWaitUs)
          expect(store.time.us + waitUs).toBeGreaterThanOrEqual(lastAt)
          lastAt = store.time.us + waitUs
        }
      })
      await check(property)
    },
  },
  {
    name: 'R14: a clock that is set back admits nothing extra',
    exempt: ({ name }) =>
      name === 'fixed' || name === 'calendar'
        ? 'periods are moved with the clock, so they are not those of real time'
        : undefined,
    async run(algorithm, fresh, check) {
      const property = fc.asyncProperty(acts, async (history) => {
        const rule = (): LimitRule => ruleOf([algorithm.policy(LIMIT)])
        const steps = history.map((step) => ({ ...step, refunds: null }))
        const entries = await play(fresh(), steps, { algorithm, rule, goesBack: true })
        expect(mostCounted(algorithm, entries)).toBeLessThanOrEqual(algorithm.most(LIMIT))
      })
      await check(property)
    },
  },
  {
    name: 'R14: a clock that is set back refuses no longer than it would have',
    async run(algorithm, fresh, check) {
      const property = fc.asyncProperty(
        fc.integer({ min: 1, max: 1000 * HOUR_US }),
        async (back) => {
          const store = fresh()
          const rule = ruleOf([algorithm.policy(LIMIT)])
          await use(store, rule)
          store.time.us -= back
          const { admitted, waitUs } = await call(store, rule)
          expect(admitted ? 0 : waitUs).toBeLessThanOrEqual(algorithm.memoryUs)
        },
      )
      await check(property)
    },
  },
  {
    name: 'R15: a cost of 0 is free, one of the capacity takes all of it, one above is never admitted',
    async run(algorithm, fresh) {
      const store = fresh()
      const rule = ruleOf([algorithm.policy(LIMIT)])
      const most = algorithm.capacity(LIMIT)
      expect(await call(store, rule, 0)).toMatchObject({ admitted: true })
      const never = { admitted: false, waitUs: Number.POSITIVE_INFINITY, refusedBy: 0 }
      expect(await call(store, rule, most + 1)).toMatchObject(never)
      const all = await call(store, rule, most)
      expect(all).toMatchObject({ admitted: true, states: [{ remaining: 0 }] })
      expect(await call(store, rule, 0)).toMatchObject({ admitted: true })
      expect(await call(store, rule, 1)).toMatchObject({ admitted: false })
    },
  },
  {
    name: 'a limit of 0 refuses all, for ever, and never waits',
    async run(algorithm, fresh) {
      const store = fresh()
      const some = algorithm.policy(LIMIT)
      const none = { ...some, limit: 0, ...('burst' in some ? { burst: 0 } : {}) }
      const rule = ruleOf([none], { maxWaitUs: waitOf(algorithm) })
      const never = { admitted: false, waitUs: Number.POSITIVE_INFINITY, refusedBy: 0 }
      expect(await call(store, rule)).toMatchObject(never)
      store.time.us += 3 * HOUR_US
      expect(await call(store, rule)).toMatchObject(never)
    },
  },
  {
    name: 'what is given back may be taken again, once',
    async run(algorithm, fresh) {
      const store = fresh()
      const rule = ruleOf([algorithm.policy(LIMIT)])
      const taken = await use(store, rule)
      const last = taken.at(-1) as Admission
      expect(await store.limits.refund(rule, last)).toBe(true)
      expect((await call(store, rule)).admitted).toBe(true)
      expect((await call(store, rule)).admitted).toBe(false)
      const unknown = { ...last, nowUs: last.nowUs - 100 * HOUR_US, permit: 'unknown' }
      expect(await store.limits.refund(rule, unknown)).toBe(false)
    },
  },
  {
    name: 'many are given back in one step as one by one',
    async run(algorithm, fresh) {
      const rule = ruleOf([algorithm.policy(LIMIT)])
      const [together, alone] = [fresh(), fresh()]
      const answers: (readonly boolean[])[] = []
      for (const store of [together, alone]) {
        const taken = await use(store, rule)
        const given = [...taken.slice(-2), taken.at(-1) as Admission].reverse()
        const inTurn = async (): Promise<readonly boolean[]> => {
          const each: boolean[] = []
          for (const admission of given) each.push(await store.limits.refund(rule, admission))
          return each
        }
        const atOnce = store === together && store.limits.refundAll !== undefined
        answers.push(
          atOnce ? ((await store.limits.refundAll?.(rule, given)) ?? []) : await inTurn(),
        )
      }
      expect(answers[0]).toEqual(answers[1])
      const left = await Promise.all(
        [together, alone].map(async (store) => (await call(store, rule, 0)).states),
      )
      expect(left[0]).toEqual(left[1])
    },
  },
  {
    name: 'a reset forgets all, blocks too',
    async run(algorithm, fresh) {
      const store = fresh()
      const rule = ruleOf([algorithm.policy(LIMIT)])
      const before = await call(store, rule, 0)
      await use(store, rule)
      await store.limits.block?.(rule, store.key, HOUR_US)
      await store.limits.reset(rule, store.key)
      expect((await call(store, rule, 0)).states).toEqual(before.states)
    },
  },
  {
    name: 'a block admits nothing until it ends or is ended, and then what is left',
    async run(algorithm, fresh) {
      const store = fresh()
      const rule = ruleOf([algorithm.policy(LIMIT)], { maxWaitUs: waitOf(algorithm) })
      await call(store, rule)
      const { states } = await call(store, rule, 0)
      await store.limits.block?.(rule, store.key, 5_000)
      expect(await call(store, rule)).toMatchObject({ admitted: false, waitUs: 5_000 })
      store.time.us += 4_999
      expect(await call(store, rule)).toMatchObject({ admitted: false, waitUs: 1 })
      store.time.us += 1
      expect((await call(store, rule, 1, 'peek')).admitted).toBe(true)
      await store.limits.block?.(rule, store.key, HOUR_US)
      await store.limits.block?.(rule, store.key, 0)
      const after = await call(store, rule, 0)
      expect(after.states[0]?.remaining).toBe(states[0]?.remaining)
      await store.limits.block?.(rule, store.key, HOUR_US)
      store.time.us -= 100 * HOUR_US
      expect(await call(store, rule)).toMatchObject({ admitted: false, waitUs: HOUR_US })
    },
  },
  {
    name: 'points that are given back without saying whose may be taken again',
    exempt: noPoints,
    async run(algorithm, fresh) {
      const store = fresh()
      const rule = ruleOf([algorithm.policy(LIMIT)])
      const taken = await use(store, rule)
      expect(await store.limits.adjust?.(rule, store.key, 'reward', 2)).toBe(2)
      expect(await use(store, rule)).toHaveLength(2)
      const all = await store.limits.adjust?.(rule, store.key, 'reward', 100)
      expect(all).toBe(taken.length)
      expect(await store.limits.adjust?.(rule, store.key, 'reward', 1)).toBe(0)
      expect(await use(store, rule)).toHaveLength(taken.length)
    },
  },
  {
    name: 'a count that is set is what counts, as far as it can',
    exempt: noPoints,
    async run(algorithm, fresh) {
      const store = fresh()
      const rule = ruleOf([algorithm.policy(LIMIT)])
      const most = algorithm.capacity(LIMIT)
      await use(store, rule)
      expect(await store.limits.adjust?.(rule, store.key, 'set', 2)).toBe(2)
      expect((await call(store, rule, 0)).states[0]?.remaining).toBe(most - 2)
      expect(await store.limits.adjust?.(rule, store.key, 'set', 1_000)).toBe(most)
      expect((await call(store, rule)).admitted).toBe(false)
      expect(await store.limits.adjust?.(rule, store.key, 'set', 0)).toBe(0)
      expect(await use(store, rule)).toHaveLength(most)
    },
  },
]
