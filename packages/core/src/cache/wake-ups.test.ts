import { expect, it } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { WakeUps } from './wake-ups.ts'

function start() {
  const clock = new ManualClock()
  const wakeUps = new WakeUps(clock)
  const awake: string[] = []
  const wait = (key: string, name = key): void => {
    void wakeUps.wait(key, 100).then(() => awake.push(name))
  }
  return { clock, wakeUps, awake, wait }
}

it('wakes everybody who waits for the key, and nobody else', async () => {
  const { clock, wakeUps, awake, wait } = start()
  wait('a', 'a1')
  wait('a', 'a2')
  wait('b')
  wakeUps.wake('a')
  wakeUps.wake('nobody')
  await clock.advanceAsync(0)
  expect([awake, clock.pending]).toEqual([['a1', 'a2'], 1])
})

it('wakes without a message when the time is over', async () => {
  const { clock, wakeUps, awake, wait } = start()
  wait('a')
  await clock.advanceAsync(99)
  expect(awake).toEqual([])
  await clock.advanceAsync(1)
  expect(awake).toEqual(['a'])
  wakeUps.wake('a')
  expect(clock.pending).toBe(0)
})

it('wakes one who began to wait after others ended', async () => {
  const { clock, wakeUps, awake, wait } = start()
  wait('a', 'first')
  await clock.advanceAsync(50)
  wait('a', 'second')
  await clock.advanceAsync(50)
  expect(awake).toEqual(['first'])
  wakeUps.wake('a')
  await clock.advanceAsync(0)
  expect([awake, clock.pending]).toEqual([['first', 'second'], 0])
})

it('wakes all at the end', async () => {
  const { clock, wakeUps, awake, wait } = start()
  wait('a')
  wait('b')
  wakeUps.wakeAll()
  await clock.advanceAsync(0)
  expect([awake, clock.pending]).toEqual([['a', 'b'], 0])
})
