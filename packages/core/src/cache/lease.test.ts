import { expect, it } from 'vitest'
import { leaseLength, randomId } from './lease.ts'

it('a lease is as long as one waits for it, and a second at least', () => {
  expect([1, 999, 1_000, 5_000].map(leaseLength)).toEqual([1_000, 1_000, 1_000, 5_000])
})

it('ids are whole numbers of 48 bits, never zero, and do not repeat', () => {
  const ids = Array.from({ length: 5_000 }, randomId)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.every((id) => Number.isInteger(id) && id > 0 && id < 2 ** 48)).toBe(true)
  expect(Math.max(...ids)).toBeGreaterThan(2 ** 40)
})
