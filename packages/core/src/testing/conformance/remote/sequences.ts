/** The numbered history of changes that puts and evicts leave. */

import assert from 'node:assert/strict'
import { at, HARD, HOUR_MS, type RemoteCase } from './remote-case.ts'

const SEQUENCES = ['sequences'] as const

export const SEQUENCE_CASES: readonly RemoteCase[] = [
  {
    name: 'numbers its own changes without a break when it has no history to share',
    lacks: 'sequences',
    async run(stage) {
      const { a, b } = stage
      const last = new Map([a, b].map((store) => [store, [0, 0]]))
      for (const [i, store] of [a, b, a, a, b, a].entries()) {
        const partition = i % 2
        const address = at('x', partition)
        const [reply] =
          i % 3 === 0
            ? [await store.put(address, { bytes: stage.entry(), livesMs: HOUR_MS, since: 0 })]
            : await store.evict([address], HARD)
        const seqs = last.get(store) ?? []
        assert(reply !== undefined && Number.isSafeInteger(reply.seq))
        assert.deepEqual([reply.partition, reply.previous], [partition, seqs[partition]])
        assert(reply.seq > Math.max(...seqs))
        seqs[partition] = reply.seq
      }
    },
  },
  {
    name: 'claims no heads and no knowledge of changes when it has no history to share',
    lacks: 'sequences',
    async run({ a }) {
      const [reply] = await a.evict([at('x')], HARD)
      assert.deepEqual([...(await a.sync([3, 5])).heads], [undefined, undefined])
      assert.equal((await a.changesSince(3, reply?.previous ?? 0)).kind, 'unknown')
    },
  },
  {
    name: 'gives every partition a head, the same for every node, that moves only by changes',
    needs: SEQUENCES,
    async run({ a, b }) {
      await a.sync([0, 5, 63])
      for (const partition of [63, 0]) await a.evict([at('x', partition)], HARD)
      const { heads } = await a.sync([0, 5, 63])
      assert(heads.every((head) => Number.isSafeInteger(head) && (head ?? 0) > 0))
      assert.equal(new Set(heads).size, 3)
      assert.deepEqual([...(await b.sync([5, 63, 0])).heads], [heads[1], heads[2], heads[0]])
    },
  },
  {
    name: 'numbers the changes of a partition without gaps, each reply naming the one before',
    needs: SEQUENCES,
    async run(stage) {
      const before = await stage.head(stage.a, 3)
      const bystander = await stage.head(stage.a, 4)
      const { a, b } = stage
      const put = await a.put(at('x'), { bytes: stage.entry(), livesMs: HOUR_MS, since: 0 })
      const [evict] = await b.evict([at('x'), at('y')], HARD)
      assert.equal(put.previous, before)
      assert(put.seq > put.previous)
      assert.equal(evict?.previous, put.seq)
      assert(evict.seq > evict.previous && Number.isSafeInteger(evict.seq))
      assert.equal(await stage.head(a, 3), evict.seq)
      assert.equal(await stage.head(a, 4), bystander)
    },
  },
  {
    name: 'leaves the history alone when something is loaded',
    needs: SEQUENCES,
    async run(stage) {
      const before = await stage.head(stage.a, 3)
      const token = await stage.lease(stage.a, at('loaded'))
      await stage.a.fill(at('loaded'), token, stage.entry(), HOUR_MS)
      assert.equal(await stage.head(stage.b, 3), before)
    },
  },
  {
    name: 'lists the keys changed since a number',
    needs: SEQUENCES,
    async run(stage) {
      const start = await stage.head(stage.a, 3)
      await stage.put(at('one'))
      const middle = await stage.head(stage.a, 3)
      await stage.a.evict([at('two'), at('three')], { ...HARD, soft: true })
      await stage.a.evict([at('elsewhere', 4)], HARD)
      const end = await stage.head(stage.a, 3)
      const all = await stage.b.changesSince(3, start)
      assert(all.kind === 'delta')
      assert.equal(all.seq, end)
      assert.deepEqual(new Set(all.keys), new Set(['c:one', 'c:two', 'c:three']))
      const later = await stage.b.changesSince(3, middle)
      assert(later.kind === 'delta')
      assert.deepEqual(new Set(later.keys), new Set(['c:two', 'c:three']))
      const none = await stage.b.changesSince(3, end)
      assert(none.kind === 'delta')
      assert.deepEqual([none.seq, none.keys], [end, []])
    },
  },
  {
    name: 'says the number of each change, if it says any',
    needs: SEQUENCES,
    async run(stage) {
      const start = await stage.head(stage.a, 3)
      await stage.put(at('one'))
      const middle = await stage.head(stage.a, 3)
      await stage.a.evict([at('two'), at('three')], HARD)
      const end = await stage.head(stage.a, 3)
      const changes = await stage.b.changesSince(3, start)
      assert(changes.kind === 'delta')
      const { keys, numbers } = changes
      if (numbers === undefined) return
      assert.equal(numbers.length, keys.length)
      const numberOf = (key: string): number => numbers[keys.indexOf(key)] ?? 0
      assert.equal(numberOf('c:one'), middle)
      for (const key of ['c:two', 'c:three']) {
        assert(numberOf(key) > middle && numberOf(key) <= end, `${key}: ${numberOf(key)}`)
      }
    },
  },
  {
    name: 'does not pretend to know a number it never gave out',
    needs: SEQUENCES,
    async run(stage) {
      await stage.put(at('x'))
      const head = await stage.head(stage.a, 3)
      await stage.put(at('x'))
      for (const foreign of [1, head - 1_000_000, head + 1_000_000_000_000]) {
        assert.equal((await stage.a.changesSince(3, foreign)).kind, 'unknown', `since ${foreign}`)
      }
    },
  },
  {
    name: 'never lists only a part of what changed, however much did',
    needs: SEQUENCES,
    async run(stage) {
      const start = await stage.head(stage.a, 3)
      const addresses = Array.from({ length: 900 }, (_, i) => at(`many-${i}`))
      for (let i = 0; i < 900; i += 30) await stage.a.evict(addresses.slice(i, i + 30), HARD)
      const early = await stage.a.changesSince(3, start)
      if (early.kind === 'delta') assert.equal(new Set(early.keys).size, 900)
      const head = await stage.head(stage.a, 3)
      await stage.put(at('last'))
      const late = await stage.a.changesSince(3, head)
      assert(late.kind === 'delta')
      assert.deepEqual([...late.keys], ['c:last'])
    },
  },
  {
    name: 'numbers many changes made at once in a row, alone or several of one instance together',
    needs: SEQUENCES,
    async run(stage) {
      const stores = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? stage.a : stage.b))
      const before = await stage.head(stage.a, 3)
      const replies = (
        await Promise.all(stores.map((store, i) => store.evict([at(`x${i}`)], HARD)))
      ).flat()
      assert.equal(replies.length, 40)
      const previousOf = new Map(replies.map(({ seq, previous }) => [seq, previous]))
      for (const { seq, previous } of replies) assert.equal(previous, previousOf.get(seq))
      const numbers = [...previousOf.keys()].toSorted((one, two) => one - two)
      assert.equal(previousOf.get(numbers[0] ?? 0), before)
      for (const [i, seq] of numbers.entries()) {
        if (i > 0) assert.equal(previousOf.get(seq), numbers[i - 1])
      }
      const of = (parity: number): Set<number> =>
        new Set(replies.filter((_, i) => i % 2 === parity).map(({ seq }) => seq))
      assert([...of(0)].every((seq) => !of(1).has(seq)))
      const changes = await stage.a.changesSince(3, before)
      assert(changes.kind === 'delta')
      assert.deepEqual(changes.keys.toSorted(), stores.map((_, i) => at(`x${i}`).key).toSorted())
    },
  },
  {
    name: 'turns a put into an evict when its key changed after the writer looked',
    needs: SEQUENCES,
    async run(stage) {
      const since = await stage.head(stage.a, 3)
      const request = (): { bytes: Buffer; livesMs: number; since: number } => ({
        bytes: stage.entry(),
        livesMs: HOUR_MS,
        since,
      })
      await stage.b.evict([at('neighbour')], HARD)
      const fine = await stage.a.put(at('x'), request())
      assert.equal(fine.stored, true)
      const late = await stage.b.put(at('x'), request())
      assert.equal(late.stored, false)
      assert(late.seq > fine.seq && late.previous === fine.seq)
      assert.equal(await stage.value(stage.a, at('x')), undefined)
    },
  },
  {
    name: 'turns a put into an evict when the log does not reach back to where the writer looked',
    needs: SEQUENCES,
    async run(stage) {
      await stage.put(at('x'))
      const request = { bytes: stage.entry(), livesMs: HOUR_MS, since: 1 }
      assert.equal((await stage.a.put(at('x'), request)).stored, false)
      assert.equal(await stage.value(stage.a, at('x')), undefined)
    },
  },
  {
    name: 'turns a put into an evict when where the writer looked is of another history',
    needs: SEQUENCES,
    async run(stage) {
      const before = await stage.head(stage.a, 3)
      await stage.put(at('x'))
      const head = await stage.head(stage.a, 3)
      // Between two numbers, if there is room, and above all: a history that was lost may have been ahead.
      const foreign = [Math.floor((before + head) / 2), head + 1_000_000_000].filter(
        (since) => since !== before,
      )
      for (const since of foreign) {
        await stage.put(at('x'))
        const request = { bytes: stage.entry(), livesMs: HOUR_MS, since }
        assert.equal((await stage.a.put(at('x'), request)).stored, false, `since ${since}`)
        assert.equal(await stage.value(stage.a, at('x')), undefined)
      }
    },
  },
]
