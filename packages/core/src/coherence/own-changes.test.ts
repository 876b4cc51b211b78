import { expect, it } from 'vitest'
import { decodeHeader, type EntryHeader, encodeEntry, FLAG } from '../entry/envelope.ts'
import { isMissing, OwnChanges } from './own-changes.ts'
import { Partition } from './partitions.ts'

const MINUTE_MS = 60_000
const CAP = 512

const at = (key: string, partition = 1) => ({ partition, key })

/** A change at `ms` of this node's clock and of the store's, which is its number too. */
const change = (ms: number, isSoft = false) => ({ at: ms, seq: ms, history: 0, doneAt: ms, isSoft })

/** A write of somebody else. */
const written = (createdAt: number, commit = 9, loadMs = 0) => ({ createdAt, commit, loadMs })

/** As many keys as one partition remembers. */
const full = Array.from({ length: CAP }, (_, n) => at(`k${n}`))

const addressesOf = (own: OwnChanges, partition: number, now: number) =>
  own.of(partition, now).changes.map(({ address }) => address)

it('remembers changes of the last minute, by partition', () => {
  const own = new OwnChanges()
  own.note(at('a'), change(0))
  own.note(at('b', 2), change(0))
  own.note(at('c'), change(1_000))
  expect(addressesOf(own, 1, MINUTE_MS - 1)).toEqual([at('a'), at('c')])
  expect(addressesOf(own, 1, MINUTE_MS)).toEqual([at('c')])
  expect(addressesOf(own, 2, 0)).toEqual([at('b', 2)])
  expect(own.of(3, 0)).toEqual({ changes: [], wholePartition: false })
})

it('remembers a key since it was last changed', () => {
  const own = new OwnChanges()
  own.note(at('a'), change(0))
  own.note(at('b'), change(0))
  own.note(at('a'), change(1_000))
  expect(addressesOf(own, 1, 1_000)).toEqual([at('b'), at('a')])
  expect(addressesOf(own, 1, MINUTE_MS)).toEqual([at('a')])
})

it('remembers as many keys as fit, and no partition as a whole for them', () => {
  const own = new OwnChanges()
  for (const each of full) own.note(each, change(0))
  expect([addressesOf(own, 1, 0), own.of(1, 0).wholePartition]).toEqual([full, false])
})

it('past that, the partition counts as changed until the forgotten key has aged', () => {
  const own = new OwnChanges()
  for (const each of full) own.note(each, change(0))
  own.note(at('new'), change(1_000))
  const found = addressesOf(own, 1, 1_000)
  expect([found.length, found.at(0), found.at(-1)]).toEqual([CAP, at('k1'), at('new')])
  expect(own.of(1, MINUTE_MS - 1).wholePartition).toBe(true)
  expect([addressesOf(own, 1, MINUTE_MS), own.of(1, MINUTE_MS).wholePartition]).toEqual([
    [at('new')],
    false,
  ])
})

it('makes room by what has aged first, which costs nothing', () => {
  const own = new OwnChanges()
  for (const each of full) own.note(each, change(0))
  own.note(at('new'), change(MINUTE_MS))
  expect([addressesOf(own, 1, MINUTE_MS), own.of(1, MINUTE_MS).wholePartition]).toEqual([
    [at('new')],
    false,
  ])
})

it('overtakes what the store created before, for a minute', () => {
  const own = new OwnChanges()
  own.note(at('a'), { ...change(1_000), seq: 1, at: 5 })
  expect(own.overtook(at('a'), written(1_000), 5)).toBe(true)
  expect(own.overtook(at('a'), written(1_001), 5)).toBe(false)
  expect(own.overtook(at('a'), written(1_000), MINUTE_MS + 5)).toBe(false)
  expect([own.overtook(at('b'), written(0), 5), own.overtook(at('a', 2), written(0), 5)]).toEqual([
    false,
    false,
  ])
})

it('overtakes keys of a partition that it had to forget', () => {
  const own = new OwnChanges()
  for (const each of full) own.note(each, change(0))
  own.note(at('new'), change(1_000))
  expect([own.overtook(at('k0'), written(0), 0), own.overtook(at('k0'), written(1), 0)]).toEqual([
    true,
    false,
  ])
})

