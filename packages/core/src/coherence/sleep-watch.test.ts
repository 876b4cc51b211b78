import { expect, it } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { SleepWatch } from './sleep-watch.ts'

const HOUR_MS = 3_600_000

it('notices once that the machine slept', () => {
  const clock = new ManualClock()
  const watch = new SleepWatch(clock)
  expect(watch.hasSlept()).toBe(false)
  clock.sleep(HOUR_MS)
  expect([watch.hasSlept(), watch.hasSlept()]).toEqual([true, false])
})

it('takes neither time that passes nor small corrections for sleep, nor a clock that is set back', () => {
  const clock = new ManualClock()
  const watch = new SleepWatch(clock)
  watch.hasSlept()
  const seen: boolean[] = []
  clock.advance(HOUR_MS)
  seen.push(watch.hasSlept())
  for (let n = 0; n < 10; n++) {
    clock.sleep(400)
    seen.push(watch.hasSlept())
  }
  clock.sleep(-HOUR_MS)
  seen.push(watch.hasSlept())
  expect(seen).not.toContain(true)
  clock.sleep(1_000)
  expect(watch.hasSlept()).toBe(true)
})

it('says nothing of a clock that has no wall', () => {
  const clock = new ManualClock()
  const watch = new SleepWatch({ now: () => 0, schedule: clock.schedule.bind(clock) })
  watch.hasSlept()
  clock.sleep(HOUR_MS)
  expect(watch.hasSlept()).toBe(false)
})
