import { expect, it } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { Deadlines } from './deadlines.ts'

it('calls each that is over, at its time, with one timer for all', () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock, 100, 'caller')
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
  const deadlines = new Deadlines(clock, 100, 'caller')
  const late = deadlines.begin(() => undefined)
  clock.advance(100)
  expect(deadlines.end(late)).toBe(false)
  const early = deadlines.begin(() => undefined)
  expect([deadlines.end(early), deadlines.end(early)]).toEqual([true, false])
})

it('keeps the order where what began later ends first, also for many', () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock, 100, 'caller')
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
  deadlines.end(first)
  clock.advance(100)
  expect(over).toBe(1)
})

it('leaves no timer after it was closed', () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock, 100, 'caller')
  deadlines.begin(() => undefined)
  deadlines.close()
  expect(clock.pending).toBe(0)
})

it('lets what has arrived be handed out before anything is over', () => {
  const arrivals: (() => void)[] = []
  const clock = Object.assign(new ManualClock(), {
    afterArrivals: (task: () => void) => void arrivals.push(task),
  })
  const deadlines = new Deadlines(clock, 100, 'caller')
  let over = 0
  const begin = () =>
    deadlines.begin(() => {
      over += 1
    })
  begin()
  clock.advance(1)
  const answered = begin()
  clock.advance(99)
  expect(over).toBe(0)
  expect(deadlines.end(answered)).toBe(true)
  for (const task of arrivals) task()
  expect(over).toBe(1)
})

it('gives, once, the same time again while calls as old as the one that is due are answered', () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock, 100, 'caller')
  const over: string[] = []
  const begun = Array.from({ length: 30 }, (_, i) =>
    deadlines.begin((wasHeldUp) => over.push(`${i}@${clock.now()} ${wasHeldUp}`)),
  )
  // A store that works off one after the other.
  for (const each of begun.slice(0, 20)) {
    clock.advance(9)
    deadlines.end(each)
  }
  expect(over).toEqual([])
  clock.advance(19)
  expect(over).toEqual([])
  clock.advance(1)
  expect(over).toEqual(begun.slice(20).map((_, i) => `${i + 20}@200 true`))
})

it('gives no time where only later calls are answered, or none any more', () => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock, 100, 'caller')
  const over: string[] = []
  const begin = (name: string) =>
    deadlines.begin((wasHeldUp) => over.push(`${name}@${clock.now()} ${wasHeldUp}`))
  const early = begin('early')
  begin('stuck')
  clock.advance(49)
  deadlines.end(early)
  clock.advance(1)
  const later = begin('later')
  clock.advance(45)
  deadlines.end(later)
  clock.advance(5)
  expect(over).toEqual(['stuck@100 false'])
})

it('adds, once, the time for which the process stood still', () => {
  const clock = new LateClock()
  const deadlines = new Deadlines(clock, 100, 'caller')
  const over: string[] = []
  deadlines.begin((wasHeldUp) => over.push(`${clock.now()} ${wasHeldUp}`))
  clock.standStill(400)
  expect(over).toEqual([])
  // As much again as a deadline has at the most.
  clock.advance(99)
  expect(over).toEqual([])
  clock.advance(1)
  expect(over).toEqual(['500 false'])
})

it('tells that it was held up again', () => {
  const clock = new LateClock()
  const deadlines = new Deadlines(clock, 100, 'caller')
  const over: string[] = []
  deadlines.begin((wasHeldUp) => over.push(`${clock.now()} ${wasHeldUp}`))
  clock.standStill(300)
  clock.standStill(300)
  expect(over).toEqual(['600 true'])
})

it('holds the process while somebody waits, and no longer', () => {
  const clock = new ManualClock()
  const caller = new Deadlines(clock, 100, 'caller')
  const background = new Deadlines(clock, 100, 'background')
  background.begin(() => undefined)
  const [a, b] = [caller.begin(() => undefined), caller.begin(() => undefined)]
  expect(clock.held).toBe(1)
  caller.end(a)
  expect(clock.held).toBe(1)
  caller.end(b)
  expect(clock.held).toBe(0)
})

/** A clock whose process can stand still: timers that came due meanwhile run late. */
class LateClock extends ManualClock {
  #now: number | undefined

  override now(): number {
    return Math.max(super.now(), this.#now ?? 0)
  }

  standStill(ms: number): void {
    this.#now = this.now() + ms
    this.advance(ms)
  }
}
