import { expect, it } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { Deadlines } from './deadlines.ts'

it('calls each that is over, at its time, with one timer for all', () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock, 100)
  const over: string[] = []
  const begin = (name: string) => deadlines.begin(() => over.push(`${name}@${clock.now()}`))
  begin('a')
  clock.advance(30)
  const b = begin('b')
  clock.advance(30)
  begin('c')
  expect(clock.pending).toBe(1)
  expect(deadlines.end(b)).toBe(true)
  clock.advance(500)
  expect(over).toEqual(['a@100', 'c@160'])
  expect(clock.pending).toBe(0)
})

it('tells whether a call ended in time', () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock, 100)
  const late = deadlines.begin(() => undefined)
  clock.advance(100)
  expect(deadlines.end(late)).toBe(false)
  const early = deadlines.begin(() => undefined)
  expect([deadlines.end(early), deadlines.end(early)]).toEqual([true, false])
})

it('keeps the order where what began later ends first, also for many', () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock, 100)
  let over = 0
  const first = deadlines.begin(() => {
    over += 1
  })
  const rest = Array.from({ length: 5_000 }, () =>
    deadlines.begin(() => {
      over += 1
    }),
  )
  for (const each of rest.slice(0, -1)) deadlines.end(each)
  clock.advance(99)
  deadlines.end(first)
  clock.advance(1)
  expect(over).toBe(1)
})

it('leaves no timer after it was closed', () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock, 100)
  deadlines.begin(() => undefined)
  deadlines.close()
  expect(clock.pending).toBe(0)
})
