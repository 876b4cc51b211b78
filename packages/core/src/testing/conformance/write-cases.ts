/** The conformance suite of providers of write queues: on the provider's own time. */

import assert from 'node:assert/strict'
import type { WriteProvider } from '../../contracts/write-provider.ts'
import { type ConformanceCase, PASSED } from './conformance-case.ts'
import { LETTER_CASES } from './letter-cases.ts'
import { VANISHED_CASES } from './vanished-cases.ts'
import {
  acknowledge,
  enqueue,
  HOUR_MS,
  holdOf,
  keysOf,
  put,
  QUEUE,
  shown,
  taken,
  textsOf,
  type WriteCase,
  writtenOf,
} from './write-steps.ts'

/** Two ends of one store; the same one twice where it is not shared. */
export interface WritesUnderTest {
  /** Not open yet; the suite opens and closes them. */
  readonly writes: readonly [WriteProvider, WriteProvider]
  /** Nobody else's. */
  readonly namespace: string
  /** Called after the providers were closed. */
  cleanup?(): void | Promise<void>
}

export type MakeWrites = () => WritesUnderTest | Promise<WritesUnderTest>

const CASES: readonly WriteCase[] = [
  [
    'has nothing at first',
    async ([writes]) => {
      const state = { writes: 0, keys: 0, deadLetters: 0, upTo: 0, oldestMs: 0 }
      assert.deepEqual(await writes.state(QUEUE, Number.MAX_SAFE_INTEGER), state)
      assert.deepEqual(await writes.waiting(QUEUE, ['a', 'b']), [undefined, undefined])
      assert.deepEqual(await writes.waiting(QUEUE, []), [])
      assert.deepEqual((await taken(writes, 'x')).writes, [])
      assert.equal(await writes.hurry(QUEUE, undefined), 0)
    },
  ],
  [
    'shows both ends what waits, and the last write of a key alone',
    async ([one, other]) => {
      const [first] = await put(one, { a: 'old' })
      const [second] = await put(other, { a: 'new' })
      assert.ok(second > first)
      for (const end of [one, other]) {
        const [waiting] = await end.waiting(QUEUE, ['a'])
        assert.deepEqual(shown(waiting), { kind: 'value', version: second, text: 'new' })
      }
      assert.equal((await one.state(QUEUE, second)).writes, 1)
    },
  ],
  [
    'takes any text for a key, and any bytes',
    async ([one, other]) => {
      const keys = ['a:b', '{x}', 'a\0b', 'ü☃', ' ', '1:a', 'm'.repeat(1_000)]
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
      const writes = keys.map((key) => ({ key, kind: 'value' as const, bytes }))
      await one.enqueue(QUEUE, { writes, delayMs: 0, most: 100, onDiskMs: 0 })
      const found = (await taken(other, 'x')).writes
      assert.deepEqual(found.map(({ key }) => key).sort(), keys.toSorted())
      for (const { parts } of found) assert.deepEqual([...(parts[0]?.bytes ?? [])], [...bytes])
    },
  ],
  [
    'keeps changes that are to be merged one behind the other, until a value takes their place',
    async ([writes]) => {
      await put(writes, { a: '+1' }, { kind: 'merge' })
      await put(writes, { a: '+2' }, { kind: 'merge' })
      assert.equal(shown((await writes.waiting(QUEUE, ['a']))[0])?.kind, 'several')
      assert.equal((await writes.state(QUEUE, 0)).writes, 2)
      const [first] = (await taken(writes, 'x')).writes
      assert.deepEqual(textsOf(first), ['+1', '+2'])
      await put(writes, { a: '7' })
      assert.equal((await writes.state(QUEUE, 0)).writes, 1)
      await put(writes, { a: '+3' }, { kind: 'merge' })
      const [second] = (await taken(writes, 'x')).writes
      assert.deepEqual(textsOf(second), ['7', '+3'])
    },
  ],
  [
    'gives the same changes again until they are acknowledged, and later ones afterwards',
    async ([writes]) => {
      await put(writes, { a: '+1' }, { kind: 'merge' })
      const first = await taken(writes, 'x')
      await put(writes, { a: '+2' }, { kind: 'merge' })
      const again = await taken(writes, 'x')
      assert.deepEqual(textsOf(again.writes[0]), ['+1'])
      assert.equal(again.writes[0]?.tries, 1)
      await acknowledge(writes, first)
      assert.deepEqual(textsOf((await taken(writes, 'x')).writes[0]), ['+2'])
    },
  ],
  [
    'gives a delete alone, and what is merged after it later',
    async ([writes]) => {
      await put(writes, { a: '' }, { kind: 'delete' })
      await put(writes, { a: '+1' }, { kind: 'merge' })
      const first = await taken(writes, 'x')
      assert.deepEqual(
        first.writes[0]?.parts.map(({ kind }) => kind),
        ['delete'],
      )
      await acknowledge(writes, first)
      assert.deepEqual(textsOf((await taken(writes, 'x')).writes[0]), ['+1'])
    },
  ],
  [
    'acknowledges by version: a write that came meanwhile stays',
    async ([one, other]) => {
      await put(one, { a: 'old', b: 'b' })
      const first = await taken(one, 'x')
      await put(other, { a: 'new' })
      await acknowledge(one, first)
      const second = await taken(one, 'x')
      assert.deepEqual(
        second.writes.map((write) => [write.key, ...textsOf(write)]),
        [['a', 'new']],
      )
      await acknowledge(one, first)
      assert.equal((await one.state(QUEUE, 0)).writes, 1)
      await acknowledge(one, second)
      assert.equal((await one.state(QUEUE, 0)).writes, 0)
      assert.equal((await one.state(QUEUE, 0)).keys, 0)
    },
  ],
  [
    'lets one process take at a time, and fences those before it out',
    async ([one, other]) => {
      await put(one, { a: '1' })
      const first = await taken(one, 'x', { holdMs: HOUR_MS })
      const refused = await other.take(QUEUE, { owner: 'y', holdMs: 1, most: 10 })
      assert.equal(refused.kind, 'held')
      if (refused.kind === 'held') assert.ok(refused.remainingMs > HOUR_MS / 2)
      const old = holdOf(first, 'x')
      assert.equal(await one.renew(QUEUE, old, HOUR_MS), 'done')
      await one.release(QUEUE, old)
      const second = await taken(other, 'y')
      assert.ok(second.fence > first.fence)
      const written = second.writes.map(writtenOf)
      assert.equal(await one.renew(QUEUE, old, 1), 'lost')
      assert.equal(await one.acknowledge(QUEUE, old, written), 'lost')
      assert.equal(await one.postpone(QUEUE, old, { keys: ['a'], delayMs: 1 }), 'lost')
      assert.equal((await one.state(QUEUE, 0)).writes, 1)
      await one.release(QUEUE, old)
      assert.equal(await other.acknowledge(QUEUE, holdOf(second, 'y'), written), 'done')
    },
  ],
  [
    'gives what is due, the longest first, and not more than was asked for',
    async ([writes]) => {
      await put(writes, { late: '1' }, { delayMs: HOUR_MS })
      const none = await taken(writes, 'x')
      assert.deepEqual(none.writes, [])
      assert.ok((none.nextMs ?? 0) > HOUR_MS / 2)
      await put(writes, { a: '1', b: '2', c: '3' })
      assert.equal((await taken(writes, 'x', { most: 2 })).writes.length, 2)
      await put(writes, { late: '2' })
      assert.equal((await taken(writes, 'x')).writes.length, 4)
    },
  ],
  [
    'gives all of it in a hurry, or some keys, and again later what was postponed',
    async ([one, other]) => {
      await put(one, { a: '1', b: '2' }, { delayMs: HOUR_MS })
      await other.hurry(QUEUE, ['b', 'absent'])
      assert.deepEqual(keysOf(await taken(one, 'x')), ['b'])
      const version = await other.hurry(QUEUE, undefined)
      assert.equal((await one.state(QUEUE, version)).upTo, 2)
      const all = await taken(one, 'x')
      assert.deepEqual(keysOf(all), ['a', 'b'])
      await one.postpone(QUEUE, holdOf(all, 'x'), { keys: ['a'], delayMs: HOUR_MS })
      const rest = await taken(one, 'x')
      assert.deepEqual(keysOf(rest), ['b'])
      await acknowledge(one, rest)
      assert.equal((await one.state(QUEUE, version)).upTo, 1)
    },
  ],
  [
    'takes no more writes than may wait, but those that take the place of others',
    async ([one, other]) => {
      await put(one, { a: '1', b: '2' }, { most: 2 })
      assert.deepEqual(await enqueue(other, { c: '3' }, { most: 2 }), {
        kind: 'full',
        waiting: 2,
      })
      assert.deepEqual(await enqueue(other, { a: '2', c: '3' }, { most: 2 }), {
        kind: 'full',
        waiting: 2,
      })
      assert.equal((await enqueue(other, { a: '3' }, { most: 2 })).kind, 'queued')
      assert.equal((await enqueue(other, { a: '' }, { kind: 'merge', most: 2 })).kind, 'full')
      assert.equal((await one.state(QUEUE, 0)).writes, 2)
    },
  ],
  ...LETTER_CASES,
  ...VANISHED_CASES,
  [
    'keeps queues apart',
    async ([one, other]) => {
      await put(one, { a: '1' })
      assert.deepEqual(await other.waiting('progress', ['a']), [undefined])
      const reply = await other.take('progress', { owner: 'y', holdMs: 1_000, most: 10 })
      assert.equal(reply.kind, 'taken')
    },
  ],
]

/** The cases of a provider of write queues. */
export function writeCases(make: MakeWrites): readonly ConformanceCase[] {
  return CASES.map(([name, run]) => ({
    name,
    async run() {
      const { writes, namespace, cleanup } = await make()
      try {
        for (const end of writes) end.open(namespace)
        await run(writes)
      } finally {
        for (const end of writes) await end.close()
        await cleanup?.()
      }
      return PASSED
    },
  }))
}
