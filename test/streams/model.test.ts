/**
 * The scripts do what the model does: the same steps at the same times give the same answers.
 *
 * The model is the in-process provider. The store's time is injected into both, for entries that are due again. For how long a consumer
 * was silent, Redis measures by itself; so everybody counts as silent here, or nobody. Ids of entries differ, and are compared by their
 * order.
 */

import type { StreamEntry, StreamProvider, StreamRule } from '@larder/core/store'
import { localStreams } from '@larder/local-store'
import fc from 'fast-check'
import { inject, it, onTestFinished } from 'vitest'
import { Backend } from '../../packages/redis-store/src/backend.ts'
import { resolveRedisStoreOptions } from '../../packages/redis-store/src/options.ts'
import { RedisStreams } from '../../packages/redis-store/src/streams/redis-streams.ts'
import { freshNamespace } from '../support/nodes.ts'
import { testSeed } from '../support/seed.ts'

const START_MS = Date.UTC(2026, 10, 30)
const HOUR_MS = 3_600_000
const RUNS = Number(process.env['RUNS'] ?? 100)
const seed = testSeed()
const RULE: StreamRule = {
  stream: 's',
  rememberMs: HOUR_MS,
  maxLength: 1_000_000,
  maxAgeMs: Number.POSITIVE_INFINITY,
  trimsUnhandled: false,
}

const step = fc.record({
  kind: fc.constantFrom(
    'add',
    'add',
    'join',
    'read',
    'read',
    'take',
    'take',
    'keep',
    'done',
    'done',
    'retry',
    'retry',
    'back',
    'leave',
    'dead',
    'letters',
    'replay',
    'discard',
    'marked',
    'status',
  ),
  group: fc.constantFrom('g', 'g', 'g', 'h'),
  consumer: fc.constantFrom('x', 'y'),
  count: fc.constantFrom(1, 2, 9),
  ids: fc.array(fc.constantFrom('i', 'j', 'k', undefined), { minLength: 1, maxLength: 3 }),
  from: fc.constantFrom('start' as const, 'new' as const),
  idleMs: fc.constantFrom(0, HOUR_MS),
  /** Which of the entries or letters that were seen. */
  which: fc.nat(20),
  afterMs: fc.constantFrom(0, 0, 5, 1_000),
  keep: fc.constantFrom(1, 2, 100),
  passMs: fc.constantFrom(0, 0, 1, 5, 999, 1_001),
})
type Step = typeof step extends fc.Arbitrary<infer Made> ? Made : never

it('gives the answers of the model, whatever the steps', async () => {
  const options = resolveRedisStoreOptions({ url: inject('redisUrl') })
  const backend = new Backend(options)
  onTestFinished(() => backend.close())
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      let nowMs = START_MS
      const namespace = freshNamespace()
      const nowUs = () => nowMs * 1_000
      const ends = [
        new Seen(new RedisStreams({ backend, options, ownsBackend: false, nowUs })),
        new Seen(localStreams({ now: () => nowMs })),
      ]
      for (const end of ends) end.provider.open(namespace)
      for (const [i, each] of steps.entries()) {
        nowMs += each.passMs
        const [given, wanted] = await Promise.all(ends.map((end) => end.run(each, i)))
        if (JSON.stringify(given) === JSON.stringify(wanted)) continue
        const said = JSON.stringify({ given, wanted, step: each })
        throw new Error(`Step ${i} of ${JSON.stringify(steps.slice(0, i + 1))}: ${said}`)
      }
      await Promise.all(ends.map((end) => end.close()))
    }),
    { seed, numRuns: RUNS },
  )
}, 300_000)

/** A provider, with its ids as numbers in the order in which they were seen. */
class Seen {
  readonly provider: StreamProvider
  readonly #reader
  readonly #entries: string[] = []
  readonly #letters: string[] = []

  constructor(provider: StreamProvider) {
    this.provider = provider
    this.#reader = () => provider.reader('s')
  }

  async close(): Promise<void> {
    await this.provider.close()
  }

  async run(each: Step, number: number): Promise<unknown> {
    const { provider } = this
    const { consumer, count, which } = each
    const group = { stream: 's', group: each.group }
    const entry = this.#entries[which % Math.max(1, this.#entries.length)] ?? '0-1'
    const letter = this.#letters[which % Math.max(1, this.#letters.length)] ?? '0-1'
    switch (each.kind) {
      case 'add': {
        const bytes = Buffer.from(`${number}`)
        const added = await provider.add(
          RULE,
          each.ids.map((id) => ({ id, bytes })),
        )
        return added.map((one) => [this.#entry(one.entry), one.isNew])
      }
      case 'join':
        return provider.makeGroup(group, each.from)
      case 'read': {
        const reader = this.#reader()
        const found = await reader.read(group, { consumer, count, waitMs: 1 })
        await reader.close()
        return found === 'absent' ? found : found.map((one) => this.#shown(one))
      }
      case 'take': {
        const { idleMs } = each
        const held = which % 3 === 0 ? [entry] : []
        const asked = { consumer, count, idleMs, held, cursor: '0-0' }
        const taken = await provider.take(group, asked)
        if (taken === 'absent') return taken
        const { entries, nextDueMs, gone } = taken
        return [entries.map((one) => this.#shown(one)), nextDueMs ?? null, gone]
      }
      case 'keep': {
        const lost = await provider.keep(group, consumer, [entry])
        return lost.map((id) => this.#entry(id))
      }
      case 'done': {
        const mark = which % 2 === 0 ? { id: `${each.ids[0]}`, forMs: HOUR_MS } : undefined
        return provider.settle(group, consumer, { kind: 'done', entry, mark })
      }
      case 'retry':
        return provider.settle(group, consumer, { kind: 'retry', entry, afterMs: each.afterMs })
      case 'back':
        return provider.settle(group, consumer, { kind: 'back', entry })
      case 'leave':
        return (await provider.leave(group, consumer)) ?? null
      case 'dead': {
        const { keep } = each
        const letterOf = { entry, bytes: Buffer.from('d'), error: 'e', deliveries: 2, keep }
        return provider.settle(group, consumer, { kind: 'dead', ...letterOf })
      }
      case 'letters': {
        const letters = await provider.deadLetters(group, undefined, count)
        return letters.map((one) => [
          this.#index(this.#letters, one.letter),
          this.#entry(one.entry),
          one.error,
          one.deliveries,
          Buffer.from(one.bytes).toString(),
        ])
      }
      case 'replay': {
        const now = await provider.replay(group, letter)
        return now === undefined ? null : this.#entry(now)
      }
      case 'discard':
        return provider.discard(group, letter)
      case 'marked':
        return provider.marked(group, ['i', 'j', 'undefined'])
      default: {
        const { length, pending, waiting, deadLetters, consumers } = await provider.status(group)
        // A consumer that asks and gets nothing is known to Redis, and not to the model: it has nothing.
        return {
          length,
          pending,
          waiting,
          deadLetters,
          hasConsumers: pending === 0 || consumers > 0,
        }
      }
    }
  }

  #shown({ entry, bytes, deliveries, onlyFor }: StreamEntry): unknown {
    return [this.#entry(entry), Buffer.from(bytes).toString(), deliveries, onlyFor ?? null]
  }

  #entry(id: string): number {
    return this.#index(this.#entries, id)
  }

  #index(ids: string[], id: string): number {
    if (!ids.includes(id)) ids.push(id)
    return ids.indexOf(id)
  }
}
