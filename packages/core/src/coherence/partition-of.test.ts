import { describe, expect, it } from 'vitest'
import { partitionOf } from './partition-of.ts'
import { PARTITIONS } from './partitions.ts'

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
