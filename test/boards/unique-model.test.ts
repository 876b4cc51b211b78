/**
 * The scripts of unique visitors do what the model does, as in model.test.ts: what is exact is the same number; what is estimated is so
 * in both, and near to it, because their hashes are others.
 */

import { localBoards } from '@larder/local-store'
import fc from 'fast-check'
import { expect, inject, it, onTestFinished } from 'vitest'
import { Backend } from '../../packages/redis-store/src/backend.ts'
import { RedisBoards } from '../../packages/redis-store/src/boards/redis-boards.ts'
import { resolveRedisStoreOptions } from '../../packages/redis-store/src/options.ts'
import { freshNamespace } from '../support/nodes.ts'
import { testSeed } from '../support/seed.ts'

const START_MS = Date.UTC(2026, 2, 29, 0, 45)
const MINUTE_MS = 60_000
const RUNS = Number(process.env['RUNS'] ?? 150)
const seed = testSeed()

const rule = fc.record({
  uniques: fc.constant('v'),
  per: fc.constantFrom('none' as const, 'hour' as const, 'day' as const),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
  periods: fc.constantFrom(1, 3),
  exactBelow: fc.constantFrom(0, 4, 40),
})

const step = fc.record({
  kind: fc.constantFrom('seen', 'seen', 'unique'),
  key: fc.constantFrom('a', 'b}:0', ''),
  first: fc.constantFrom(0, 1, 5, 100),
  count: fc.constantFrom(1, 2, 10, 60),
  last: fc.constantFrom(1, 2, 3),
  afterMs: fc.constantFrom(0, 0, 0, 1, 59, 61, 300, 1_500).map((minutes) => minutes * MINUTE_MS),
})

/** Looks random, and is the same each time. */
function digestOf(id: number): Uint8Array {
  const random = fc.sample(fc.uint8Array({ minLength: 16, maxLength: 16 }), {
    seed: id,
    numRuns: 9,
  })
  return random[8] ?? new Uint8Array(16)
}
const digests = Array.from({ length: 200 }, (_, id) => digestOf(id))

it('gives the answers of the model, whatever the steps', async () => {
  const options = resolveRedisStoreOptions({ url: inject('redisUrl') })
  const backend = new Backend(options)
  onTestFinished(() => backend.close())
  let nowMs = START_MS
  await fc.assert(
    fc.asyncProperty(rule, fc.array(step, { minLength: 1, maxLength: 30 }), async (own, steps) => {
      nowMs = START_MS
      const nowUs = () => nowMs * 1_000
      const redis = new RedisBoards({ backend, options, ownsBackend: false, nowUs })
      const model = localBoards({ now: () => nowMs })
      const namespace = freshNamespace()
      for (const provider of [redis, model]) provider.open(namespace)
      for (const { kind, key, first, count, last, afterMs } of steps) {
        nowMs += afterMs
        if (kind === 'seen') {
          const some = digests.slice(first, first + count)
          for (const provider of [redis, model]) await provider.seen(own, key, some)
          continue
        }
        const most = own.per === 'none' ? 1 : Math.min(last, own.periods)
        const given = await redis.unique(own, key, most)
        const wanted = await model.unique(own, key, most)
        expect(given.exact).toBe(wanted.exact)
        if (given.exact) expect(given.count).toBe(wanted.count)
        else expect(Math.abs(given.count - wanted.count)).toBeLessThanOrEqual(4)
      }
    }),
    { seed: seed | 0, numRuns: RUNS },
  )
}, 240_000)
