/** Every promise, for every algorithm it is made for, in both stores: the table of them makes the tests. */

import { localLimits } from '@larder/local-store'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { testSeed } from '../support/seed.ts'
import { ALGORITHMS } from './support/algorithms.ts'
import { type Fresh, PROMISES } from './support/promises.ts'
import { openRedisLimits, TestTime } from './support/providers.ts'

const SEED = testSeed()

interface Store {
  readonly name: string
  /** Of random histories; each call of the scripts is a round trip. */
  readonly runs: number
  open(): () => Fresh
}

let keys = 0

const STORES: readonly Store[] = [
  {
    name: 'redis',
    runs: 5,
    open() {
      // One connection for all histories; each has a clock and keys of its own.
      const shared = new TestTime()
      const limits = openRedisLimits(shared)
      return () => {
        const time = new TestTime()
        keys += 1
        const key = `k${keys}`
        const at = <Args extends readonly unknown[], Result>(run: (...args: Args) => Result) => {
          return (...args: Args): Result => {
            shared.us = time.us
            return run(...args)
          }
        }
        const bound = {
          name: limits.name,
          capabilities: limits.capabilities,
          open: () => undefined,
          close: async () => undefined,
          decide: at(limits.decide.bind(limits)),
          refund: at(limits.refund.bind(limits)),
          refundAll: at(
            (...args: Parameters<NonNullable<typeof limits.refundAll>>) =>
              limits.refundAll?.(...args) ?? Promise.resolve([]),
          ),
          renew: at(limits.renew.bind(limits)),
          reset: at(limits.reset.bind(limits)),
          adjust: at(
            (...args: Parameters<NonNullable<typeof limits.adjust>>) =>
              limits.adjust?.(...args) ?? Promise.resolve(0),
          ),
          block: at(
            (...args: Parameters<NonNullable<typeof limits.block>>) =>
              limits.block?.(...args) ?? Promise.resolve(),
          ),
        }
        return { time, limits: bound, key }
      }
    },
  },
  {
    name: 'in-process',
    runs: 100,
    open: () => () => {
      const time = new TestTime()
      const limits = localLimits({ nowUs: time.read })
      limits.open('promises')
      onTestFinished(() => limits.close())
      return { time, limits, key: 'k' }
    },
  },
]

describe.each(STORES)(`$name (SEED=${SEED})`, ({ open, runs }) => {
  const check: typeof fc.assert = (property, parameters) =>
    fc.assert(property, { seed: SEED, numRuns: runs, ...parameters } as never) as never

  describe.each(PROMISES)('$name', (promise) => {
    const held = ALGORITHMS.filter((algorithm) => promise.exempt?.(algorithm) === undefined)

    it.each(held.map((algorithm) => [algorithm.name, algorithm] as const))(
      '%s',
      async (_, algorithm) => {
        await promise.run(algorithm, open(), check)
      },
      60_000,
    )
  })
})

it('no promise is left out for an algorithm without a reason, and none for all', () => {
  for (const { name, exempt } of PROMISES) {
    const reasons = ALGORITHMS.map((algorithm) => exempt?.(algorithm))
    expect(reasons.includes(undefined), name).toBe(true)
    for (const reason of reasons) expect(reason).not.toBe('')
  }
})
