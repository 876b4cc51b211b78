/** The conformance suite of stream providers: on the provider's own time. */

import assert from 'node:assert/strict'
import type { StreamProvider } from '../../contracts/stream-provider.ts'
import { type ConformanceCase, PASSED } from './conformance-case.ts'
import { SETTLEMENT_CASES } from './settlement-cases.ts'
import {
  add,
  bytesOf,
  entriesOf,
  GROUP,
  RULE,
  read,
  type StreamCase,
  takeBy,
  texts,
} from './stream-steps.ts'

/** Two ends of one store; the same one twice where it is not shared. */
export interface StreamsUnderTest {
  /** Not open yet; the suite opens and closes them. */
  readonly streams: readonly [StreamProvider, StreamProvider]
  /** Nobody else's. */
  readonly namespace: string
  /** Called after the providers were closed. */
  cleanup?(): void | Promise<void>
}

export type MakeStreams = () => StreamsUnderTest | Promise<StreamsUnderTest>

const CASES: readonly StreamCase[] = [
  [
    'delivers each entry once to a group, in order, and all of them to each group',
    async ([one, other]) => {
      assert.equal(await one.makeGroup(GROUP, 'start'), true)
      assert.equal(await other.makeGroup(GROUP, 'start'), false)
      await other.makeGroup({ stream: 's', group: 'h' }, 'start')
      await add(one, 'a', 'b', 'c')
      const first = await read(one, GROUP, 'x', 2)
      const second = await read(other, GROUP, 'y', 2)
      assert.deepEqual(texts([...first, ...second]), ['a', 'b', 'c'])
      assert.deepEqual(
        [...first, ...second].map(({ deliveries }) => deliveries),
        [1, 1, 1],
      )
      assert.deepEqual(texts(await read(one, { stream: 's', group: 'h' }, 'x', 9)), ['a', 'b', 'c'])
      assert.deepEqual(await read(one, GROUP, 'x', 9), [])
    },
  ],
  [
    'begins a group at the first entry or now',
    async ([one, other]) => {
      await add(one, 'a')
      await one.makeGroup(GROUP, 'new')
      await other.makeGroup({ stream: 's', group: 'h' }, 'start')
      await add(other, 'b')
      assert.deepEqual(texts(await read(one, GROUP, 'x', 9)), ['b'])
      assert.deepEqual(texts(await read(one, { stream: 's', group: 'h' }, 'x', 9)), ['a', 'b'])
    },
  ],
  [
    'says that there is no such group',
    async ([one, other]) => {
      assert.equal(await one.take(GROUP, takeBy('x')), 'absent')
      await add(one, 'a')
      assert.equal(await other.take(GROUP, takeBy('x')), 'absent')
      assert.deepEqual(await one.keep(GROUP, 'x', ['1-0']), ['1-0'])
      assert.equal(await one.settle(GROUP, 'x', { kind: 'done', entry: '1-0' }), false)
      assert.equal(await one.settle(GROUP, 'x', { kind: 'retry', entry: '1-0', afterMs: 1 }), false)
      assert.equal(await one.forget(GROUP, { silentMs: 0 }), 0)
      const reader = one.reader('s')
      assert.equal(await reader.read(GROUP, { consumer: 'x', count: 1, waitMs: 1 }), 'absent')
      await reader.close()
    },
  ],
  [
    'wakes a reader that waits when an entry is added',
    async ([one, other]) => {
      await one.makeGroup(GROUP, 'start')
      const reader = one.reader('s')
      const found = reader.read(GROUP, { consumer: 'x', count: 9, waitMs: 60_000 })
      await add(other, 'a')
      assert.deepEqual(texts(entriesOf(await found)), ['a'])
      await reader.close()
    },
  ],
  [
    'adds a message once for an id',
    async ([one, other]) => {
      await one.makeGroup(GROUP, 'start')
      const [first] = await one.add(RULE, [{ id: 'i', bytes: bytesOf('a') }])
      const again = await other.add(RULE, [
        { id: 'i', bytes: bytesOf('a') },
        { id: 'j', bytes: bytesOf('b') },
        { id: 'j', bytes: bytesOf('b') },
        { id: undefined, bytes: bytesOf('c') },
      ])
      assert.equal(first?.isNew, true)
      assert.deepEqual(again[0], { entry: first?.entry, isNew: false })
      assert.deepEqual(
        again.map(({ isNew }) => isNew),
        [false, true, false, true],
      )
      assert.equal(again[1]?.entry, again[2]?.entry)
      assert.deepEqual(texts(await read(one, GROUP, 'x', 9)), ['a', 'b', 'c'])
    },
  ],
]

/**
 * Lists what every stream provider must do, each on providers of its own.
 *
 * @example
 * runCases(streamCases(() => ({ streams: [make(), make()], namespace: 'test' })), { test })
 */
export function streamCases(make: MakeStreams): readonly ConformanceCase[] {
  return [...CASES, ...SETTLEMENT_CASES].map(([name, run]) => ({
    name,
    async run() {
      const { streams, namespace, cleanup } = await make()
      try {
        for (const end of streams) end.open(namespace)
        await run(streams)
        return PASSED
      } finally {
        await Promise.all(streams.map((end) => end.close()))
        await cleanup?.()
      }
    },
  }))
}
