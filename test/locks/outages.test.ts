/** What callers learn when the store cannot say, and what they get instead, on a manual clock. */

import { setMaxListeners } from 'node:events'
import {
  type CacheManager,
  createCacheManager,
  LockTimeoutError,
  LockUnavailableError,
  StoreKeyError,
} from '@larder/core'
import type { LockProvider } from '@larder/core/store'
import { ManualClock } from '@larder/core/testing'
import { localLocks, lruStore } from '@larder/local-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { altered, hang, stage, watch } from './support/stage.ts'

/** A shared store that hangs, or refuses, while told to. */
class Trouble {
  mode: 'none' | 'hangs' | 'refuses' = 'none'
  asked = 0

  wrap(real: LockProvider): LockProvider {
    const guard = <Result>(call: () => Promise<Result>): Promise<Result> => {
      if (this.mode === 'hangs') return hang()
      return this.mode === 'refuses' ? Promise.reject(new Error('refused')) : call()
    }
    return altered(real, {
      name: 'remote',
      capabilities: { ...real.capabilities, shared: true },
      acquire: (request) => {
        this.asked += 1
        return guard(() => real.acquire(request))
      },
      renew: (target, ms) => guard(() => real.renew(target, ms)),
      release: (target) => guard(() => real.release(target)),
      leave: (target) => guard(() => real.leave(target)),
    })
  }
}

function troubled(): { trouble: Trouble; clock: ManualClock; caches: CacheManager } {
  const trouble = new Trouble()
  const clock = new ManualClock(1_000_000)
  const namespace = freshNamespace()
  const caches = createCacheManager({
    namespace,
    local: Object.assign(lruStore(), { locks: localLocks({ clock }) }),
    locks: trouble.wrap(localLocks({ clock })),
    clock,
    default: false,
  })
  onTestFinished(async () => {
    const closing = caches.close()
    await clock.advanceAsync(2_000)
    await closing
  })
  return { trouble, clock, caches }
}

describe('a store that hangs', () => {
  it('fails all callers of one key together, as nobody can say, and later ones at once', async () => {
    const { caches, clock, trouble } = troubled()
    trouble.mode = 'hangs'
    const callers = Array.from({ length: 14 }, () =>
      watch(caches.locks.acquire('a', { wait: '10s' })),
    )
    await clock.advanceAsync(1_000)
    for (const { error } of callers) expect(error).toBeInstanceOf(LockUnavailableError)
    // The goodbye of the first failed as well, so this is the third failure, and it is known.
    const third = watch(caches.locks.acquire('b'))
    await clock.advanceAsync(1_000)
    expect(third.error).toBeInstanceOf(LockUnavailableError)
    const asked = trouble.asked
    const late = Array.from({ length: 14 }, () => watch(caches.locks.acquire('a', { wait: '10s' })))
    await clock.advanceAsync(0)
    for (const { error } of late) expect(error).toBeInstanceOf(LockUnavailableError)
    expect(trouble.asked).toBe(asked)
  })

  it('is not a held lock, however short the wait', async () => {
    const { caches, clock, trouble } = troubled()
    trouble.mode = 'hangs'
    const first = watch(caches.locks.acquire('a', { wait: '10s' }))
    const behind = watch(caches.locks.acquire('a', { wait: 300 }))
    await clock.advanceAsync(300)
    expect(behind.error).toBeInstanceOf(LockUnavailableError)
    await clock.advanceAsync(700)
    expect(first.error).toBeInstanceOf(LockUnavailableError)
  })

  it('still lets a held lock be a held lock for those who queue in this process', async () => {
    const { caches, clock } = troubled()
    await caches.locks.acquire('a', { lease: '1m' })
    const first = watch(caches.locks.acquire('a', { wait: '1h' }))
    await clock.advanceAsync(10)
    const behind = watch(caches.locks.acquire('a', { wait: 300 }))
    await clock.advanceAsync(300)
    expect(behind.error).toBeInstanceOf(LockTimeoutError)
    expect(first.state).toBe('pending')
  })

  it('costs those who fall back one deadline together, and then nothing', async () => {
    const { caches, clock, trouble } = troubled()
    trouble.mode = 'hangs'
    let inside = 0
    let most = 0
    const run = (): Promise<void> =>
      caches.locks.run('a', { onUnavailable: 'local', wait: '1m' }, async (lock) => {
        expect(lock.source).toBe('local')
        inside += 1
        most = Math.max(most, inside)
        await Promise.resolve()
        inside -= 1
      })
    const callers = Array.from({ length: 8 }, () => watch(run()))
    await clock.advanceAsync(1_100)
    for (const { state } of callers) expect(state).toBe('resolved')
    expect(most).toBe(1)
  })
})

