/** The conformance suite of event-store providers. */

import assert from 'node:assert/strict'
import type { EventRange, EventStoreProvider } from '../../contracts/event-store-provider.ts'
import { type ConformanceCase, PASSED } from './conformance-case.ts'
import { ALL, add, BARE, type EventStoreCase, LOG, PLACE, text } from './event-steps.ts'
import { PROJECTION_CASES } from './projection-cases.ts'

/** Two ends of one store; the same one twice where it is not shared. */
export interface EventStoresUnderTest {
  /** Not open yet; the suite opens and closes them. */
  readonly stores: readonly [EventStoreProvider, EventStoreProvider]
  /** Nobody else's. */
  readonly namespace: string
  /** Called after the providers were closed. */
  cleanup?(): void | Promise<void>
}

export type MakeEventStores = () => EventStoresUnderTest | Promise<EventStoresUnderTest>

const CASES: readonly EventStoreCase[] = [
  [
    'keeps how many partitions a store has',
    async ([one, other]) => {
      assert.equal(await one.partitions('accounts', 4), 4)
      assert.equal(await other.partitions('accounts', 8), 4)
      assert.equal(await other.partitions('orders', 8), 8)
    },
  ],
  [
    'gives versions without a gap, also when both ends append',
    async ([one, other]) => {
      assert.deepEqual(await add(one, 'a', ['1', '2']), { outcome: 'appended', version: 2 })
      assert.deepEqual(await add(other, 'a', ['3']), { outcome: 'appended', version: 3 })
      const events = await one.read(PLACE, 'a', ALL)
      assert.deepEqual(
        events.map(({ version, position, bytes, schema }) => [
          version,
          position,
          text(bytes),
          schema,
        ]),
        [
          [1, 1, '1', 7],
          [2, 2, '2', 7],
          [3, 3, '3', 7],
        ],
      )
      assert.ok(events.every(({ at }) => at > 0))
    },
  ],
  [
    'appends only at the version that is expected',
    async ([one, other]) => {
      const conflict = { outcome: 'conflict', version: 0 }
      assert.deepEqual(await add(one, 'a', ['x'], { expected: 'exists' }), conflict)
      assert.deepEqual(await add(one, 'a', ['x'], { expected: 1 }), conflict)
      assert.equal((await add(one, 'a', ['1'], { expected: 'none' })).version, 1)
      assert.deepEqual(await add(other, 'a', ['x'], { expected: 'none' }), {
        outcome: 'conflict',
        version: 1,
      })
      assert.equal((await add(other, 'a', ['x'], { expected: 0 })).outcome, 'conflict')
      assert.equal((await add(other, 'a', ['2'], { expected: 1 })).version, 2)
      assert.equal((await add(other, 'a', ['3'], { expected: 'exists' })).version, 3)
      assert.equal(
        (await one.read(PLACE, 'a', ALL)).map(({ bytes }) => text(bytes)).join(''),
        '123',
      )
    },
  ],
  [
    'lets one of many win a version',
    async (ends) => {
      const tries = Array.from({ length: 50 }, (_, i) =>
        add(ends[i % 2 === 0 ? 0 : 1], 'a', [`${i}`], { expected: 'none' }),
      )
      const won = (await Promise.all(tries)).filter(({ outcome }) => outcome === 'appended')
      assert.equal(won.length, 1)
      assert.equal((await ends[0].read(PLACE, 'a', ALL)).length, 1)
    },
  ],
  [
    'answers an append of the same id as the first time, and adds nothing',
    async ([one, other]) => {
      await add(one, 'a', ['1', '2'], { id: 'i', expected: 'none' })
      await add(one, 'a', ['3'])
      const again = await add(other, 'a', ['1', '2'], { id: 'i', expected: 'none' })
      assert.deepEqual(again, { outcome: 'duplicate', version: 2 })
      assert.equal((await add(other, 'b', ['1'], { id: 'i' })).outcome, 'appended')
      assert.equal((await one.read(PLACE, 'a', ALL)).length, 3)
      // What was refused is not remembered.
      await add(one, 'c', ['x'], { id: 'j', expected: 5 })
      assert.equal((await add(one, 'c', ['1'], { id: 'j' })).outcome, 'appended')
    },
  ],
  [
    'compares the version where there is nothing to append',
    async ([one]) => {
      assert.deepEqual(await add(one, 'a', []), { outcome: 'appended', version: 0 })
      assert.equal((await add(one, 'a', [], { expected: 'exists' })).outcome, 'conflict')
      assert.deepEqual(await one.read(PLACE, 'a', ALL), [])
    },
  ],
  [
    'reads parts of a stream, in both directions',
    async ([one]) => {
      await add(
        one,
        'a',
        Array.from({ length: 40 }, (_, i) => `${i + 1}`),
      )
      const versions = async (range: Partial<EventRange>) =>
        (await one.read(PLACE, 'a', { ...ALL, ...range })).map(({ version }) => version)
      assert.deepEqual(await versions({ from: 3, to: 5 }), [3, 4, 5])
      assert.deepEqual(await versions({ from: 39 }), [39, 40])
      assert.deepEqual(await versions({ from: 41 }), [])
      assert.deepEqual(await versions({ from: 5, to: 3 }), [])
      assert.deepEqual(await versions({ count: 2 }), [1, 2])
      assert.deepEqual(await versions({ isBackwards: true, count: 2 }), [40, 39])
      assert.deepEqual(await versions({ isBackwards: true, from: 3, to: 5 }), [5, 4, 3])
      assert.equal((await versions({})).length, 40)
      assert.deepEqual(await versions({ from: 2, bytes: 1 }), [2])
    },
  ],
  [
    'keeps the order of all streams of a partition',
    async ([one, other]) => {
      await add(one, 'a', ['1'])
      await add(other, 'b', ['2', '3'])
      await add(one, 'a', ['4'])
      const page = await other.readLog(PLACE, LOG)
      assert.deepEqual(
        page.events.map(({ stream, version, position, bytes }) => [
          stream,
          version,
          position,
          text(bytes),
        ]),
        [
          ['a', 1, 1, '1'],
          ['b', 1, 2, '2'],
          ['b', 2, 3, '3'],
          ['a', 2, 4, '4'],
        ],
      )
      assert.deepEqual([page.until, page.last], [4, 4])
      const rest = await one.readLog(PLACE, { ...LOG, after: 2, count: 1 })
      assert.deepEqual([rest.events.length, rest.until, rest.last], [1, 3, 4])
      const end = await one.readLog(PLACE, { ...LOG, after: 4 })
      assert.deepEqual(end, { events: [], until: 4, mark: '', isContinued: true, last: 4 })
      const few = await one.readLog(PLACE, { ...LOG, bytes: 1 })
      assert.deepEqual([few.events.length, few.until], [1, 1])
    },
  ],
  [
    'keeps partitions and stores apart',
    async ([one]) => {
      await add(one, 'a', ['1'])
      for (const place of [
        { store: 'accounts', partition: 1 },
        { store: 'orders', partition: 0 },
      ]) {
        assert.deepEqual(await one.read(place, 'a', ALL), [])
        assert.equal((await one.readLog(place, LOG)).last, 0)
      }
    },
  ],
  [
    'takes any text for the name of a stream, and any bytes',
    async ([one, other]) => {
      const names = ['a:b', '{x}', '}:log', 'a\0b', 'ü☃', ' ', '"', '\r\n', '*', 's'.repeat(1_000)]
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
      for (const stream of names)
        await one.append(PLACE, { ...BARE, stream, events: [{ schema: 1, bytes }] })
      const { events } = await other.readLog(PLACE, LOG)
      assert.deepEqual(
        events.map(({ stream }) => stream),
        names,
      )
      assert.ok(events.every((event) => Buffer.from(event.bytes).equals(bytes)))
    },
  ],
  ...PROJECTION_CASES,
]

/**
 * Lists what every event-store provider must do, each on providers of its own.
 *
 * @example
 * runCases(eventStoreCases(() => ({ stores: [make(), make()], namespace: 'test' })), { test })
 */
export function eventStoreCases(make: MakeEventStores): readonly ConformanceCase[] {
  return CASES.map(([name, run]) => ({
    name,
    async run() {
      const { stores, namespace, cleanup } = await make()
      try {
        for (const end of stores) end.open(namespace)
        await run(stores)
        return PASSED
      } finally {
        await Promise.all(stores.map((end) => end.close()))
        await cleanup?.()
      }
    },
  }))
}
