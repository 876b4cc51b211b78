/** What every provider of write queues must do with dead letters. */

import assert from 'node:assert/strict'
import {
  acknowledge,
  holdOf,
  put,
  QUEUE,
  taken,
  textsOf,
  type WriteCase,
  writtenOf,
} from './write-steps.ts'

export const LETTER_CASES: readonly WriteCase[] = [
  [
    'keeps a dead letter with its error, and gives it back to the queue as the newest write of its key',
    async ([one, other]) => {
      await put(one, { a: 'bad' })
      const first = await taken(one, 'x')
      const [write] = first.writes
      assert.ok(write !== undefined)
      const letter = { ...writtenOf(write), id: 'l1', error: 'ü is no number', most: 10 }
      assert.equal(await one.bury(QUEUE, holdOf(first, 'x'), letter), 'buried')
      assert.deepEqual(await one.waiting(QUEUE, ['a']), [undefined])
      const [buried, ...more] = await other.buried(QUEUE, 0, 10)
      assert.equal(more.length, 0)
      assert.deepEqual(
        { ...buried, parts: textsOf(buried), buriedAt: 0 },
        {
          id: 'l1',
          key: 'a',
          error: 'ü is no number',
          buriedAt: 0,
          tries: 1,
          isOutdated: false,
          parts: ['bad'],
        },
      )
      const replayed = await other.replay(QUEUE, 'l1', false)
      assert.equal(replayed.kind, 'replayed')
      if (replayed.kind === 'replayed') assert.ok(replayed.version > letter.version)
      assert.deepEqual(await other.replay(QUEUE, 'l1', false), { kind: 'absent' })
      assert.deepEqual(textsOf((await taken(one, 'x')).writes[0]), ['bad'])
    },
  ],
  [
    'does not replay what a newer write has outdated, unless it is forced to',
    async ([one, other]) => {
      await put(one, { a: 'bad' })
      const first = await taken(one, 'x')
      const [write] = first.writes
      assert.ok(write !== undefined)
      const letter = { ...writtenOf(write), id: 'l1', error: '', most: 10 }
      await one.bury(QUEUE, holdOf(first, 'x'), letter)
      await put(other, { a: 'good' })
      const second = await taken(one, 'x')
      await acknowledge(one, second)
      assert.equal((await other.buried(QUEUE, 0, 1))[0]?.isOutdated, true)
      assert.deepEqual(await one.replay(QUEUE, 'l1', false), { kind: 'outdated' })
      assert.equal((await one.replay(QUEUE, 'l1', true)).kind, 'replayed')
      assert.deepEqual(textsOf((await taken(one, 'x')).writes[0]), ['bad'])
    },
  ],
  [
    'does not bury what a newer write has taken the place of, nor more than it may keep',
    async ([one, other]) => {
      await put(one, { a: '1', b: '2' })
      const first = await taken(one, 'x')
      const hold = holdOf(first, 'x')
      const [a, b] = first.writes
      assert.ok(a !== undefined && b !== undefined)
      await put(other, { a: 'newer' })
      const letter = { id: 'l1', error: '', most: 1 }
      assert.equal(await one.bury(QUEUE, hold, { ...writtenOf(a), ...letter }), 'newer')
      assert.equal(await one.bury(QUEUE, hold, { ...writtenOf(b), ...letter }), 'buried')
      const again = await taken(one, 'x')
      const [newer] = again.writes
      assert.ok(newer !== undefined)
      assert.equal(
        await one.bury(QUEUE, hold, { ...writtenOf(newer), ...letter, id: 'l2' }),
        'full',
      )
      await one.release(QUEUE, hold)
      assert.equal(
        await one.bury(QUEUE, hold, { ...writtenOf(newer), ...letter, id: 'l2' }),
        'lost',
      )
    },
  ],
  [
    'discards dead letters, and lists the oldest first',
    async ([one, other]) => {
      for (const id of ['l1', 'l2', 'l3']) {
        await put(one, { [id]: id })
        const reply = await taken(one, 'x')
        for (const write of reply.writes)
          await one.bury(QUEUE, holdOf(reply, 'x'), { ...writtenOf(write), id, error: '', most: 9 })
      }
      assert.equal((await one.state(QUEUE, 0)).deadLetters, 3)
      const ids = async (skip: number, take: number): Promise<string> =>
        (await other.buried(QUEUE, skip, take)).map(({ id }) => id).join()
      assert.equal(await ids(0, 10), 'l1,l2,l3')
      assert.equal(await ids(1, 1), 'l2')
      assert.equal(await ids(0, 0), '')
      assert.equal(await other.discard(QUEUE, 'l2'), true)
      assert.equal(await other.discard(QUEUE, 'l2'), false)
      assert.equal(await ids(0, 10), 'l1,l3')
    },
  ],
]
