/** Cases of stream providers: what becomes of entries that were delivered. */

import assert from 'node:assert/strict'
import {
  add,
  bytesOf,
  dead,
  GROUP,
  HOUR_MS,
  NOBODY,
  none,
  RULE,
  read,
  type StreamCase,
  takeBy,
  taken,
  texts,
} from './stream-steps.ts'

export const SETTLEMENT_CASES: readonly StreamCase[] = [
  [
    'gives entries of a silent consumer to another one, and counts the delivery',
    async ([one, other]) => {
      await one.makeGroup(GROUP, 'start')
      await add(one, 'a', 'b')
      await read(one, GROUP, 'x', 9)
      assert.deepEqual(taken(await other.take(GROUP, takeBy('y', { idleMs: NOBODY }))).entries, [])
      const { entries } = taken(await other.take(GROUP, takeBy('y', { count: 1 })))
      assert.deepEqual(texts(entries), ['a'])
      assert.equal(entries[0]?.deliveries, 2)
    },
  ],
  [
    'leaves entries alone that the consumer says it has',
    async ([one]) => {
      await one.makeGroup(GROUP, 'start')
      await add(one, 'a', 'b')
      const [first] = await read(one, GROUP, 'x', 9)
      const held = [first?.entry ?? '']
      assert.deepEqual(texts(taken(await one.take(GROUP, takeBy('x', { held }))).entries), ['b'])
    },
  ],
  [
    'keeps what is its own, and says what no longer is',
    async ([one, other]) => {
      await one.makeGroup(GROUP, 'start')
      await add(one, 'a', 'b')
      const [first, second] = (await read(one, GROUP, 'x', 9)).map(({ entry }) => entry)
      assert.ok(first !== undefined && second !== undefined)
      await other.take(GROUP, takeBy('y', { count: 1 }))
      assert.deepEqual(await one.keep(GROUP, 'x', [first, second]), [first])
      const [again] = taken(await one.take(GROUP, takeBy('z', { count: 1 }))).entries
      assert.equal(again?.deliveries, 3)
    },
  ],
  [
    'acknowledges an entry once, also by one that no longer has it',
    async ([one, other]) => {
      await one.makeGroup(GROUP, 'start')
      await add(one, 'a')
      const [{ entry } = none()] = await read(one, GROUP, 'x', 1)
      await other.take(GROUP, takeBy('y'))
      assert.equal(await one.settle(GROUP, 'x', { kind: 'done', entry }), true)
      assert.equal(await other.settle(GROUP, 'y', { kind: 'done', entry }), false)
      assert.equal((await one.status(GROUP)).pending, 0)
      assert.deepEqual(taken(await one.take(GROUP, takeBy('x'))).entries, [])
    },
  ],
  [
    'lets an entry be due again later, to anybody',
    async ([one, other]) => {
      await one.makeGroup(GROUP, 'start')
      await add(one, 'a', 'b')
      const [a, b] = await read(one, GROUP, 'x', 9)
      const soon = { kind: 'retry', entry: a?.entry ?? '', afterMs: 0 } as const
      const later = { kind: 'retry', entry: b?.entry ?? '', afterMs: HOUR_MS } as const
      assert.equal(await one.settle(GROUP, 'x', soon), true)
      assert.equal(await one.settle(GROUP, 'x', later), true)
      assert.equal((await one.status(GROUP)).waiting, 2)
      const { entries, nextDueMs } = taken(await other.take(GROUP, takeBy('y')))
      assert.deepEqual(texts(entries), ['a'])
      assert.equal(entries[0]?.deliveries, 2)
      assert.ok((nextDueMs ?? 0) > HOUR_MS / 2 && (nextDueMs ?? 0) <= HOUR_MS)
    },
  ],
  [
    'does not count a delivery that is handed back',
    async ([one, other]) => {
      await one.makeGroup(GROUP, 'start')
      await add(one, 'a')
      const [{ entry } = none()] = await read(one, GROUP, 'x', 1)
      assert.equal(await one.settle(GROUP, 'x', { kind: 'back', entry }), true)
      const back = taken(await other.take(GROUP, takeBy('y', { idleMs: NOBODY })))
      assert.deepEqual(texts(back.entries), ['a'])
      assert.equal(back.entries[0]?.deliveries, 1)
      assert.equal(back.nextDueMs, undefined)
    },
  ],
  [
    'hands back what a consumer has that leaves, once, and nothing of others',
    async ([one, other]) => {
      await one.makeGroup(GROUP, 'start')
      await add(one, 'a', 'b', 'c')
      const [{ entry: a } = none(), { entry: b } = none()] = await read(one, GROUP, 'x', 2)
      await read(other, GROUP, 'y', 1)
      await one.settle(GROUP, 'x', { kind: 'back', entry: a })
      await one.settle(GROUP, 'x', { kind: 'retry', entry: b, afterMs: HOUR_MS })
      for (let i = 0; i < 2; i++) await one.leave(GROUP, 'x')
      assert.deepEqual(
        await one.status(GROUP).then(({ waiting, pending }) => [waiting, pending]),
        [2, 3],
      )
      const { entries } = taken(await other.take(GROUP, takeBy('y', { idleMs: NOBODY })))
      assert.deepEqual(texts(entries), ['a'])
      assert.equal(entries[0]?.deliveries, 1)
      await one.leave(GROUP, 'y')
      const left = taken(await one.take(GROUP, takeBy('z', { idleMs: NOBODY }))).entries
      assert.deepEqual(texts(left), ['a', 'c'])
      for (const { entry } of left) await one.settle(GROUP, 'z', { kind: 'done', entry })
      await one.leave(GROUP, 'z')
      await one.leave({ stream: 's', group: 'nobody' }, 'z')
    },
  ],
  [
    'changes nothing for a consumer that lost an entry',
    async ([one, other]) => {
      await one.makeGroup(GROUP, 'start')
      await add(one, 'a')
      const [{ entry } = none()] = await read(one, GROUP, 'x', 1)
      await other.take(GROUP, takeBy('y'))
      const retry = { kind: 'retry', entry, afterMs: 0 } as const
      assert.equal(await one.settle(GROUP, 'x', retry), false)
      assert.equal(await one.settle(GROUP, 'x', { kind: 'back', entry }), false)
      assert.equal(await one.settle(GROUP, 'x', dead(entry, 'a')), false)
      assert.equal((await one.status(GROUP)).waiting, 0)
      assert.equal(await other.settle(GROUP, 'y', dead(entry, 'a')), true)
      assert.equal(await other.settle(GROUP, 'y', dead(entry, 'a')), false)
      assert.equal((await one.deadLetters(GROUP, undefined, 9)).length, 1)
    },
  ],
  [
    'keeps dead letters, which can be listed, put back for their group, and removed',
    async ([one, other]) => {
      const h = { stream: 's', group: 'h' }
      await one.makeGroup(GROUP, 'start')
      await one.makeGroup(h, 'start')
      await add(one, 'a', 'b', 'c')
      await read(one, h, 'x', 9)
      for (const { entry, bytes } of await read(one, GROUP, 'x', 9))
        await one.settle(GROUP, 'x', dead(entry, Buffer.from(bytes).toString(), 2))
      const letters = await other.deadLetters(GROUP, undefined, 9)
      assert.deepEqual(texts(letters), ['b', 'c'])
      assert.deepEqual(
        letters.map(({ error, deliveries }) => [error, deliveries]),
        [
          ['why', 3],
          ['why', 3],
        ],
      )
      const [{ letter: b } = none(), { letter: c } = none()] = letters
      assert.deepEqual(texts(await one.deadLetters(GROUP, b, 9)), ['c'])
      assert.deepEqual(await one.deadLetters(h, undefined, 9), [])
      assert.equal(typeof (await other.replay(GROUP, b)), 'string')
      assert.equal(await one.replay(GROUP, b), undefined)
      assert.equal(await one.discard(GROUP, c), true)
      assert.equal(await one.discard(GROUP, c), false)
      const [back] = await read(one, GROUP, 'x', 9)
      assert.equal(back?.onlyFor, 'g')
      assert.equal(back?.deliveries, 1)
      assert.deepEqual(texts(back === undefined ? [] : [back]), ['b'])
    },
  ],
  [
    'marks what was handled',
    async ([one, other]) => {
      await one.makeGroup(GROUP, 'start')
      const mark = { id: 'i', forMs: HOUR_MS }
      await add(one, 'a')
      const [{ entry } = none()] = await read(one, GROUP, 'x', 1)
      assert.deepEqual(await other.marked(GROUP, ['i', 'j']), [false, false])
      assert.equal(await one.settle(GROUP, 'x', { kind: 'done', entry, mark }), true)
      assert.deepEqual(await other.marked(GROUP, ['j', 'i']), [false, true])
      assert.deepEqual(await other.marked({ stream: 's', group: 'h' }, ['i']), [false])
      assert.deepEqual(await other.marked(GROUP, []), [])
    },
  ],
  [
    'never forgets a consumer that has something pending',
    async ([one, other]) => {
      await one.makeGroup(GROUP, 'start')
      await add(one, 'a', 'b')
      const [{ entry } = none()] = await read(one, GROUP, 'x', 1)
      const [{ entry: last } = none()] = await read(other, GROUP, 'y', 1)
      await other.settle(GROUP, 'y', { kind: 'done', entry: last })
      assert.equal((await one.status(GROUP)).consumers, 2)
      assert.equal(await one.forget(GROUP, { silentMs: HOUR_MS }), 0)
      assert.equal(await one.forget(GROUP, { consumer: 'x' }), 0)
      assert.equal(await one.forget(GROUP, { silentMs: 0 }), 1)
      await one.settle(GROUP, 'x', { kind: 'done', entry })
      assert.equal(await one.forget(GROUP, { consumer: 'x' }), 1)
      assert.equal((await one.status(GROUP)).consumers, 0)
    },
  ],
  [
    'trims old entries, and never one that a group is not done with',
    async ([one]) => {
      const rule = { ...RULE, maxLength: 100 }
      const many = Array.from({ length: 500 }, () => ({ id: undefined, bytes: bytesOf('a') }))
      await one.makeGroup(GROUP, 'start')
      await one.makeGroup({ stream: 's', group: 'h' }, 'start')
      await one.add(rule, many)
      for (const { entry } of (await read(one, GROUP, 'x', 500)).slice(1))
        await one.settle(GROUP, 'x', { kind: 'done', entry })
      await one.add(rule, many)
      assert.equal((await one.status(GROUP)).length, 1_000)
      await one.add({ ...rule, trimsUnhandled: true }, many)
      assert.ok((await one.status(GROUP)).length < 500)
    },
  ],
  [
    'trims entries that all groups are done with',
    async ([one]) => {
      const rule = { ...RULE, maxLength: 100 }
      const many = Array.from({ length: 500 }, () => ({ id: undefined, bytes: bytesOf('a') }))
      await one.makeGroup(GROUP, 'start')
      await one.add(rule, many)
      for (const { entry } of await read(one, GROUP, 'x', 500))
        await one.settle(GROUP, 'x', { kind: 'done', entry })
      await one.add(rule, many)
      const { length, unread = 500 } = await one.status(GROUP)
      assert.ok(length >= 500 && length < 750, `${length}`)
      assert.equal(unread, 500)
    },
  ],
  [
    'forgets pending entries that were trimmed, and says which',
    async ([one, other]) => {
      const force = { ...RULE, maxLength: 1, trimsUnhandled: true }
      const many = Array.from({ length: 500 }, () => ({ id: undefined, bytes: bytesOf('a') }))
      await one.makeGroup(GROUP, 'start')
      await add(one, 'a')
      const [{ entry } = none()] = await read(one, GROUP, 'x', 1)
      await one.add(force, many)
      const { gone, entries } = taken(await other.take(GROUP, takeBy('y')))
      assert.deepEqual(gone, [entry])
      assert.deepEqual(entries, [])
      assert.equal((await one.status(GROUP)).pending, 0)
    },
  ],
]
