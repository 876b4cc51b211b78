import { describe, expect, it } from 'vitest'
import { ManualClock } from './manual-clock.ts'

describe('ManualClock', () => {
  it('stands still until it is moved', () => {
    const clock = new ManualClock(500)
    expect(clock.now()).toBe(500)
    clock.advance(20.5)
    expect(clock.now()).toBe(520.5)
  })

  it('runs what comes due in order of its time, and of scheduling among equals', () => {
    const clock = new ManualClock()
    const ran: string[] = []
    const note = (name: string) => () => ran.push(`${name}@${clock.now()}`)
    clock.schedule(30, note('late'))
    clock.schedule(10, note('first'))
    clock.schedule(10, note('second'))
    clock.schedule(-5, note('at once'))
    clock.schedule(31, note('too late'))
    clock.advance(30)
    expect(ran).toEqual(['at once@0', 'first@10', 'second@10', 'late@30'])
    expect([clock.pending, clock.nextAt]).toEqual([1, 31])
  })

  it('runs in one go what timers schedule meanwhile', () => {
    const clock = new ManualClock()
    const ran: number[] = []
    const tick = (): void => {
      ran.push(clock.now())
      clock.schedule(10, tick)
    }
    clock.schedule(10, tick)
    clock.advance(35)
    expect(ran).toEqual([10, 20, 30])
    expect(clock.now()).toBe(35)
  })

  it('does not run what was cancelled, also by another timer', () => {
    const clock = new ManualClock()
    const ran: string[] = []
    const cancel = clock.schedule(20, () => ran.push('cancelled'))
    clock.schedule(10, cancel)
    clock.advance(100)
    cancel()
    expect(ran).toEqual([])
    expect([clock.pending, clock.nextAt]).toEqual([0, undefined])
  })

  it('lets awaiting code run between timers', async () => {
    const clock = new ManualClock()
    const seen: number[] = []
    const sleep = (ms: number): Promise<void> =>
      new Promise((resolve) => void clock.schedule(ms, resolve))
    const work = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await sleep(10)
        seen.push(clock.now())
      }
    }
    void work()
    await clock.advanceAsync(35)
    expect(seen).toEqual([10, 20, 30])
    expect(clock.now()).toBe(35)
  })

  it('never goes back, even if a timer moves it further than it was to go', () => {
    const clock = new ManualClock()
    clock.schedule(10, () => clock.advance(100))
    clock.advance(20)
    expect(clock.now()).toBe(110)
  })

  it.each([-1, Number.NaN])('refuses to advance by %d', async (ms) => {
    const clock = new ManualClock()
    expect(() => clock.advance(ms)).toThrow(RangeError)
    await expect(clock.advanceAsync(ms)).rejects.toThrow(RangeError)
  })
})
