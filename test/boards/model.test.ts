/**
 * The scripts do what the model does: the same steps at the same times give the same answers.
 *
 * The model is the in-process provider. Time is injected into both, so that edges of periods, and clocks that are set back, are among
 * the steps. Scores are few, so that there are ties, and some are next to the end of the range.
 */

import { localBoards } from '@larder/local-store'
import fc from 'fast-check'
import { inject, it, onTestFinished } from 'vitest'
import { Backend } from '../../packages/redis-store/src/backend.ts'
import { RedisBoards } from '../../packages/redis-store/src/boards/redis-boards.ts'
import { resolveRedisStoreOptions } from '../../packages/redis-store/src/options.ts'
import { freshNamespace } from '../support/nodes.ts'
import { testSeed } from '../support/seed.ts'

/** A quarter of an hour before clocks are set forward in Berlin: the day has 23 hours. */
const START_MS = Date.UTC(2026, 2, 29, 0, 45)
const MINUTE_MS = 60_000
const RUNS = Number(process.env['RUNS'] ?? 200)
const MOST = Number.MAX_SAFE_INTEGER
const seed = testSeed()

const rule = fc.record({
  board: fc.constantFrom('weekly', 'b.1'),
  per: fc.constantFrom('none', 'hour', 'hour', 'day'),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kolkata'),
  periods: fc.constant(3),
  update: fc.constantFrom('max', 'min', 'last', 'add'),
  best: fc.constantFrom('highest', 'lowest'),
  ties: fc.constantFrom('first', 'last'),
  keep: fc.constantFrom(1, 3, 100),
  decimals: fc.constant(0),
})

const member = fc.constantFrom('a', 'b', 'c', 'd', 'ü{}:1', 'a\0b', '0')
const score = fc.constantFrom(0, 0, 1, 1, 2, 3, -1, -2, 10, MOST, -MOST, MOST - 1)

const step = fc.record({
  kind: fc.constantFrom('submit', 'submit', 'submit', 'submit', 'look', 'look', 'look', 'remove'),
  scores: fc.array(fc.record({ member, score }), { minLength: 1, maxLength: 4 }),
  member,
  ago: fc.constantFrom(0, 0, 0, 1, 2),
  merge: fc.constantFrom(1, 1, 2, 3),
  part: fc.oneof(
    fc.record({
      kind: fc.constant('range' as const),
      skip: fc.constantFrom(0, 0, 1, 3),
      take: fc.constantFrom(0, 1, 2, 100),
    }),
    fc.record({ kind: fc.constant('around' as const), member, each: fc.constantFrom(0, 1, 2) }),
  ),
  afterMs: fc
    .constantFrom(0, 0, 0, 0, 1, 2, 20, 60, 61, 300, 1_500, -1, -70)
    .map((minutes) => minutes * MINUTE_MS),
})

it('gives the answers of the model, whatever the steps', async () => {
  const options = resolveRedisStoreOptions({ url: inject('redisUrl') })
  const backend = new Backend(options)
  onTestFinished(() => backend.close())
  let nowMs = START_MS
  await fc.assert(
    fc.asyncProperty(rule, fc.array(step, { minLength: 1, maxLength: 40 }), async (made, steps) => {
      nowMs = START_MS
      const own = { ...made, per: made.per as 'none', update: made.update as 'max' }
      const kept = { ...own, best: made.best as 'highest', ties: made.ties as 'first' }
      const periods = own.per === 'none' ? 1 : own.periods
      const nowUs = () => nowMs * 1_000
      const redis = new RedisBoards({ backend, options, ownsBackend: false, nowUs })
      const model = localBoards({ now: () => nowMs })
      const namespace = freshNamespace()
      for (const provider of [redis, model]) provider.open(namespace)
      for (const { kind, scores, member: who, ago, merge, part, afterMs } of steps) {
        nowMs += afterMs
        const view = {
          ago: Math.min(ago, periods - 1),
          merge: Math.min(merge, periods - Math.min(ago, periods - 1)),
          maxAgeMs: 0,
        }
        const [given, wanted] = await Promise.all(
          [redis, model].map(async (provider) => {
            if (kind === 'submit') return JSON.stringify(await provider.submit(kept, scores))
            if (kind === 'remove') return JSON.stringify(await provider.remove(kept, who))
            return JSON.stringify(await provider.look(kept, view, part))
          }),
        )
        if (given !== wanted) {
          const about = JSON.stringify({ kind, scores, who, view, part })
          throw new Error(`${about}: Redis says ${given}, the model ${wanted}`)
        }
      }
    }),
    { seed: seed | 0, numRuns: RUNS },
  )
}, 240_000)
