import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, expect, it, vi } from 'vitest'
import { startTimer } from './start-timer.ts'

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
  const module = JSON.stringify(new URL('./start-timer.ts', import.meta.url).href)
  const script = `import { startTimer } from ${module}; startTimer(20, () => console.log('ran'), '${waiter}')`
  const args = ['--import', 'tsx', '--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(stdout.trim()).toBe(said)
})