it('does not overtake what it wrote itself, be it at the same instant', () => {
  const own = new OwnChanges()
  own.note(at('a'), change(1_000))
  own.note(at('b'), change(1_000))
  own.noteWrite(at('a'), 7)
  own.noteWrite(at('c'), 7)
  expect(own.overtook(at('a'), written(1_000, 7), 1_000)).toBe(false)
  expect(own.overtook(at('a'), written(1_000, 8), 1_000)).toBe(true)
  expect(own.overtook(at('b'), written(1_000, 7), 1_000)).toBe(true)
  expect(own.overtook(at('c'), written(1_000, 8), 1_000)).toBe(false)
})

it('a soft eviction overtakes what the store does not know to be softened', () => {
  const own = new OwnChanges()
  own.note(at('a'), change(1_000, true))
  expect(own.overtook(at('a'), written(1_000), 1_000)).toBe(true)
  expect(own.overtook(at('a'), written(1_001), 1_000)).toBe(false)
})

it('is repeated unless somebody has written something newer', () => {
  const header = (createdAt: number, flags = 0): EntryHeader | undefined => {
    const bytes = encodeEntry({
      flags,
      commit: 1,
      birth: 1,
      freshForMs: 1,
      staleForMs: 1,
      livesForMs: 1,
      loadMs: 0,
      schema: 0,
      steps: [],
      tags: [],
      payload: new Uint8Array(),
    })
    bytes.writeUIntBE(createdAt, 18, 6)
    return decodeHeader(bytes)
  }
  expect(isMissing(change(1_000), undefined)).toBe(true)
  expect(isMissing(change(1_000), header(1_000))).toBe(true)
  expect(isMissing(change(1_000), header(1_001))).toBe(false)
  expect(isMissing(change(1_000), header(1_001, FLAG.empty))).toBe(true)
  expect(isMissing(change(1_000, true), header(0, FLAG.stale))).toBe(false)
  expect(isMissing(change(1_000), header(0, FLAG.stale))).toBe(true)
})

it('believes what was written in the same millisecond once somebody is known to have changed the key later in it', () => {
  const own = new OwnChanges()
  own.note(at('a'), change(1_000))
  own.note(at('b'), change(1_000))
  expect(own.overtook(at('a'), written(1_000), 1_000)).toBe(true)
  own.supersede(new Partition(1), ['a'], { above: 999, upTo: 1_000 })
  own.supersede(new Partition(2), ['a'], { above: 2_000, upTo: 2_001 })
  own.supersede(new Partition(1), ['a'], { above: 1_000, upTo: 1_001_000 })
  expect(own.overtook(at('a'), written(1_000), 1_000)).toBe(true)
  own.supersede(new Partition(1), ['a', 'none'], { above: 1_000, upTo: 1_000_999 })
  expect(own.overtook(at('a'), written(1_000), 1_000)).toBe(false)
  expect(own.overtook(at('a'), written(999), 1_000)).toBe(true)
  expect(own.overtook(at('b'), written(1_000), 1_000)).toBe(true)
  own.note(at('a'), change(1_001))
  expect(own.overtook(at('a'), written(1_001), 1_001)).toBe(true)
})

it('goes by the order of changes, not of replies', () => {
  const own = new OwnChanges()
  own.note(at('a'), { ...change(1_000), seq: 2, commit: 7 })
  own.note(at('a'), { ...change(1_000), seq: 1 })
  expect(own.overtook(at('a'), written(1_000, 7), 1_000)).toBe(false)
  expect(own.overtook(at('a'), written(1_000, 8), 1_000)).toBe(true)
})

it('takes what was changed in a history that began later for the later change, whatever its number', () => {
  const own = new OwnChanges()
  own.note(at('a'), { ...change(1_000), seq: 2, commit: 7 })
  own.note(at('a'), { ...change(2_000), seq: 1, history: 1 })
  expect(own.overtook(at('a'), written(1_500, 7), 2_000)).toBe(true)
})

it('goes on doubting its millisecond where the later number is of another history', () => {
  const own = new OwnChanges()
  const partition = new Partition(1)
  own.note(at('a'), change(1_000))
  partition.restart(5_000, 0)
  own.supersede(partition, ['a'], { above: 5_000, upTo: 5_001 })
  expect(own.overtook(at('a'), written(1_000), 1_000)).toBe(true)
})
