import { expect, it } from 'vitest'
import { ServerClock } from './server-clock.ts'

it('knows nothing before the first reply', () => {
  expect(new ServerClock().isKnown).toBe(false)
})

it("takes a reply's time for the middle of the round trip, and the last reply for the best", () => {
  const clock = new ServerClock()
  clock.note(1_000_000, 90, 110)
  expect([clock.isKnown, clock.toLocal(1_000_000), clock.toLocal(1_000_050)]).toEqual([
    true,
    100,
    150,
  ])
  clock.note(1_000_500, 590, 590)
  expect(clock.toLocal(1_000_500)).toBe(590)
})
