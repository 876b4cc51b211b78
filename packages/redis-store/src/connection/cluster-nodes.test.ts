import { describe, expect, it } from 'vitest'
import { slotOf } from './cluster-nodes.ts'

describe('slotOf', () => {
  it.each([
    ['123456789', 0x31c3],
    ['foo', 12_182],
    ['bar', 5_061],
    ['user1000', 3_443],
    ['', 0],
  ])('hashes %o as the Cluster specification says', (hashTag, slot) => {
    expect(slotOf(hashTag)).toBe(slot)
    expect(slotOf(hashTag)).toBe(slot)
  })
})
