import { expect, it } from 'vitest'
import { PassingQueue } from './passing.ts'

it('gives back what was pushed, the oldest first', () => {
  const queue = new PassingQueue<string>()
  for (const each of ['a', 'b', 'c']) queue.push(each)
  expect([queue.size, queue.first, queue.at(1), queue.at(2), queue.at(3)]).toEqual([
    3,
    'a',
    'b',
    'c',
    undefined,
  ])
  queue.dropFirst()
  expect([queue.size, queue.first, queue.at(1)]).toEqual([2, 'b', 'c'])
})

it('is empty after the last one, however often', () => {
  const queue = new PassingQueue<number>()
  queue.dropFirst()
  expect([queue.size, queue.first]).toEqual([0, undefined])
  queue.push(1)
  queue.dropFirst()
  queue.dropFirst()
  expect([queue.size, queue.first]).toEqual([0, undefined])
})

it('keeps the order while it grows, wraps and shrinks', () => {
  const queue = new PassingQueue<number>()
  const left: number[] = []
  const taken: number[] = []
  let next = 0
  for (const [pushed, dropped] of [
    [10, 7],
    [40, 20],
    [3_000, 3_000],
    [20, 46],
    [5, 5],
  ] as const) {
    for (let i = 0; i < pushed; i++) {
      left.push(next)
      queue.push(next++)
    }
    for (let i = 0; i < dropped && queue.size > 0; i++) {
      taken.push(queue.first as number)
      queue.dropFirst()
    }
    expect(queue.size).toBe(left.length - taken.length)
  }
  expect(taken).toEqual(left)
})
