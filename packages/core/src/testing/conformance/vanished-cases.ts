/** What a provider of write queues holds against a write whose holders vanish: it may be what ends them. */

import assert from 'node:assert/strict'
import type { WriteProvider } from '../../contracts/write-provider.ts'
import { holdOf, keysOf, put, QUEUE, type Taken, type WriteCase, writtenOf } from './write-steps.ts'

const SHORT_MS = 20

/** Takes as a process of its own, as soon as the hold of the one before is over. */
async function takenNext(writes: WriteProvider, owner: string, holdMs = 1): Promise<Taken> {
  for (;;) {
    const reply = await writes.take(QUEUE, { owner, holdMs, most: 1_000 })
    if (reply.kind === 'taken') return reply
  }
}

/** Writes the others until the bad one is given out alone; says how often it is held against it that a holder vanished. */
async function untilBad(writes: WriteProvider, owner: string): Promise<number> {
  for (;;) {
    const reply = await takenNext(writes, owner, SHORT_MS)
    const [first] = reply.writes
    if (first === undefined) continue
    if (first.key === 'bad') {
      assert.equal(reply.writes.length, 1)
      return first.vanished
    }
    await writes.acknowledge(QUEUE, holdOf(reply, owner), reply.writes.map(writtenOf))
  }
}

async function written(writes: WriteProvider, owner: string): Promise<Taken> {
  const reply = await takenNext(writes, owner, 60_000)
  const hold = holdOf(reply, owner)
  assert.equal(await writes.acknowledge(QUEUE, hold, reply.writes.map(writtenOf)), 'done')
  await writes.release(QUEUE, hold)
  return reply
}

export const VANISHED_CASES: readonly WriteCase[] = [
  [
    'gives a write alone after two processes vanished that had it with others, and the others then',
    async ([one, other]) => {
      await put(one, { a: '1', b: '2', c: '3' })
      assert.equal((await takenNext(one, 'p1')).writes.length, 3)
      assert.equal((await takenNext(other, 'p2')).writes.length, 3)
      const third = await takenNext(one, 'p3', 60_000)
      assert.deepEqual(
        third.writes.map(({ key, vanished }) => [key, vanished]),
        [['a', 0]],
      )
      await one.release(QUEUE, holdOf(third, 'p3'))
      const alone = [await written(one, 'p4'), await written(other, 'p5'), await written(one, 'p6')]
      assert.deepEqual(alone.map(keysOf), [['a'], ['b'], ['c']])
    },
  ],
  [
    'counts a process that vanishes with a write alone, while others are written, and lets those pass',
    async ([one]) => {
      await put(one, { bad: '1' })
      await takenNext(one, 'p1')
      await takenNext(one, 'p2')
      const counted: number[] = []
      for (let i = 0; i < 4; i++) {
        counted.push(await untilBad(one, `q${i}`))
        await put(one, { [`good${i}`]: '1' })
      }
      assert.deepEqual(counted, [0, 0, 1, 2])
      assert.equal((await one.state(QUEUE, 0)).keys, 2)
    },
  ],
  [
    'does not count where nothing else is written, nor where the hold was ended',
    async ([one]) => {
      await put(one, { bad: '1' })
      for (let i = 0; i < 5; i++) await untilBad(one, `p${i}`)
      assert.equal(await untilBad(one, 'last'), 0)
      await put(one, { bad: '2' })
      for (let i = 0; i < 5; i++) {
        const reply = await takenNext(one, `q${i}`, 60_000)
        assert.equal(reply.writes[0]?.vanished, 0)
        await one.release(QUEUE, holdOf(reply, `q${i}`))
      }
      await put(one, { b: '1' })
      assert.deepEqual(keysOf(await takenNext(one, 'z')), ['b', 'bad'])
    },
  ],
]
