/**
 * The scripts do what the model does: the same steps at the same times give the same answers.
 *
 * The model is the in-process provider. Time is injected into both, so that clocks that are set back, and holds that end, are among the
 * steps. Keys are few, so that writes of one key meet in each state of it.
 */

import type { QueueHold, TakeReply, WriteProvider, WrittenKey } from '@larder/core/store'
import { localWrites } from '@larder/local-store'
import fc from 'fast-check'
import { inject, it, onTestFinished } from 'vitest'
import { Backend } from '../../packages/redis-store/src/backend.ts'
import { resolveRedisStoreOptions } from '../../packages/redis-store/src/options.ts'
import { RedisWrites } from '../../packages/redis-store/src/writes/redis-writes.ts'
import { freshNamespace } from '../support/nodes.ts'
import { testSeed } from '../support/seed.ts'

const START_MS = Date.UTC(2026, 10, 30, 12)
const RUNS = Number(process.env['RUNS'] ?? 200)
const seed = testSeed()

const key = fc.constantFrom('a', 'b', 'c', 'ü{}:1', '1:a', 'a\0b')
const write = fc.record({
  key,
  kind: fc.constantFrom('value', 'value', 'delete', 'merge', 'merge'),
  text: fc.constantFrom('', '1', '+1', 'ü'),
})
const step = fc.record({
  kind: fc.constantFrom(
    ...([
      'enqueue',
      'enqueue',
      'enqueue',
      'enqueue',
      'take',
      'take',
      'take',
      'acknowledge',
    ] as const),
    ...(['acknowledge', 'postpone', 'bury', 'renew', 'release', 'hurry', 'state'] as const),
    ...(['waiting', 'buried', 'replay', 'discard'] as const),
  ),
  writes: fc.array(write, { minLength: 1, maxLength: 4 }),
  keys: fc.array(key, { maxLength: 3 }),
  owner: fc.constantFrom('x', 'x', 'y'),
  delayMs: fc.constantFrom(0, 0, 1, 100, 5_000),
  most: fc.constantFrom(1, 2, 100),
  number: fc.nat(3),
  isForced: fc.boolean(),
  afterMs: fc.constantFrom(0, 0, 0, 1, 50, 1_000, 10_000, -5),
})
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never

/** What one end knows of its earlier steps; alike on both ends while their answers are. */
class Driver {
  readonly #provider: WriteProvider
  #hold: QueueHold = { owner: 'x', fence: 0 }
  #taken: readonly WrittenKey[] = []
  #letters = 0

  constructor(provider: WriteProvider) {
    this.#provider = provider
  }

  async run(given: Step): Promise<unknown> {
    const provider = this.#provider
    const { keys, delayMs, most, number, owner } = given
    const hold = this.#hold
    const one = this.#taken[number % Math.max(1, this.#taken.length)] ?? { key: 'a', version: 1 }
    switch (given.kind) {
      case 'enqueue': {
        const writes = given.writes.map(({ text, ...rest }) => ({
          ...rest,
          bytes: Buffer.from(text),
        }))
        const request = { writes, delayMs, most: most + 3, onDiskMs: 0 }
        // Those of one tick travel together, and are still taken one after the other.
        const requests = [request, { ...request, most: number + 1 }, request]
        return Promise.all(
          requests.slice(0, given.isForced ? 3 : 1).map((each) => provider.enqueue('q', each)),
        )
      }
      case 'take':
        return this.#took(await provider.take('q', { owner, holdMs: 2_000, most }), owner)
      case 'acknowledge':
        return provider.acknowledge('q', hold, this.#taken.slice(0, number + 1))
      case 'postpone':
        return provider.postpone('q', hold, { keys, delayMs })
      case 'bury':
        this.#letters += 1
        return provider.bury('q', hold, { ...one, id: `l${this.#letters}`, error: 'ü', most })
      case 'renew':
        return provider.renew('q', hold, 3_000)
      case 'release':
        return provider.release('q', hold)
      case 'hurry':
        return provider.hurry('q', given.isForced ? undefined : keys)
      case 'state':
        return provider.state('q', one.version)
      case 'waiting':
        return provider.waiting('q', keys)
      case 'buried':
        return provider.buried('q', number, most)
      case 'replay':
        return provider.replay('q', `l${number}`, given.isForced)
      case 'discard':
        return provider.discard('q', `l${number}`)
    }
  }

  #took(reply: TakeReply, owner: string): TakeReply {
    if (reply.kind !== 'taken') return reply
    this.#hold = { owner, fence: reply.fence }
    this.#taken = reply.writes.map(({ key: name, parts }) => {
      return { key: name, version: parts.at(-1)?.version ?? 0 }
    })
    return reply
  }
}

it('gives the answers of the model, whatever the steps', async () => {
  const options = resolveRedisStoreOptions({ url: inject('redisUrl') })
  const backend = new Backend(options)
  onTestFinished(() => backend.close())
  let nowMs = START_MS
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 50 }), async (steps) => {
      nowMs = START_MS
      const nowUs = () => nowMs * 1_000
      const redis = new RedisWrites({ backend, options, ownsBackend: false, nowUs })
      const model = localWrites({ now: () => nowMs })
      const namespace = freshNamespace()
      for (const provider of [redis, model]) provider.open(namespace)
      const ends = [new Driver(redis), new Driver(model)]
      for (const each of steps) {
        nowMs += each.afterMs
        const answers = await Promise.all(ends.map((end) => end.run(each as Step)))
        const [given, wanted] = answers.map(canonical)
        if (given !== wanted)
          throw new Error(`${JSON.stringify(each)}: Redis says ${given}, the model ${wanted}`)
      }
    }),
    { seed: seed | 0, numRuns: RUNS },
  )
}, 240_000)

function canonical(answer: unknown): string {
  return JSON.stringify(answer, (name, value: unknown) => {
    if (name === 'bytes') return asText(value)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

/** Bytes are of one class there and of another here; a buffer has become an object already. */
function asText(value: unknown): string {
  const bytes = value instanceof Uint8Array ? value : (value as { data: number[] }).data
  return Buffer.from(bytes).toString('hex')
}
