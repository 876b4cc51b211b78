/** The conformance suite of topic providers. */

import assert from 'node:assert/strict'
import type { TopicListener, TopicProvider, TopicTarget } from '../../contracts/topic-provider.ts'
import { type ConformanceCase, PASSED } from './conformance-case.ts'

/** Two ends of one store; the same one twice where it is not shared. */
export interface TopicsUnderTest {
  /** Not open yet; the suite opens and closes them. */
  readonly topics: readonly [TopicProvider, TopicProvider]
  /** Nobody else's. */
  readonly namespace: string
  /** Called after the providers were closed. */
  cleanup?(): void | Promise<void>
}

export type MakeTopics = () => TopicsUnderTest | Promise<TopicsUnderTest>

type TopicCase = readonly [
  name: string,
  run: (ends: readonly [TopicProvider, TopicProvider]) => Promise<void>,
]

const PATIENCE_MS = 10_000

const CASES: readonly TopicCase[] = [
  [
    'hands a message to all who listen, in order and once',
    async ([one, other]) => {
      const heard = [await hear(one, 'a'), await hear(other, 'a'), await hear(other, 'a')]
      for (let i = 0; i < 20; i++) await one.publish(named('a'), Buffer.from(`${i}`))
      const all = Array.from({ length: 20 }, (_, i) => `a ${i}`)
      for (const each of heard) assert.deepEqual(await each.until(20), all)
    },
  ],
  [
    'takes any bytes, and none',
    async ([one, other]) => {
      const heard = await hear(other, 'a')
      const bytes = Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i))
      await one.publish(named('a'), bytes)
      await one.publish(named('a'), Buffer.alloc(0))
      await heard.until(2)
      assert.ok(Buffer.from(heard.payloads[0] ?? []).equals(bytes))
      assert.equal(heard.payloads[1]?.length, 0)
    },
  ],
  [
    'keeps topics apart',
    async ([one, other]) => {
      const heard = await hear(other, 'a')
      for (const name of ['b', 'a.b', 'A', 'aa', 'a'])
        await one.publish(named(name), Buffer.from('x'))
      assert.deepEqual(await heard.until(1), ['a x'])
    },
  ],
  [
    'takes an asterisk of a pattern for one segment',
    async ([one, other]) => {
      const heard = await hear(other, 'a.*.c', true)
      const names = ['a.c', 'a.b', 'a.b.c', 'a.b.b.c', 'a.b.c.d', 'xa.b.c', 'a.x-y_z.c']
      for (const name of names) await one.publish(named(name), Buffer.from('x'))
      // Two topics: there is no order between them.
      assert.deepEqual([...(await heard.until(2))].sort(), ['a.b.c x', 'a.x-y_z.c x'])
    },
  ],
  [
    'hands a message over by name and by pattern, once each',
    async ([one, other]) => {
      const byName = await hear(other, 'a.b')
      const byPattern = await hear(other, 'a.*', true)
      await one.publish(named('a.b'), Buffer.from('1'))
      await one.publish(named('a.b'), Buffer.from('2'))
      assert.deepEqual(await byName.until(2), ['a.b 1', 'a.b 2'])
      assert.deepEqual(await byPattern.until(2), ['a.b 1', 'a.b 2'])
    },
  ],
  [
    'hands nothing to who has ended, and goes on for the others',
    async ([one, other]) => {
      const ended = await hear(other, 'a')
      const goesOn = await hear(other, 'a')
      ended.end()
      ended.end()
      await one.publish(named('a'), Buffer.from('1'))
      assert.deepEqual(await goesOn.until(1), ['a 1'])
      assert.deepEqual(ended.texts, [])
      goesOn.end()
      const anew = await hear(other, 'a')
      await one.publish(named('a'), Buffer.from('2'))
      assert.deepEqual(await anew.until(1), ['a 2'])
      assert.deepEqual(goesOn.texts, ['a 1'])
    },
  ],
  [
    'hands on what is published by shard',
    async ([one, other]) => {
      const heard = await hear(other, 'a', false, true)
      for (let i = 0; i < 3; i++)
        await one.publish({ ...named('a'), isSharded: true }, Buffer.from(`${i}`))
      assert.deepEqual(await heard.until(3), ['a 0', 'a 1', 'a 2'])
    },
  ],
]

interface Heard {
  /** Name and text of each message. */
  readonly texts: string[]
  readonly payloads: Uint8Array[]
  /** The texts, once there are so many. */
  until(count: number): Promise<readonly string[]>
  end(): void
}

/** Listens, and waits until messages arrive. */
async function hear(
  end: TopicProvider,
  name: string,
  isPattern = false,
  isSharded = false,
): Promise<Heard> {
  const texts: string[] = []
  const payloads: Uint8Array[] = []
  let wake: () => void = () => undefined
  let isUp = false
  const listener: TopicListener = {
    onMessage(topic, payload) {
      payloads.push(payload)
      texts.push(`${topic} ${Buffer.from(payload).toString()}`)
      wake()
    },
    onUp() {
      isUp = true
      wake()
    },
    onDown: () => undefined,
  }
  const stop = end.listen({ name, isPattern, isSharded }, listener)
  const until = async (isSo: () => boolean): Promise<void> => {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    while (!isSo()) {
      assert.ok(!signal.aborted, `${name} was not heard in time`)
      await new Promise<void>((resolve) => {
        wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }
  await until(() => isUp)
  return {
    texts,
    payloads,
    end: stop,
    async until(count) {
      await until(() => texts.length >= count)
      return texts
    },
  }
}

function named(name: string): TopicTarget {
  return { name, isPattern: false, isSharded: false }
}

/**
 * Lists what every topic provider must do, each on providers of its own.
 *
 * @example
 * runCases(topicCases(() => ({ topics: [make(), make()], namespace: 'test' })), { test })
 */
export function topicCases(make: MakeTopics): readonly ConformanceCase[] {
  return CASES.map(([name, run]) => ({
    name,
    async run() {
      const { topics, namespace, cleanup } = await make()
      try {
        for (const end of topics) end.open(namespace)
        await run(topics)
        return PASSED
      } finally {
        await Promise.all(topics.map((end) => end.close()))
        await cleanup?.()
      }
    },
  }))
}
