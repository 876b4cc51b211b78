import { expect, it } from 'vitest'
import { ASKED_HERE, ChangeMarks } from './change-marks.ts'

it('notes nothing while no put is under way, and forgets when the last one ends', () => {
  const marks = new ChangeMarks()
  marks.note('k', ASKED_HERE)
  expect(marks.size).toBe(0)
  const first = marks.begin()
  const second = marks.begin()
  marks.note('k', ASKED_HERE)
  marks.end(second)
  expect([marks.hasChanged('k', first), marks.hasChanged('other', first)]).toEqual([true, false])
  marks.end(first)
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

it('remembers only what puts under way may ask for, although one always is', () => {
  const marks = new ChangeMarks()
  let under = marks.begin()
  let most = 0
  for (let i = 0; i < 5_000; i++) {
    marks.note('busy', i)
    marks.note(`k${i}`, i)
    const next = marks.begin()
    marks.note(`seen${i}`, i)
    marks.end(under)
    under = next
    expect(marks.hasChanged(`seen${i}`, under)).toBe(true)
    most = Math.max(most, marks.size)
  }
  expect(most).toBeLessThan(1_000)
  expect(marks.hasChanged('never', under)).toBe(false)
})

it('remembers no more after one that was under way for long', () => {
  const marks = new ChangeMarks(1_000)
  const slow = marks.begin()
  let under = marks.begin()
  for (let i = 0; i < 700; i++) marks.note(`k${i}`, i)
  marks.end(slow)
  for (let i = 0; i < 5_000; i++) {
    const mark = marks.begin()
    marks.end(under)
    under = mark
    marks.note('busy', i)
    expect(marks.hasChanged('never', mark)).toBe(false)
  }
})
