import { describe, expect, it } from 'vitest'
import { createPartitions, PARTITIONS, Partition, partitionOf } from './partitions.ts'

/** A partition that stands at `seq`. */
function standingAt(seq: number): Partition {
  const partition = new Partition(3)
  partition.restart(seq, 0)
  return partition
}

it('there is one of each number, and nothing is known of it', () => {
  const partitions = createPartitions()
  expect(partitions.map(({ id }) => id)).toEqual(Array.from({ length: PARTITIONS }, (_, id) => id))
  const [first] = partitions
  expect([first?.isKnown, first?.seq, first?.heard, first?.catchingUp]).toEqual([
    false,
    0,
    0,
    false,
  ])
})

describe('a change', () => {
  it('that follows on what is known is applied', () => {
    const partition = standingAt(10)
    expect([partition.advance(10, 11), partition.advance(11, 15)]).toEqual(['applied', 'applied'])
    expect([partition.seq, partition.heard, partition.generation]).toEqual([15, 15, 1])
  })

  it('that is known is known, however often it comes', () => {
    const partition = standingAt(10)
    expect([partition.advance(9, 10), partition.advance(3, 4)]).toEqual(['known', 'known'])
    expect([partition.seq, partition.heard]).toEqual([10, 10])
  })

  it('that comes too early leaves a gap', () => {
    const partition = standingAt(10)
    expect(partition.advance(11, 12)).toBe('gap')
    expect([partition.seq, partition.heard]).toEqual([10, 12])
    expect(partition.advance(10, 11)).toBe('applied')
    expect([partition.seq, partition.heard]).toEqual([11, 12])
  })

  it('that leads past where this node stands is of another history', () => {
    expect(standingAt(10).advance(9, 12)).toBe('history-lost')
  })

  it('that leads past what was heard is of another history', () => {
    const partition = standingAt(10)
    partition.advance(12, 14)
    expect(partition.advance(10, 16)).toBe('history-lost')
  })

  it('before the first contact is only heard', () => {
    const partition = new Partition(3)
    expect(partition.advance(0, 5)).toBe('known')
    expect([partition.seq, partition.heard, partition.isKnown]).toEqual([0, 5, false])
    expect(partition.advance(4, 6)).toBe('history-lost')
  })
})

describe('a head', () => {
  it('before the first contact says where to begin, unless more was heard', () => {
    const partition = new Partition(3)
    partition.advance(0, 5)
    expect([4, 5, 6].map((head) => partition.compare(head))).toEqual([
      'history-lost',
      'unknown',
      'unknown',
    ])
  })

  it('is level, ahead, or of another history', () => {
    const partition = standingAt(10)
    expect([9, 10, 11].map((head) => partition.compare(head))).toEqual([
      'history-lost',
      'level',
      'behind',
    ])
  })

  it('where this node stands is of another history when more was heard', () => {
    const partition = standingAt(10)
    partition.advance(11, 12)
    expect([10, 11, 12].map((head) => partition.compare(head))).toEqual([
      'history-lost',
      'behind',
      'behind',
    ])
  })
})

it('starting over doubts what was there', () => {
  const partition = standingAt(10)
  partition.advance(11, 12)
  partition.restart(7, 0)
  expect([partition.seq, partition.heard, partition.generation]).toEqual([7, 7, 2])
})

const COUNT = 64_000

const KEYS: Readonly<Record<string, (i: number) => string>> = {
  'consecutive numbers': (i) => `products:${i}`,
  'consecutive even numbers': (i) => `products:${i * 2}`,
  'multiples of 64': (i) => `products:${i * 64}`,
  'zero-padded numbers': (i) => String(i).padStart(12, '0'),
  'numbers before a long tail': (i) => `${i}:profile:settings:theme`,
  'default keys': (i) => `Products.find('${i.toString(36)}`,
  'Cyrillic text': (i) => `товар:${String.fromCharCode(0x410 + (i % 32))}${i}`,
  'hexadecimal ids': (i) => `s:${Math.imul(i, 0x9e3779b1).toString(16)}:${i}`,
}

describe('the partition of a key', () => {
  it('is a whole number from 0 to 63', () => {
    for (const key of ['', 'a', '\ud83d', '\uffff'.repeat(200)]) {
      expect(partitionOf(key)).toBeOneOf(Array.from({ length: PARTITIONS }, (_, i) => i))
    }
    expect(PARTITIONS).toBe(64)
  })

  it('never changes: nodes of all releases must agree', () => {
    expect(['', 'a', 'products:42', "users:'abc", 'товар:7', 'c:😀'].map(partitionOf)).toEqual([
      14, 53, 50, 1, 58, 47,
    ])
  })

  it.each(Object.keys(KEYS))('spreads %s evenly', (kind) => {
    const counts = new Array<number>(PARTITIONS).fill(0)
    for (let i = 0; i < COUNT; i++) {
      const partition = partitionOf(KEYS[kind]?.(i) ?? '')
      counts[partition] = (counts[partition] ?? 0) + 1
    }
    // 1000 each; of fair dice, 64 counts stay within 6 standard deviations (190) all but surely.
    expect(Math.min(...counts)).toBeGreaterThan(810)
    expect(Math.max(...counts)).toBeLessThan(1_190)
  })
})