describe("onUnavailable: 'local'", () => {
  const options = { onUnavailable: 'local', wait: '1m', lease: '10s' } as const

  it.each(['local', 'throw'] as const)(
    'gives no second holder while a lock of the shared store is held (taken with %s)',
    async (onUnavailable) => {
      const { caches, clock, trouble } = troubled()
      const held = await caches.locks.acquire('a', { ...options, onUnavailable })
      expect(held.source).toBe('remote')
      trouble.mode = 'hangs'
      const second = watch(caches.locks.acquire('a', options))
      await clock.advanceAsync(5_000)
      held.assertHeld()
      expect(second.state).toBe('pending')
      // It is lost by its own clock, and only then somebody else is inside.
      await clock.advanceAsync(10_000)
      expect(held.signal.aborted).toBe(true)
      expect(second.value?.source).toBe('local')
    },
  )

  it.each(['local', 'throw'] as const)(
    'gives no second holder once the store is back (asked with %s)',
    async (onUnavailable) => {
      const { caches, clock, trouble } = troubled()
      trouble.mode = 'refuses'
      const first = watch(caches.locks.acquire('a', options))
      await clock.advanceAsync(1_100)
      expect(first.value?.source).toBe('local')
      trouble.mode = 'none'
      await clock.advanceAsync(10_000)
      const second = watch(caches.locks.acquire('a', { ...options, onUnavailable }))
      await clock.advanceAsync(1_000)
      first.value?.assertHeld()
      expect(second.state).toBe('pending')
      await first.value?.release()
      await clock.advanceAsync(100)
      expect(second.value?.source).toBe('remote')
      second.value?.assertHeld()
    },
  )

  it('finds out once, for several locks of one caller', async () => {
    const { caches, clock, trouble } = troubled()
    trouble.mode = 'hangs'
    const several = watch(caches.locks.acquire(['a', 'b', 'c', 'd'], options))
    await clock.advanceAsync(1_100)
    expect(several.value?.source).toBe('local')
    const beside = watch(caches.locks.acquire('d', { ...options, wait: 0 }))
    await clock.advanceAsync(1_100)
    expect(beside.state).toBe('rejected')
  })

  it('asks the shared store again for those whom the outage made wait', async () => {
    const { caches, clock, trouble } = troubled()
    trouble.mode = 'refuses'
    const first = watch(caches.locks.acquire('a', options))
    await clock.advanceAsync(1_100)
    const second = watch(caches.locks.acquire('a', options))
    await clock.advanceAsync(1_100)
    trouble.mode = 'none'
    await clock.advanceAsync(10_000)
    await caches.locks.run('another', {}, () => undefined)
    await first.value?.release()
    await clock.advanceAsync(100)
    expect(second.value?.source).toBe('remote')
  })

  it('gives the shared lock back where the one of this process does not come in time', async () => {
    const { caches, clock, trouble } = troubled()
    trouble.mode = 'refuses'
    const first = watch(caches.locks.acquire('a', options))
    await clock.advanceAsync(1_100)
    trouble.mode = 'none'
    await clock.advanceAsync(10_000)
    const second = watch(caches.locks.acquire('a', { wait: 500 }))
    await clock.advanceAsync(600)
    expect(second.error).toBeInstanceOf(LockTimeoutError)
    expect((await caches.locks.inspect('a')).holders).toEqual([])
    expect(first.value?.remainingMs()).toBeGreaterThan(0)
  })
})

describe('an error about one key', () => {
  it('ends the waiting at once, and is no trouble of the store', async () => {
    const { caches, clock } = stage((real) =>
      altered(real, {
        acquire: (request) =>
          request.name === 'spoilt'
            ? Promise.reject(new StoreKeyError('locks.acquire', new Error('WRONGTYPE')))
            : real.acquire(request),
      }),
    )
    for (let n = 0; n < 10; n++) {
      const spoilt = watch(caches.locks.acquire('spoilt', { wait: '10s' }))
      await clock.advanceAsync(0)
      expect(spoilt.error).toBeInstanceOf(LockUnavailableError)
    }
    expect((await caches.locks.acquire('fine', { wait: 0 })).keys).toEqual(['fine'])
  })
})

describe('a process that stood still', () => {
  it('blames nobody, and asks again while its wait is not over', async () => {
    class LateClock extends ManualClock {
      lateMs = 0
      override now(): number {
        return super.now() + this.lateMs
      }
    }
    const clock = new LateClock(1_000_000)
    let hangs = true
    const { caches } = stage(
      (real) => altered(real, { acquire: (request) => (hangs ? hang() : real.acquire(request)) }),
      clock,
    )
    const asked = Array.from({ length: 4 }, (_, n) =>
      watch(caches.locks.acquire(`k${n}`, { wait: '20s' })),
    )
    await clock.advanceAsync(0)
    for (let time = 0; time < 2; time++) {
      clock.lateMs += 1_300
      await clock.advanceAsync(1_000)
    }
    expect(asked.map(({ state }) => state)).toEqual(Array(4).fill('pending'))
    hangs = false
    await clock.advanceAsync(1_000)
    expect(asked.map(({ state }) => state)).toEqual(Array(4).fill('resolved'))
    expect((await caches.locks.acquire('fresh', { wait: 0 })).keys).toEqual(['fresh'])
  })
})

