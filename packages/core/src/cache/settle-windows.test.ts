import { expect, it } from 'vitest'
import { ManualClock } from '../testing/manual-clock.ts'
import { SettleWindows } from './settle-windows.ts'

it('a window is open for its key until it ends', () => {
  const clock = new ManualClock(1_000)
  const windows = new SettleWindows(clock)
  windows.open('a', 500)
  expect([windows.endOf('a'), windows.endOf('b')]).toEqual([1_500, Number.POSITIVE_INFINITY])
  clock.advance(499)
  expect(windows.endOf('a')).toBe(1_500)
  clock.advance(1)
  expect(windows.endOf('a')).toBe(Number.POSITIVE_INFINITY)
})

it('a later window of the key is not ended by the earlier one', () => {
  const clock = new ManualClock()
  const windows = new SettleWindows(clock)
  windows.open('a', 500)
  clock.advance(400)
  windows.open('a', 500)
  clock.advance(100)
  expect(windows.endOf('a')).toBe(900)
  clock.advance(400)
  expect(windows.endOf('a')).toBe(Number.POSITIVE_INFINITY)
})

it('all windows can be ended at once', () => {
  const windows = new SettleWindows(new ManualClock())
  windows.open('a', 500)
  windows.clear()
  expect(windows.endOf('a')).toBe(Number.POSITIVE_INFINITY)
})
