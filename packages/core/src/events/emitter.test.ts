import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Emitter } from './emitter.ts'
import type { CacheEvents } from './events.ts'

const MISS: CacheEvents['miss'] = { cache: 'c', key: 'c:k', reason: 'absent' }

/** Rejections that nobody handled while the test ran; such a one ends a process. */
function unhandledRejections(): readonly unknown[] {
  const seen: unknown[] = []
  const note = (reason: unknown): void => void seen.push(reason)
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', note)
  onTestFinished(() => {
    process.off('unhandledRejection', note)
    for (const listener of others) process.on('unhandledRejection', listener)
  })
  return seen
}

const aTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('what listeners do wrong', () => {
  it('ends neither the process nor the turn of the next listener', async () => {
    const events = new Emitter()
    const unhandled = unhandledRejections()
    const last = vi.fn()
    events.on('miss', async () => {
      await aTurn()
      throw new Error('too late to be caught')
    })
    events.on('miss', () => {
      throw new Error('at once')
    })
    const broken = Object.defineProperty({}, 'then', {
      get: () => {
        throw new Error('no promise at all')
      },
    })
    events.on('miss', (() => broken) as () => void)
    events.on('miss', last)
    events.emit('miss', MISS)
    await aTurn()
    await aTurn()
    await aTurn()
    expect(unhandled).toEqual([])
    expect(last).toHaveBeenCalledExactlyOnceWith(MISS)
  })
})

describe('a listener', () => {
  it('runs in the async context in which it was added, not in that of whoever causes the event', () => {
    const events = new Emitter()
    const who = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    who.run('observer', () => events.on('miss', () => seen.push(who.getStore())))
    events.on('miss', () => seen.push(who.getStore()))
    who.run('caller', () => events.emit('miss', MISS))
    expect(seen).toEqual(['observer', undefined])
  })

  it('that was added twice is called once, and not at all after either was taken away', () => {
    const events = new Emitter()
    const listener = vi.fn()
    const off = events.on('miss', listener)
    events.on('miss', listener)
    events.emit('miss', MISS)
    expect(listener).toHaveBeenCalledOnce()
    off()
    events.emit('miss', MISS)
    expect([listener.mock.calls.length, events.heard.has('miss')]).toEqual([1, false])
  })
})
