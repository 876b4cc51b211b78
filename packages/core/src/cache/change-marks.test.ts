import { expect, it } from 'vitest'
import { ASKED_HERE, ChangeMarks } from './change-marks.ts'

it('notes nothing while no put is under way, and forgets when the last one ends', () => {
  const marks = new ChangeMarks()
  marks.note('k', ASKED_HERE)
  expect(marks.size).toBe(0)
  const first = marks.begin()
  marks.begin()
  marks.note('k', ASKED_HERE)
  marks.end()
  expect([marks.hasChanged('k', first), marks.hasChanged('other', first)]).toEqual([true, false])
  marks.end()
  expect(marks.size).toBe(0)
})

it('tells changes by moment and number, and leaves out the own one', () => {
  const marks = new ChangeMarks()
  const mark = marks.begin()
  marks.note('k', 5)
  expect(marks.hasChanged('k', mark, 4)).toBe(true)
  expect(marks.hasChanged('k', mark, 5)).toBe(false)
  expect(marks.hasChanged('k', mark, 4, 5)).toBe(false)
  expect(marks.hasChanged('k', marks.now, 4)).toBe(false)
})

it('past the cap, takes every key for changed of a put that began before what was forgotten', () => {
  const marks = new ChangeMarks(10)
  const early = marks.begin()
  for (let i = 0; i < 1_000; i++) marks.note(`k${i}`, i)
  expect(marks.size).toBeLessThanOrEqual(10)
  expect(marks.hasChanged('never', early)).toBe(true)
  expect(marks.lastPutOf('k999', early, 'x')).toBeUndefined()
  const late = marks.now
  expect(marks.hasChanged('never', late)).toBe(false)
})

it('counts many changes of one key as well', () => {
  const marks = new ChangeMarks(10)
  marks.begin()
  for (let i = 0; i < 1_000; i++) marks.note('k', i)
  expect(marks.size).toBeLessThanOrEqual(10)
})
