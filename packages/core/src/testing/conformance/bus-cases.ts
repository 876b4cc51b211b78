/** The conformance suite of buses. */

import assert from 'node:assert/strict'
import type { Bus, BusMessage } from '../../contracts/bus.ts'
import { BusRecorder } from './bus-recorder.ts'
import { type ConformanceCase, PASSED, skippedFor } from './conformance-case.ts'
import { eventually, settled } from './patience.ts'

/** Two nodes' ends of one bus. */
export interface BusesUnderTest {
  /** Not subscribed yet; each with a connection of its own. The suite subscribes and closes them. */
  readonly buses: readonly [Bus, Bus]
  /** Nobody else's; the suite also uses it with `-b` at its end. */
  readonly namespace: string
  /** Sends a message in a namespace, for buses whose store publishes. @default the first bus' `publish`, in its own namespace */
  publish?(namespace: string, message: BusMessage): Promise<void>
  /** Sends something that is not a message. */
  publishGarbage?(namespace: string): Promise<void>
  /** An end of a bus whose other side is away. */
  unreachable?(): Bus
  /** Called after the buses were closed. */
  cleanup?(): void | Promise<void>
}

export type MakeBuses = () => BusesUnderTest | Promise<BusesUnderTest>

interface BusCase {
  readonly name: string
  readonly needs?: keyof BusesUnderTest
  run(underTest: BusesUnderTest): Promise<void>
}

const MESSAGES: readonly BusMessage[] = [
  { kind: 'keys', partition: 0, previous: 1, seq: 2, keys: ['c:one'] },
  {
    kind: 'keys',
    partition: 63,
    previous: 2 ** 53 - 2,
    seq: 2 ** 53 - 1,
    keys: Array.from({ length: 500 }, (_, i) => `c:ü ☃ ${i}`),
  },
  { kind: 'tags', previous: 1, version: 1_900_000_000_000_001, floor: 1, tags: ['@c', '*', 'ü'] },
  { kind: 'tags', previous: 2, version: 3, floor: 3, tags: [] },
  { kind: 'wake', key: 'c:{odd}\n"key"' },
  { kind: 'doubt', keys: ['c:one', 'c:ü'], tags: ['@c', '%63'], isRepeated: false },
  { kind: 'doubt', keys: [], tags: ['\\~t', '\\~@c', '\\~*'], isRepeated: true },
  { kind: 'doubt', keys: ['c:one'], tags: [], soft: true, isRepeated: false },
  { kind: 'doubt', keys: ['c:one'], tags: [], isRepeated: true, sender: 2 ** 47 },
]

