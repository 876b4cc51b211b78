import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { StoreKeyError, StoreTimeoutError, StoreUnavailableError } from '../errors/store-error.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { type CallBounds, GuardedCalls } from './guarded-calls.ts'

const BOUNDS: CallBounds = { operation: 'lock', timeoutMs: 100, waiter: 'caller' }
const hang = (): Promise<never> => new Promise(() => undefined)
const refuse = (): Promise<never> => Promise.reject(new Error('no'))
const outcome = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: unknown) => (error as Error).name)

it('ends a call that hangs at its deadline, and ignores what comes later', async () => {
  const clock = new ManualClock()
  const guarded = new GuardedCalls({ clock })
  let answer = (_value: number): void => undefined
  const asked = guarded.ask(BOUNDS, () => new Promise<number>((resolve) => (answer = resolve)))
  const seen = outcome(asked)
  clock.advance(100)
  answer(1)
  expect(await seen).toBe('StoreTimeoutError')
  await expect(asked).rejects.toBeInstanceOf(StoreTimeoutError)
})

it('keeps calls away after three failures, but not those that insist', async () => {
  const clock = new ManualClock()
  const told: string[] = []
  const guarded = new GuardedCalls({
    clock,
    onFailure: (operation, _error, skipped) => told.push(`${operation} ${skipped}`),
  })
  for (let n = 0; n < 3; n++) await outcome(guarded.ask(BOUNDS, refuse))
  expect(guarded.isOpen).toBe(true)
  await expect(guarded.ask(BOUNDS, async () => 1)).rejects.toBeInstanceOf(StoreUnavailableError)
  expect(told).toEqual(['lock false', 'lock false', 'lock false', 'lock true'])
  expect(await guarded.insist(BOUNDS, async () => 2)).toBe(2)
  expect(await guarded.ask(BOUNDS, async () => 3)).toBe(3)
})

it('takes an error that concerns one key for a sign of life', async () => {
  const guarded = new GuardedCalls({ clock: new ManualClock() })
  const spoilt = (): Promise<never> => Promise.reject(new StoreKeyError('lock'))
  for (let n = 0; n < 2; n++) await outcome(guarded.ask(BOUNDS, refuse))
  for (let n = 0; n < 9; n++) {
    await expect(guarded.ask(BOUNDS, spoilt)).rejects.toBeInstanceOf(StoreKeyError)
  }
  expect(guarded.isOpen).toBe(false)
  expect(guarded.failingSince).toBeUndefined()
})

it('knows since when nothing was answered', async () => {
  const clock = new ManualClock(1_000)
  const guarded = new GuardedCalls({ clock })
  const first = outcome(guarded.ask(BOUNDS, hang))
  clock.advance(40)
  const second = outcome(guarded.ask(BOUNDS, hang))
  clock.advance(100)
  await Promise.all([first, second])
  expect(guarded.failingSince).toBe(1_000)
  const hanging = outcome(guarded.ask(BOUNDS, hang))
  clock.advance(50)
  await guarded.ask(BOUNDS, async () => 1)
  expect(guarded.failingSince).toBeUndefined()
  clock.advance(50)
  await hanging
  // What was answered meanwhile counts.
  expect(guarded.failingSince).toBe(1_190)
})

it('blames nobody while this process stood still', async () => {
  class LateClock extends ManualClock {
    lateMs = 0
    override now(): number {
      return super.now() + this.lateMs
    }
  }
  const clock = new LateClock()
  const guarded = new GuardedCalls({ clock })
  for (let n = 0; n < 5; n++) {
    const asked = outcome(guarded.ask(BOUNDS, hang))
    // Held up twice: the first time is forgiven by giving the lost time back.
    for (let time = 0; time < 2; time++) {
      clock.lateMs += 1_000
      clock.advance(100)
    }
    expect(await asked).toBe('StoreTimeoutError')
  }
  expect(guarded.isOpen).toBe(false)
  expect(guarded.failingSince).toBeUndefined()
})

it('gives a process that starts the time of its first attempt to connect, and no more than a second', async () => {
  const clock = new ManualClock()
  let tried = (): void => undefined
  const whenTried = (): Promise<void> => new Promise((resolve) => (tried = resolve))
  const patient = new GuardedCalls({ clock, whenTried })
  const asked = patient.ask(BOUNDS, async () => 1)
  clock.advance(900)
  tried()
  expect(await asked).toBe(1)
  const bounded = new GuardedCalls({ clock, whenTried: hang })
  const late = outcome(bounded.ask(BOUNDS, hang))
  clock.advance(1_000)
  await turnOfTheLoop()
  clock.advance(100)
  expect(await late).toBe('StoreTimeoutError')
})

it('holds the process only while somebody waits, and leaves no timer behind', async () => {
  const clock = new ManualClock()
  const guarded = new GuardedCalls({ clock })
  const asked = guarded.ask(BOUNDS, () => Promise.resolve(1))
  expect(clock.held).toBe(1)
  await asked
  expect(clock.held).toBe(0)
  void outcome(guarded.insist({ ...BOUNDS, waiter: 'background' }, hang))
  expect([clock.held, clock.pending]).toEqual([0, 1])
  guarded.close()
  expect(clock.pending).toBe(0)
  for (let n = 0; n < 40; n++) await guarded.ask({ ...BOUNDS, timeoutMs: n + 1 }, async () => n)
  expect(clock.held).toBe(0)
})

it('turns what a provider throws into a rejection', async () => {
  const guarded = new GuardedCalls({ clock: new ManualClock() })
  const thrown = guarded.ask(BOUNDS, () => {
    throw new RangeError('at once')
  })
  await expect(thrown).rejects.toBeInstanceOf(RangeError)
})
