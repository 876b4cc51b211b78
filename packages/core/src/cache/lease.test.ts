import { expect, it } from 'vitest'
import { leaseLength } from './lease.ts'

it('a lease is as long as one waits for it, and a second at least', () => {
  expect([1, 999, 1_000, 5_000].map(leaseLength)).toEqual([1_000, 1_000, 1_000, 5_000])
})
