/**
 * The scripts do what the model does: the same steps at the same times give the same answers.
 *
 * The model is the in-process provider. Time is injected into both, so that turns and ids end among the steps, and clocks are set back.
 */

import type { EventStoreProvider } from '@larder/core/store'
import { localEventStore } from '@larder/local-store'
import fc from 'fast-check'
import { inject, it, onTestFinished } from 'vitest'
import { Backend } from '../../packages/redis-store/src/backend.ts'
import { RedisEventStore } from '../../packages/redis-store/src/event-store/redis-event-store.ts'
import { resolveRedisStoreOptions } from '../../packages/redis-store/src/options.ts'
import { freshNamespace } from '../support/nodes.ts'
import { testSeed } from '../support/seed.ts'

const START_MS = Date.UTC(2026, 10, 30)
const LEASE_MS = 10_000
const ID_MS = 60_000
const RUNS = Number(process.env['RUNS'] ?? 200)
const seed = testSeed()

const step = fc.record({
  kind: fc.constantFrom('append', 'append', 'append', 'read', 'log', 'take', 'save', 'save'),
  partition: fc.constantFrom(0, 0, 1),
  stream: fc.constantFrom('a', 'b', 'ü{}:1', 'a\0b'),
  expected: fc.constantFrom('any', 'any', 'none', 'exists', 0, 1, 2, 3, 5),
  id: fc.constantFrom(undefined, undefined, 'i', 'j'),
  texts: fc.array(fc.constantFrom('', 'x', 'long '.repeat(20)), { maxLength: 20 }),
  from: fc.constantFrom(1, 1, 2, 17, 100),
  to: fc.constantFrom(1, 3, 16, 40, Number.MAX_SAFE_INTEGER),
  isBackwards: fc.boolean(),
  count: fc.constantFrom(1, 2, 16, 17, 1_000),
  bytes: fc.constantFrom(1, 100, 1_000_000),
  after: fc.constantFrom(0, 0, 1, 5, 1_000),
  owner: fc.constantFrom('one', 'two'),
  /** Fences come from the clock; so it is said which of those that were given. */
  fence: fc.constantFrom(0, 0, 1, 2),
  mark: fc.constantFrom('', 'm', 'm', 'n'),
  isLast: fc.boolean(),
  afterMs: fc.constantFrom(0, 0, 0, 1, LEASE_MS - 1, LEASE_MS, ID_MS, -1, -LEASE_MS * 3),
})

type Step = typeof step extends fc.Arbitrary<infer Made> ? Made : never

it('gives the answers of the model, whatever the steps', async () => {
  const options = resolveRedisStoreOptions({ url: inject('redisUrl') })
  const backend = new Backend(options)
  onTestFinished(() => backend.close())
  let nowMs = START_MS
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      nowMs = START_MS
      const nowUs = () => nowMs * 1_000
      const redis = new RedisEventStore({ backend, options, ownsBackend: false, nowUs })
      const model = localEventStore({ now: () => nowMs })
      const namespace = freshNamespace()
      for (const provider of [redis, model]) provider.open(namespace)
      const fences: number[] = []
      for (const made of steps) {
        nowMs += made.afterMs
        const [given, wanted] = await Promise.all(
          [redis, model].map(async (provider) =>
            JSON.stringify(await answer(provider, made, fences)),
          ),
        )
        if (made.kind === 'take') fences.push(...fenceIn(wanted))
        if (given !== wanted)
          throw new Error(`${JSON.stringify(made)}: Redis says ${given}, the model ${wanted}`)
      }
    }),
    { seed: seed | 0, numRuns: RUNS },
  )
}, 240_000)

async function answer(
  provider: EventStoreProvider,
  made: Step,
  fences: readonly number[],
): Promise<unknown> {
  const { kind, partition, stream, from, to, isBackwards, count, bytes, after, mark } = made
  const place = { store: 'accounts', partition }
  const claim = { projection: 'p', owner: made.owner, leaseMs: LEASE_MS }
  if (kind === 'append') {
    const events = made.texts.map((text, i) => ({ schema: i, bytes: Buffer.from(text) }))
    const expected = made.expected as 'any'
    const rules = { stream, expected, id: made.id, idMs: ID_MS, mark, isDurable: false }
    return provider.append(place, { ...rules, events })
  }
  if (kind === 'read') {
    const events = await provider.read(place, stream, { from, to, isBackwards, count, bytes })
    return events.map(plain)
  }
  if (kind === 'log') {
    const page = await provider.readLog(place, { after, mark, count, bytes })
    const events = page.events.map((event) => [...plain(event), event.mark])
    const { until, last, isContinued } = page
    return [events, until, page.mark, last, isContinued]
  }
  if (kind === 'take') {
    const turn = await provider.take(place, claim)
    if (turn.kind === 'held') return turn.leftMs
    return [turn.fence, turn.position, turn.mark, turn.isRewound]
  }
  const { isLast } = made
  const fence = fences.at(-1 - made.fence) ?? 1
  return provider.save(place, { ...claim, fence, position: after, mark, isLast })
}

function fenceIn(answered: string | undefined): readonly number[] {
  const turn: unknown = JSON.parse(answered ?? '0')
  return Array.isArray(turn) ? [Number(turn[0])] : []
}

/** In one order of fields, with bytes as text. */
function plain(event: {
  readonly stream: string
  readonly version: number
  readonly position: number
  readonly at: number
  readonly schema: number
  readonly bytes: Uint8Array
}) {
  const { stream, version, position, at, schema, bytes } = event
  return [stream, version, position, at, schema, Buffer.from(bytes).toString()]
}
