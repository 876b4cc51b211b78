import { expect, it } from 'vitest'
import { PassingMap, PassingQueue } from './passing.ts'

it('holds what was set until it is deleted', () => {
  const map = new PassingMap<string, number>()
  map.set('a', 1)
  map.set('b', 2)
  map.set('a', 3)
  expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([3, 2, undefined, 2])
  map.delete('a')
  map.delete('c')
  expect([map.get('a'), map.get('b'), map.size]).toEqual([undefined, 2, 1])
})

it('gives no place to two', () => {
  const map = new PassingMap<string, number>()
  for (let i = 0; i < 1_000; i++) {
    map.set(`k${i}`, i)
    if (i >= 10) map.delete(`k${i - 10}`)
    if (i % 3 === 0) map.set(`k${i}`, -i)
  }
  const left = Array.from({ length: 10 }, (_, i) => map.get(`k${990 + i}`))
  expect(left).toEqual([-990, 991, 992, -993, 994, 995, -996, 997, 998, -999])
  expect(map.size).toBe(10)
})

it('lists what is there', () => {
  const map = new PassingMap<string, number>()
  for (let i = 0; i < 5; i++) map.set(`k${i}`, i)
  map.delete('k1')
  map.set('k5', 5)
  expect([...map.values()].sort()).toEqual([0, 2, 3, 4, 5])
})

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