describe('several keys', () => {
  it('are all held when the work begins: one lost meanwhile is taken again', async () => {
    const { caches, clock } = stage()
    const b = await caches.locks.acquire('b', { lease: '1m' })
    const held: (readonly string[])[] = []
    const options = { lease: 1_000, maxHold: 1_000, wait: '1m' } as const
    const run = watch(
      caches.locks.run(['a', 'b'], options, async (lock) => {
        lock.assertHeld()
        held.push(lock.keys)
        expect((await caches.locks.inspect('a')).holders.length).toBe(1)
      }),
    )
    await clock.advanceAsync(1_500)
    const stolen = await caches.locks.acquire('a', { lease: '1m' })
    await b.release()
    await clock.advanceAsync(3_000)
    // `a` is in other hands, so nothing ran.
    expect([run.state, held.length]).toEqual(['pending', 0])
    await stolen.release()
    await clock.advanceAsync(100)
    expect([run.state, held]).toEqual(['resolved', [['a', 'b']]])
  })

  it('that cannot be held together in time are a lock that stayed held', async () => {
    const { caches, clock } = stage()
    const b = await caches.locks.acquire('b', { lease: '1m' })
    let hasRun = false
    const options = { lease: 1_000, maxHold: 1_000, wait: 2_500 } as const
    const run = watch(
      caches.locks.run(['a', 'b'], options, () => {
        hasRun = true
      }),
    )
    await clock.advanceAsync(1_500)
    const stolen = await caches.locks.acquire('a', { lease: '1m' })
    await b.release()
    await clock.advanceAsync(3_000)
    expect(run.error).toBeInstanceOf(LockTimeoutError)
    expect(hasRun).toBe(false)
    expect((await caches.locks.inspect('b')).holders).toEqual([])
    await stolen.release()
  })
})

describe("the caller's own signal", () => {
  it('has one listener for any number of waits, and none afterwards', async () => {
    const { caches, clock } = stage()
    const held = await caches.locks.acquire('a')
    const { signal } = new AbortController()
    let listeners = 0
    let most = 0
    const { addEventListener, removeEventListener } = signal
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners += 1
      most = Math.max(most, listeners)
      addEventListener.apply(signal, args)
    }
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners -= 1
      removeEventListener.apply(signal, args)
    }
    setMaxListeners(1, signal)
    const waits = Array.from({ length: 40 }, (_, n) =>
      caches.locks.run(
        'a',
        { signal, wait: '1h', fair: n % 2 === 0 ? 'process' : 'global' },
        () => undefined,
      ),
    )
    await clock.advanceAsync(5)
    await held.release()
    for (let turn = 0; turn < 50; turn++) await clock.advanceAsync(5)
    await Promise.all(waits)
    expect([most, listeners]).toEqual([1, 0])
  })
})

describe('managers of one namespace in one process', () => {
  it('share the locks of this process', async () => {
    const namespace = freshNamespace()
    const make = (): CacheManager => {
      const caches = createCacheManager({ namespace, local: lruStore(), default: false })
      onTestFinished(() => caches.close())
      return caches
    }
    const [one, other, stranger] = [make(), make(), troubled().caches]
    const held = await one.locks.acquire('a')
    await expect(other.locks.acquire('a', { wait: 0 })).rejects.toThrow(LockTimeoutError)
    await stranger.locks.run('a', { wait: 0 }, () => undefined)
    const waiting = other.locks.acquire('a', { wait: '1m' })
    // The wake-up reaches the other one, and what closes does not take it away.
    const third = make()
    await third.locks.run('b', {}, () => undefined)
    await third.close()
    await expect(other.locks.acquire('a', { wait: 0 })).rejects.toThrow(LockTimeoutError)
    await held.release()
    await (await waiting).release()
  })
})

it('what is waited for holds the process, and what is renewed does not', async () => {
  const { caches, clock } = stage()
  const lock = await caches.locks.acquire('a')
  expect(clock.held).toBe(0)
  const turn = caches.locks.acquire('a', { wait: '1m' })
  const behind = caches.locks.acquire('a', { wait: '1m' })
  await clock.advanceAsync(5)
  expect(clock.held).toBeGreaterThanOrEqual(2)
  await lock.release()
  await (await turn).release()
  await (await behind).release()
  expect(clock.held).toBe(0)
})
