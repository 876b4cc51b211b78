import { expect, it } from 'vitest'
import { Paced } from './paced.ts'

it('tells of the first ones of a kind, and of the others when the next period begins, all in one', () => {
  const paced = new Paced(10, 2)
  expect([0, 1, 2, 9, 10, 11, 12, 30].map((now) => paced.take('a', now))).toEqual([
    1, 1, 0, 0, 3, 1, 0, 2,
  ])
  expect(paced.take('b', 30)).toBe(1)
})

it('remembers a bounded number of kinds, and tells of the others as one', () => {
  const paced = new Paced(10, 1)
  for (let n = 0; n < 1_000; n++) expect(paced.take(`${n}`, 0)).toBe(1)
  expect([paced.take('more', 0), paced.take('and more', 0), paced.take('0', 10)]).toEqual([1, 0, 1])
  expect(paced.take('again', 10)).toBe(2)
})
