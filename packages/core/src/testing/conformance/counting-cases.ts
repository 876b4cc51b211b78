/** The part of the conformance suite of board providers that is about counters and unique visitors. */

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { BoardProvider } from '../../contracts/board-provider.ts'
import type { CounterRule } from '../../contracts/counter-steps.ts'
import type { UniqueRule } from '../../contracts/unique-steps.ts'

/** One fact, on two ends of one store. */
export type BoardCase = readonly [
  name: string,
  run: (ends: readonly [BoardProvider, BoardProvider]) => Promise<void>,
]

const MOST = Number.MAX_SAFE_INTEGER
const COUNTER: CounterRule = {
  counter: 'hits',
  per: 'none',
  timeZone: 'UTC',
  periods: 1,
  idMs: 60_000,
}

const UNIQUES: UniqueRule = {
  uniques: 'v',
  per: 'none',
  timeZone: 'UTC',
  periods: 1,
  exactBelow: 100,
}

export const COUNTING_CASES: readonly BoardCase[] = [
  [
    'counts for both ends, and each id once',
    async ([one, other]) => {
      const add = { key: 'a}:id:x', by: 2, id: 'x}' }
      assert.deepEqual(await one.add(COUNTER, add), { outcome: 'counted', total: 2 })
      assert.deepEqual(await other.add(COUNTER, { ...add, id: undefined }), {
        outcome: 'counted',
        total: 4,
      })
      assert.deepEqual(await other.add(COUNTER, add), { outcome: 'duplicate', total: 2 })
      assert.deepEqual(await one.counts(COUNTER, add.key, 1), [{ from: 0, count: 4 }])
      assert.deepEqual(await one.counts(COUNTER, 'a', 1), [{ from: 0, count: 0 }])
    },
  ],
  [
    'counts exactly at both ends of the range, and refuses what is beyond',
    async ([one, other]) => {
      const add = { key: 'a', by: MOST, id: undefined }
      await one.add(COUNTER, add)
      assert.deepEqual(await other.add(COUNTER, { ...add, by: 1 }), {
        outcome: 'range',
        total: MOST,
      })
      await one.add(COUNTER, { ...add, by: -MOST })
      assert.deepEqual(await other.add(COUNTER, { ...add, by: -MOST }), {
        outcome: 'counted',
        total: -MOST,
      })
    },
  ],
  [
    'has a count for each period that is kept',
    async ([one, other]) => {
      const rule: CounterRule = { ...COUNTER, per: 'month', periods: 3 }
      await one.add(rule, { key: 'a', by: 1, id: undefined })
      const counts = await other.counts(rule, 'a', 3)
      assert.deepEqual(
        counts.map(({ count }) => count),
        [1, 0, 0],
      )
      const [first, second] = counts
      assert((first?.from ?? 0) > (second?.from ?? 0), 'the present one comes first')
    },
  ],
  [
    'counts visitors exactly while they are few, and nearly so once they are many',
    async ([one, other]) => {
      const visitors = Array.from({ length: 5_000 }, () => randomBytes(16))
      const first = visitors.slice(0, 99)
      await one.seen(UNIQUES, 'a', first)
      await other.seen(UNIQUES, 'a', first)
      assert.deepEqual(await other.unique(UNIQUES, 'a', 1), { count: 99, exact: true })
      assert.deepEqual(await other.unique(UNIQUES, 'b', 1), { count: 0, exact: true })
      for (let i = 0; i < visitors.length; i += 1_000)
        await one.seen(UNIQUES, 'a', visitors.slice(i, i + 1_000))
      const { count, exact } = await other.unique(UNIQUES, 'a', 1)
      assert.equal(exact, false)
      // Five standard errors.
      assert(Math.abs(count - 5_000) < 0.041 * 5_000, `${count} for 5000`)
    },
  ],
  [
    'unites the periods that are kept, of which the past ones may be empty',
    async ([one, other]) => {
      const visitors = Array.from({ length: 200 }, () => randomBytes(16))
      for (const exactBelow of [100, 1_000]) {
        const key = `${exactBelow}`
        const rule: UniqueRule = { ...UNIQUES, per: 'month', periods: 3, exactBelow }
        await one.seen(rule, key, visitors)
        const { count, exact } = await other.unique(rule, key, 3)
        assert.equal(exact, exactBelow === 1_000)
        assert(Math.abs(count - 200) <= (exact ? 0 : 8), `${count} for 200`)
      }
    },
  ],
]
