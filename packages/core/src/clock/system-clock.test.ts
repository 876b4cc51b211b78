import { pbkdf2 } from 'node:crypto'
import { expect, it } from 'vitest'
import { createSystemClock } from './system-clock.ts'

it('never shows the time of before the event loop waited', async () => {
  const clock = createSystemClock()
  // A timer looks at the clock; then the loop waits for another thread, without a timer in between.
  await new Promise((resolve) => setTimeout(resolve, 1))
  clock.now()
  const [before, reading] = await new Promise<readonly [number, number]>((resolve, reject) => {
    pbkdf2('password', 'salt', 60_000, 64, 'sha512', (error) => {
      const now = performance.now()
      if (error === null) resolve([now, clock.now()])
      else reject(error)
    })
  })
  expect(reading).toBeGreaterThanOrEqual(before)
})

it('reads the clock once for all that happens because of one callback', async () => {
  const clock = createSystemClock()
  const first = clock.now()
  const readings: number[] = []
  for (let i = 0; i < 10; i++) readings.push(await Promise.resolve().then(() => clock.now()))
  expect(new Set([first, ...readings]).size).toBe(1)
})

it('looks again after some readings, however long a callback takes', () => {
  const clock = createSystemClock()
  const first = clock.now()
  const until = performance.now() + 1
  while (performance.now() < until);
  const readings = Array.from({ length: 65 }, () => clock.now())
  expect(readings.at(-1)).toBeGreaterThan(first)
})
