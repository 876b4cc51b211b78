import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { startWorker, type WorkerProcess } from './worker.ts'

type Sample = typeof import('./testing/sample.worker.ts').worker

const sampleUrl = new URL('./testing/sample.worker.ts', import.meta.url)

describe('a worker process', () => {
  const started: WorkerProcess<Sample>[] = []
  afterEach(() => Promise.all(started.splice(0).map((worker) => worker.kill())))

  async function start(init?: unknown): Promise<WorkerProcess<Sample>> {
    const worker = await startWorker<Sample>(sampleUrl, init)
    started.push(worker)
    return worker
  }

  it('runs a module from its sources in a process of its own and stops', async () => {
    const worker = await start({ greeting: 'good morning' })
    expect(await worker.call('greet', 'Ada')).toBe(`good morning Ada from ${worker.pid}`)
    expect(worker.pid).not.toBe(process.pid)
    expect(await worker.call('condition')).toMatch(/packages\/core\/src\/index\.ts$/)
    await worker.stop()
    expect(worker.isRunning).toBe(false)
    await expect(worker.call('greet', 'Ada')).rejects.toThrow('is not running')
  })

  it('keeps the kinds of values and the name, code and cause of errors', async () => {
    const worker = await start()
    const value = {
      date: new Date(5),
      map: new Map([['a', 1n]]),
      bytes: new Uint8Array([1, 2]),
      none: undefined,
    }
    expect(await worker.call('echo', value)).toEqual(value)
    const error = await worker.call('fail').catch((reason: Error) => reason)
    expect(error).toMatchObject({
      name: 'TypeError',
      message: 'as asked',
      code: 'SAMPLE',
      cause: { message: 'deeper' },
    })
    await expect(worker.call('giveFunction')).rejects.toThrow('could not be cloned')
    await expect(worker.call('noSuch' as 'fail')).rejects.toThrow("no method 'noSuch'")
  })

  it('says why a module could not be started', async () => {
    await expect(start({ greeting: '', fails: true })).rejects.toThrow('cannot start')
    await expect(startWorker(new URL('./testing/none.worker.ts', import.meta.url))).rejects.toThrow(
      'none.worker.ts',
    )
    await expect(startWorker(new URL('../seed.ts', import.meta.url))).rejects.toThrow(
      "no object named 'worker'",
    )
  })

  it('stands still while paused', async () => {
    const worker = await start()
    worker.pause()
    let hasAnswered = false
    const answer = worker.call('greet', 'Ada').then(() => {
      hasAnswered = true
    })
    const other = await start()
    await other.call('greet', 'Bob')
    expect(hasAnswered).toBe(false)
    worker.resume()
    await answer
    worker.pause()
    await worker.stop()
  })

  it('rejects calls in flight when it is killed', async () => {
    const worker = await start()
    worker.pause()
    const answer = worker.call('greet', 'Ada')
    const rejected = expect(answer).rejects.toThrow('ended before it answered')
    await worker.kill()
    await rejected
    await worker.stop()
  })

  it('fails loudly after a rejection that nobody handled', async () => {
    const worker = await start()
    await worker.call('rejectUnhandled')
    await eventually('it is reported', () => worker.unhandled.length === 1)
    await expect(worker.call('greet', 'Ada')).rejects.toThrow('nobody listens')
    await expect(worker.stop()).rejects.toThrow('nobody listens')
  })

  it('fails calls and stop after an exception that nobody caught', async () => {
    const worker = await start()
    await worker.call('warn', 'a last word')
    await expect(worker.call('throwUncaught')).rejects.toThrow(
      /ended before it answered[\s\S]*a last word/,
    )
    await expect(worker.stop()).rejects.toThrow('is not running')
    expect(worker.unhandled[0]?.message).toBe('out of the blue')
  })

  it('does not accept a process that something keeps alive after its stop', async () => {
    const worker = await start()
    await worker.call('leaveTimer')
    await expect(worker.stop()).rejects.toThrow(/did not end by itself[\s\S]*Still open: .*Timeout/)
    const tidy = await start({ greeting: 'tidy' })
    await tidy.call('leaveTimer')
    await tidy.stop()
  }, 20_000)

  it('passes on that its stop failed', async () => {
    const worker = await start({ greeting: 'cannot stop' })
    await expect(worker.stop()).rejects.toThrow('stop failed')
    expect(worker.isRunning).toBe(false)
  })

  it('ends a process whose module has no stop', async () => {
    const url = new URL('./testing/no-stop.worker.ts', import.meta.url)
    await using worker = await startWorker<typeof import('./testing/no-stop.worker.ts').worker>(url)
    expect(await worker.call('ping')).toBe('pong')
  })
})
