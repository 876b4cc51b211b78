import { execFile } from 'node:child_process'
import { pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { afterEach, expect, it, vi } from 'vitest'
import { createSystemClock, startTimer } from './system-clock.ts'

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

afterEach(() => vi.useRealTimers())

it('waits for longer than a timer of Node can', () => {
  vi.useFakeTimers()
  const day = 86_400_000
  const ran: string[] = []
  startTimer(60 * day, () => ran.push('60 days'), 'background')
  const cancel = startTimer(60 * day, () => ran.push('cancelled'), 'caller')
  startTimer(Number.POSITIVE_INFINITY, () => ran.push('never'), 'background')
  vi.advanceTimersByTime(30 * day)
  cancel()
  vi.advanceTimersByTime(30 * day - 1)
  expect(ran).toEqual([])
  vi.advanceTimersByTime(1)
  expect(ran).toEqual(['60 days'])
  vi.advanceTimersByTime(400 * day)
  expect(ran).toEqual(['60 days'])
})

it.each([
  ['caller', 'ran'],
  ['background', ''],
])('%s: a process with nothing else to wait for says "%s"', async (waiter, said) => {
  const module = JSON.stringify(new URL('./system-clock.ts', import.meta.url).href)
  const script = `import { startTimer } from ${module}; startTimer(20, () => console.log('ran'), '${waiter}')`
  const args = ['--import', 'tsx', '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(stdout.trim()).toBe(said)
})
