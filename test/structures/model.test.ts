/**
 * The scripts do what the model does: the same steps at the same times give the same answers.
 *
 * The model is the in-process provider. Time is injected into both, so that a clock that is set back is among the steps. What Redis ends
 * by itself goes by its own clock; so structures live long here.
 */

import type { StructurePut } from '@larder/core/store'
import { localStructures } from '@larder/local-store'
import fc from 'fast-check'
import { inject, it, onTestFinished } from 'vitest'
import { Backend } from '../../packages/redis-store/src/backend.ts'
import { resolveRedisStoreOptions } from '../../packages/redis-store/src/options.ts'
import { RedisStructures } from '../../packages/redis-store/src/structures/redis-structures.ts'
import { freshNamespace } from '../support/nodes.ts'
import { testSeed } from '../support/seed.ts'

const START_MS = Date.UTC(2026, 10, 30, 12)
const RUNS = Number(process.env['RUNS'] ?? 200)
const seed = testSeed()

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'ü{}:1', 'a\0b', '0')
const rule = fc.record({
  structure: fc.constantFrom('map.s', 'map.s.1'),
  ttlMs: fc.constant(3_600_000),
  most: fc.constantFrom(1, 3, 3, 100),
  whenFull: fc.constantFrom('refuse' as const, 'drop' as const),
})
/** The version of an item: any, none, the one that is there, or one that it never has. */
const expected = fc.constantFrom('any', 'any', 'none', 'present', 'wrong')
const step = fc.record({
  kind: fc.constantFrom('put', 'put', 'put', 'remove', 'read', 'clear'),
  key: fc.constantFrom('k', 'k', '}'),
  items: fc.uniqueArray(fc.record({ name, expected, text: fc.string({ maxLength: 4 }) }), {
    selector: (item) => item.name,
    minLength: 1,
    maxLength: 6,
  }),
  part: fc.oneof(
    fc.record({ kind: fc.constant('names' as const), names: fc.array(name, { minLength: 1 }) }),
    fc.record({
      kind: fc.constant('range' as const),
      from: fc.constantFrom('oldest' as const, 'newest' as const),
      skip: fc.constantFrom(0, 0, 1, 3),
      take: fc.constantFrom(0, 1, 2, 100),
    }),
  ),
  /** Another bound than before: somebody gave other options. */
  most: fc.constantFrom(undefined, undefined, undefined, 1, 2),
  afterMs: fc.constantFrom(0, 0, 0, 1, 1_000, -1, -60_000),
})

it('gives the answers of the model, whatever the steps', async () => {
  const options = resolveRedisStoreOptions({ url: inject('redisUrl') })
  const backend = new Backend(options)
  onTestFinished(() => backend.close())
  await fc.assert(
    fc.asyncProperty(rule, fc.array(step, { minLength: 1, maxLength: 40 }), async (made, steps) => {
      let nowMs = START_MS
      const nowUs = () => nowMs * 1_000
      const redis = new RedisStructures({ backend, options, ownsBackend: false, nowUs })
      const model = localStructures({ now: () => nowMs })
      const namespace = freshNamespace()
      for (const provider of [redis, model]) provider.open(namespace)
      for (const { kind, key, items, part, most, afterMs } of steps) {
        nowMs += afterMs
        const bounds = { ...made, most: most ?? made.most }
        const names = items.map((item) => item.name)
        const [given, wanted] = await Promise.all(
          [redis, model].map(async (provider) => {
            if (kind === 'put') {
              // Each has versions of its own: what they tell is the order, and whether an item was put anew.
              const present = await provider.read(bounds, key, { kind: 'names', names })
              const versions = new Map(present.items.map((item) => [item.name, item.version]))
              const puts = items.map((item) => putOf(item, versions.get(item.name) ?? 0))
              return JSON.stringify(await provider.put(bounds, key, puts))
            }
            if (kind === 'remove') return JSON.stringify(await provider.remove(bounds, key, names))
            if (kind === 'clear') return JSON.stringify(await provider.clear(bounds, key))
            const { count, items: listed } = await provider.read(bounds, key, part)
            const texts = listed.map((item) => ({
              name: item.name,
              text: `${Buffer.from(item.bytes)}`,
            }))
            return JSON.stringify({ count, texts })
          }),
        )
        if (given !== wanted) {
          const about = JSON.stringify({ kind, bounds, key, items, part })
          throw new Error(`${about}: Redis says ${given}, the model ${wanted}`)
        }
      }
    }),
    { seed: seed | 0, numRuns: RUNS },
  )
}, 240_000)

interface Item {
  readonly name: string
  readonly expected: string
  readonly text: string
}

/** `present`: the version that is there; 0 for none. */
function putOf({ name, expected, text }: Item, present: number): StructurePut {
  const version = { any: undefined, none: 0, present, wrong: 5 }
  const wanted = version[expected as keyof typeof version]
  const put = { name, bytes: Buffer.from(text) }
  return wanted === undefined ? put : { ...put, expected: wanted }
}
