/** The script does what the model does: the same heartbeats at the same times leave the same nodes. */

import { localFleet } from '@larder/local-store'
import fc from 'fast-check'
import { expect, inject, it, onTestFinished } from 'vitest'
import { Backend } from '../../packages/redis-store/src/backend.ts'
import { RedisFleet } from '../../packages/redis-store/src/fleet/redis-fleet.ts'
import { resolveRedisStoreOptions } from '../../packages/redis-store/src/options.ts'
import { freshNamespace } from '../support/nodes.ts'
import { testSeed } from '../support/seed.ts'

const START_MS = 1_700_000_000_000
const seed = testSeed()

const step = fc.record({
  kind: fc.constantFrom('beat', 'beat', 'beat', 'leave', 'list'),
  node: fc.constantFrom('a', 'b', 'c', '', 'ü:1'),
  // A minute or more: Redis ends the keys by its own clock, which goes on while this one stands.
  livesMs: fc.constantFrom(60_000, 60_001, 75_000, 180_000),
  report: fc.constantFrom('', '1:', 'of\nlines', '{"form":1}'),
  afterMs: fc.constantFrom(0, 0, 1, 59_999, 60_000, 61_000, 15_000, 200_000),
})

it('gives the answers of the model, whatever the steps', async () => {
  const options = resolveRedisStoreOptions({ url: inject('redisUrl') })
  const backend = new Backend(options)
  onTestFinished(() => backend.close())
  let nowMs = START_MS
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
      const namespace = freshNamespace()
      const redis = new RedisFleet({
        backend,
        options,
        ownsBackend: false,
        nowUs: () => nowMs * 1_000 + 999,
      })
      const model = localFleet({ clock: { now: () => nowMs, schedule: () => () => undefined } })
      for (const fleet of [redis, model]) fleet.open(namespace)
      for (const { kind, node, livesMs, report, afterMs } of steps) {
        nowMs += afterMs
        const answers = [redis, model].map(async (fleet) => {
          if (kind === 'beat') return fleet.beat({ node, report, livesMs })
          if (kind === 'leave') return fleet.leave(node)
          const { heartbeats, nowMs: saidMs } = await fleet.list()
          return { saidMs, heartbeats: [...heartbeats].sort((x, y) => (x.node < y.node ? -1 : 1)) }
        })
        const [ofRedis, ofModel] = await Promise.all(answers)
        expect(ofRedis).toEqual(ofModel)
      }
    }),
    { seed, numRuns: 60 },
  )
})