const CASES: readonly BusCase[] = [
  {
    name: 'delivers every message, unchanged and in order, to every node and to its sender',
    async run(underTest) {
      const recorders = [
        await subscribe(underTest.buses[0], underTest.namespace),
        await subscribe(underTest.buses[1], underTest.namespace),
      ]
      for (const message of MESSAGES) await publish(underTest, underTest.namespace, message)
      for (const recorder of recorders) {
        await eventually(
          'all messages are there',
          () => recorder.messages.length >= MESSAGES.length,
        )
        assert.deepEqual(recorder.messages, MESSAGES)
        assert.equal(recorder.garbage, 0)
      }
    },
  },
  {
    name: 'sends every message by itself, where it can, and says when it cannot',
    async run({ buses, namespace, unreachable }) {
      const [from, to] = buses
      if (from.publish === undefined) return
      const recorder = await subscribe(to, namespace)
      await subscribe(from, namespace)
      for (const message of MESSAGES) await from.publish(message)
      await eventually('all are there', () => recorder.messages.length >= MESSAGES.length)
      assert.deepEqual(recorder.messages, MESSAGES)
      const away = unreachable?.()
      away?.subscribe(namespace, new BusRecorder())
      const sent = away?.publish?.({ kind: 'wake', key: 'c:one' })
      if (sent !== undefined) await assert.rejects(settled('the bus refuses', sent))
      await away?.close()
    },
  },
  {
    name: 'delivers the messages of its namespace only, also when one begins with the other',
    needs: 'publish',
    async run(underTest) {
      const { buses, namespace } = underTest
      const ours = await subscribe(buses[0], namespace)
      const theirs = await subscribe(buses[1], `${namespace}-b`)
      await publish(underTest, namespace, { kind: 'wake', key: 'ours' })
      await publish(underTest, `${namespace}-b`, { kind: 'wake', key: 'theirs' })
      await eventually('both are there', () => ours.wasWoken('ours') && theirs.wasWoken('theirs'))
      assert.deepEqual([ours.messages.length, theirs.messages.length], [1, 1])
    },
  },
  {
    name: 'delivers nothing after closing, and closes twice without complaint',
    async run(underTest) {
      const { buses, namespace } = underTest
      const closed = await subscribe(buses[1], namespace)
      const open = await subscribe(buses[0], namespace)
      await settled('the bus closes', buses[1].close())
      await publish(underTest, namespace, { kind: 'wake', key: 'late' })
      await eventually('the other is told', () => open.wasWoken('late'))
      assert.equal(closed.messages.length, 0)
      await settled('the bus closes again', buses[1].close())
    },
  },
  {
    name: 'closes without ever having been subscribed, and right after subscribing',
    async run({ buses, namespace }) {
      await settled('the bus closes', buses[0].close())
      buses[1].subscribe(namespace, new BusRecorder())
      await settled('the other bus closes', buses[1].close())
    },
  },
  {
    name: 'reports what is not a message, and goes on',
    needs: 'publishGarbage',
    async run(underTest) {
      const { buses, namespace, publishGarbage } = underTest
      const recorder = await subscribe(buses[0], namespace)
      await publishGarbage?.(namespace)
      await publish(underTest, namespace, { kind: 'wake', key: 'after' })
      await eventually('the next message is there', () => recorder.wasWoken('after'))
      assert.equal(recorder.messages.length, 1)
      assert.equal(recorder.garbage, 1)
    },
  },
  {
    name: 'neither throws nor reports itself up while the other side is away',
    needs: 'unreachable',
    async run({ unreachable, namespace }) {
      const bus = unreachable?.()
      assert(bus !== undefined)
      const recorder = new BusRecorder()
      bus.subscribe(namespace, recorder)
      await new Promise((resolve) => setTimeout(resolve, 100))
      assert.equal(recorder.ups, 0)
      await settled('the bus closes', bus.close())
    },
  },
]

/**
 * Returns the cases a bus must pass; those that need more than was handed in report themselves as skipped.
 *
 * @param makeBuses is called once per case.
 */
export function busCases(makeBuses: MakeBuses): readonly ConformanceCase[] {
  return CASES.map((busCase) => ({
    name: busCase.name,
    async run() {
      const underTest = await makeBuses()
      try {
        const { needs } = busCase
        if (needs !== undefined && underTest[needs] === undefined) {
          return skippedFor(`the buses under test came without '${needs}'`)
        }
        await busCase.run(underTest)
        return PASSED
      } finally {
        for (const bus of underTest.buses) await bus.close()
        await underTest.cleanup?.()
      }
    },
  }))
}

async function subscribe(bus: Bus, namespace: string): Promise<BusRecorder> {
  const recorder = new BusRecorder()
  bus.subscribe(namespace, recorder)
  await eventually('the subscription stands', () => recorder.ups > 0)
  return recorder
}

async function publish(
  underTest: BusesUnderTest,
  namespace: string,
  message: BusMessage,
): Promise<void> {
  if (underTest.publish !== undefined) return underTest.publish(namespace, message)
  const [bus] = underTest.buses
  assert(bus.publish !== undefined, `${bus.name} cannot publish; hand in a publish function`)
  await bus.publish(message)
}
