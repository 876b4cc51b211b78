/** The scripts of counters do what the model does, as in model.test.ts. */

import { localBoards } from '@larder/local-store'
import fc from 'fast-check'
import { inject, it, onTestFinished } from 'vitest'
import { Backend } from '../../packages/redis-store/src/backend.ts'
import { RedisBoards } from '../../packages/redis-store/src/boards/redis-boards.ts'
import { resolveRedisStoreOptions } from '../../packages/redis-store/src/options.ts'
import { freshNamespace } from '../support/nodes.ts'
import { testSeed } from '../support/seed.ts'

const START_MS = Date.UTC(2026, 9, 24, 21, 45)
const MINUTE_MS = 60_000
const RUNS = Number(process.env['RUNS'] ?? 200)
const MOST = Number.MAX_SAFE_INTEGER
const seed = testSeed()

const rule = fc.record({
  counter: fc.constant('hits'),
  per: fc.constantFrom('none' as const, 'hour' as const, 'day' as const),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kolkata'),
  periods: fc.constantFrom(1, 2, 3),
  idMs: fc.constant(60 * MINUTE_MS),
})

const step = fc.record({
  kind: fc.constantFrom('add', 'add', 'add', 'counts'),
  key: fc.constantFrom('a', '0:b}', 'a}:id:x', ':'),
  by: fc.constantFrom(0, 1, 1, 2, -3, MOST, -MOST),
  id: fc.constantFrom(undefined, undefined, 'x', 'y}', 'a:b'),
  last: fc.constantFrom(1, 2, 3),
  afterMs: fc
    .constantFrom(0, 0, 0, 1, 20, 59, 61, 300, 1_500, -1, -20)
    .map((minutes) => minutes * MINUTE_MS),
})

it('gives the answers of the model, whatever the steps', async () => {
  const options = resolveRedisStoreOptions({ url: inject('redisUrl') })
  const backend = new Backend(options)
  onTestFinished(() => backend.close())
  let nowMs = START_MS
  await fc.assert(
    fc.asyncProperty(rule, fc.array(step, { minLength: 1, maxLength: 40 }), async (own, steps) => {
      nowMs = START_MS
      const nowUs = () => nowMs * 1_000
      const redis = new RedisBoards({ backend, options, ownsBackend: false, nowUs })
      const model = localBoards({ now: () => nowMs })
      const namespace = freshNamespace()
      for (const provider of [redis, model]) provider.open(namespace)
      for (const { kind, key, by, id, last, afterMs } of steps) {
        nowMs += afterMs
        const [given, wanted] = await Promise.all(
          [redis, model].map(async (provider) =>
            JSON.stringify(
              kind === 'add'
                ? await provider.add(own, { key, by, id })
                : await provider.counts(own, key, last),
            ),
          ),
        )
        if (given !== wanted) {
          const about = JSON.stringify({ kind, key, by, id, last })
          throw new Error(`${about}: Redis says ${given}, the model ${wanted}`)
        }
      }
    }),
    { seed: seed | 0, numRuns: RUNS },
  )
}, 240_000)
