import { expect, it } from 'vitest'
import { RecentEvictions } from './recent-evictions.ts'

const MINUTE_MS = 60_000
const CAP = 512

const at = (key: string, partition = 1) => ({ partition, key })

/** As many keys as one partition remembers. */
const full = Array.from({ length: CAP }, (_, n) => at(`k${n}`))

it('remembers evictions of the last minute, by partition', () => {
  const recent = new RecentEvictions()
  recent.note([at('a'), at('b', 2)], 0)
  recent.note([at('c')], 1_000)
  expect(recent.of(1, MINUTE_MS - 1)).toEqual({
    addresses: [at('a'), at('c')],
    wholePartition: false,
  })
  expect(recent.of(1, MINUTE_MS).addresses).toEqual([at('c')])
  expect(recent.of(2, 0).addresses).toEqual([at('b', 2)])
  expect(recent.of(3, 0)).toEqual({ addresses: [], wholePartition: false })
})

it('remembers a key since it was last evicted', () => {
  const recent = new RecentEvictions()
  recent.note([at('a'), at('b')], 0)
  recent.note([at('a')], 1_000)
  expect(recent.of(1, 1_000).addresses).toEqual([at('b'), at('a')])
  expect(recent.of(1, MINUTE_MS).addresses).toEqual([at('a')])
})

it('remembers as many keys as fit, and no partition as a whole for them', () => {
  const recent = new RecentEvictions()
  recent.note(full, 0)
  expect(recent.of(1, 0)).toEqual({ addresses: full, wholePartition: false })
})

it('past that, the partition counts as evicted until the forgotten key has aged', () => {
  const recent = new RecentEvictions()
  recent.note(full, 0)
  recent.note([at('new')], 1_000)
  const found = recent.of(1, 1_000)
  expect([found.addresses.length, found.addresses.at(0), found.addresses.at(-1)]).toEqual([
    CAP,
    at('k1'),
    at('new'),
  ])
  expect(found.wholePartition).toBe(true)
  expect(recent.of(1, MINUTE_MS - 1).wholePartition).toBe(true)
  expect(recent.of(1, MINUTE_MS)).toEqual({ addresses: [at('new')], wholePartition: false })
})

it('makes room by what has aged first, which costs nothing', () => {
  const recent = new RecentEvictions()
  recent.note(full, 0)
  recent.note([at('new')], MINUTE_MS)
  expect(recent.of(1, MINUTE_MS)).toEqual({ addresses: [at('new')], wholePartition: false })
})
