import { beforeEach, expect, it } from 'vitest'
import { Breaker, type BreakerState } from './breaker.ts'

let now: number
let states: BreakerState[]
let breaker: Breaker

beforeEach(() => {
  now = 0
  states = []
  // Without jitter: a pause is as long as it can be.
  breaker = new Breaker(
    () => now,
    (state) => states.push(state),
    () => 1,
  )
})

function open(): void {
  for (let n = 0; n < 3; n++) breaker.failed()
}

/** How long nothing is let through, ms; the call that ends it is the probe. */
function pauseMs(): number {
  const since = now
  while (!breaker.admits()) now += 1
  return now - since
}

it('lets everything through until three calls in a row have failed', () => {
  breaker.failed()
  breaker.failed()
  breaker.succeeded()
  breaker.failed()
  breaker.failed()
  expect([breaker.state, breaker.admits(), breaker.admits()]).toEqual(['closed', true, true])
  breaker.failed()
  expect([breaker.state, breaker.admits()]).toEqual(['open', false])
  expect(states).toEqual(['open'])
})

it('lets one call through after its pause, and no other until that has ended', () => {
  open()
  now = 249
  expect(breaker.admits()).toBe(false)
  now = 250
  expect([breaker.admits(), breaker.admits(), breaker.admits()]).toEqual([true, false, false])
  expect(breaker.state).toBe('half-open')
  now = 60_000
  expect(breaker.admits()).toBe(false)
  breaker.succeeded()
  expect([breaker.admits(), breaker.admits()]).toEqual([true, true])
  expect(states).toEqual(['open', 'half-open', 'closed'])
})

it('doubles its pause with each call that fails again, up to five seconds', () => {
  open()
  const pauses: number[] = []
  for (let n = 0; n < 7; n++) {
    pauses.push(pauseMs())
    breaker.failed()
  }
  expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000])
})

it('begins with the first pause again after a call that succeeded', () => {
  open()
  pauseMs()
  breaker.failed()
  pauseMs()
  breaker.succeeded()
  open()
  expect(pauseMs()).toBe(250)
})

it('waits for half of its pause at least', () => {
  breaker = new Breaker(
    () => now,
    () => undefined,
    () => 0,
  )
  open()
  expect(pauseMs()).toBe(125)
})

it('takes no late failure of an earlier call for another one', () => {
  open()
  now = 200
  for (let n = 0; n < 10; n++) breaker.failed()
  expect(pauseMs()).toBe(50)
  breaker.failed()
  expect(pauseMs()).toBe(500)
})

it('gives the next asker another try when the first told nothing', () => {
  open()
  pauseMs()
  breaker.toldNothing()
  expect(breaker.state).toBe('open')
  expect([breaker.admits(), breaker.admits()]).toEqual([true, false])
  breaker.failed()
  expect(pauseMs()).toBe(500)
})

it('takes nothing told for nothing, whatever it is', () => {
  breaker.toldNothing()
  expect(breaker.state).toBe('closed')
  open()
  breaker.toldNothing()
  expect([breaker.state, breaker.admits()]).toEqual(['open', false])
  breaker.failed()
  breaker.succeeded()
  breaker.failed()
  breaker.failed()
  breaker.toldNothing()
  breaker.failed()
  expect(breaker.state).toBe('open')
})

it('tries at once what may be back, once, and does not wait long if it is not', () => {
  open()
  pauseMs()
  breaker.failed()
  pauseMs()
  breaker.failed()
  expect(breaker.admits()).toBe(false)
  breaker.mayBeBack()
  expect(breaker.state).toBe('open')
  expect([breaker.admits(), breaker.admits()]).toEqual([true, false])
  breaker.failed()
  expect(pauseMs()).toBe(250)
})
