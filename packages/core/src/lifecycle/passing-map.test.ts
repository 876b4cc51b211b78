import { expect, it } from 'vitest'
import { PassingMap } from './passing-map.ts'

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
