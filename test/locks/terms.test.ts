/** What a holder may believe, on a manual clock: L2, L5, L10, L14, L15, L17. */

import {
  currentLock,
  LockLostError,
  LockTimeoutError,
  LockUnavailableError,
  StoreTimeoutError,
} from '@larder/core'
import { ManualClock } from '@larder/core/testing'
import { describe, expect, it } from 'vitest'
import { altered, gate, hang, type Recorded, recorded, stage, watch } from './support/stage.ts'

const TERM_MS = 10_000
/** A holder stops believing a hundredth and two milliseconds before the store does. */
const BELIEVED_MS = TERM_MS * 0.99 - 2

describe('a term', () => {
  it('is believed in from before it was asked for, and a little less long than it is', async () => {
    const { caches } = stage()
    const lock = await caches.locks.acquire('a', { lease: TERM_MS })
    expect(lock.remainingMs()).toBe(BELIEVED_MS)
  })

  it('counts the time its grant took to arrive (L2)', async () => {
    const clock = new ManualClock()
    const { caches } = stage(
      (provider) =>
        altered(provider, {
          acquire: async (request) => {
            const reply = await provider.acquire(request)
            clock.advance(700)
            return reply
          },
        }),
      clock,
    )
    const lock = await caches.locks.acquire('a', { lease: TERM_MS })
    expect(lock.remainingMs()).toBe(BELIEVED_MS - 700)
  })

  it('is renewed after a third of it, for as long as the work goes on', async () => {
    const asked: Recorded[] = []
    const clock = new ManualClock()
    const { caches } = stage((provider) => recorded(provider, clock, asked), clock)
    const lock = await caches.locks.acquire('a', { lease: TERM_MS, maxHold: '1h' })
    await clock.advanceAsync(60_000)
    expect(lock.remainingMs()).toBeGreaterThan(TERM_MS / 2)
    expect(lock.signal.aborted).toBe(false)
    const renewals = asked.filter(({ step }) => step === 'renew').map(({ at }) => at)
    expect(renewals.length).toBe(Math.floor(60_000 / Math.ceil(TERM_MS / 3)))
    expect(renewals[0]).toBe(Math.ceil(TERM_MS / 3))
  })

  it('is not renewed after release (L10)', async () => {
    const asked: Recorded[] = []
    const clock = new ManualClock()
    const { caches } = stage((provider) => recorded(provider, clock, asked), clock)
    const lock = await caches.locks.acquire('a', { lease: TERM_MS })
    await clock.advanceAsync(4_000)
    expect(await lock.release()).toBe(true)
    const before = asked.length
    await clock.advanceAsync(60_000)
    expect(asked.length).toBe(before)
    expect(clock.pending).toBe(0)
  })

  it('ends with maxHold, to the millisecond and no later on the store (L10)', async () => {
    const { caches, clock } = stage()
    const lock = await caches.locks.acquire('a', { lease: TERM_MS, maxHold: 25_000 })
    await clock.advanceAsync(24_000)
    expect(lock.signal.aborted).toBe(false)
    await clock.advanceAsync(1_000)
    expect(lock.signal.reason).toBeInstanceOf(LockLostError)
    expect((await caches.locks.inspect('a')).holders).toEqual([])
    await expect(caches.locks.acquire('a', { wait: 0 })).resolves.toMatchObject({ keys: ['a'] })
  })

  it('is lost at the local deadline while the store hangs, and not before (L5)', async () => {
    const { caches, clock } = stage((provider) => altered(provider, { renew: hang }))
    const lock = await caches.locks.acquire('a', { lease: TERM_MS })
    const { signal } = lock
    await clock.advanceAsync(BELIEVED_MS - 1)
    expect(signal.aborted).toBe(false)
    expect(lock.remainingMs()).toBe(1)
    lock.assertHeld()
    await clock.advanceAsync(1)
    expect(signal.reason).toBeInstanceOf(LockLostError)
    expect(lock.remainingMs()).toBe(0)
    expect(() => lock.assertHeld()).toThrow(LockLostError)
  })

  it('survives one renewal that fails', async () => {
    let renewals = 0
    const { caches, clock } = stage((provider) =>
      altered(provider, {
        renew: (target, termMs) => {
          renewals += 1
          return renewals === 1 ? hang() : provider.renew(target, termMs)
        },
      }),
    )
    const lock = await caches.locks.acquire('a', { lease: TERM_MS })
    await clock.advanceAsync(30_000)
    expect(lock.signal.aborted).toBe(false)
    expect(renewals).toBeGreaterThan(3)
  })

  it('is lost at once when the store says so (L5)', async () => {
    const { caches, clock, provider } = stage()
    const lock = await caches.locks.acquire('a', { lease: TERM_MS })
    const { holders } = await provider.inspect('a')
    await provider.leave({ name: 'a', mode: 'write', owner: holders[0]?.owner ?? '' })
    expect(lock.signal.aborted).toBe(false)
    await clock.advanceAsync(Math.ceil(TERM_MS / 3))
    expect(lock.signal.aborted).toBe(true)
  })

  it('is seen to be over even where the event loop stood still (L5)', async () => {
    const { caches, clock } = stage()
    const lock = await caches.locks.acquire('a', { lease: TERM_MS })
    // Time passes without any timer having run.
    clock.now = () => 2_000_000
    expect(() => lock.assertHeld()).toThrow(LockLostError)
    expect(lock.signal.aborted).toBe(true)
  })

  it('whose grant comes after its end is given back', async () => {
    const asked: Recorded[] = []
    const clock = new ManualClock()
    let isFirst = true
    const { caches } = stage(
      (provider) =>
        recorded(
          altered(provider, {
            acquire: async (request) => {
              const reply = await provider.acquire(request)
              if (isFirst) clock.advance(500)
              isFirst = false
              return reply
            },
          }),
          clock,
          asked,
        ),
      clock,
    )
    const lock = await caches.locks.acquire('a', { lease: 500, wait: '1m' })
    expect(lock.remainingMs()).toBe(500 * 0.99 - 2)
    expect(asked.map(({ step }) => step)).toEqual(['acquire', 'acquire'])
  })
})

describe('work under a lock', () => {
  it('gets a LockLostError that carries its result when the lock was lost (L14)', async () => {
    const { caches, clock } = stage((provider) => altered(provider, { renew: async () => false }))
    const lasting = gate()
    const outcome = caches.locks.run('a', { lease: TERM_MS }, async () => {
      await lasting.opened
      return 'done'
    })
    await clock.advanceAsync(TERM_MS)
    lasting.open()
    const error = await outcome.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(LockLostError)
    expect((error as LockLostError).result).toBe('done')
  })

  it('keeps its own error, lost or not (L14)', async () => {
    const { caches, clock } = stage((provider) => altered(provider, { renew: async () => false }))
    const lasting = gate()
    const outcome = caches.locks.run('a', { lease: TERM_MS }, async () => {
      await lasting.opened
      throw new RangeError('own')
    })
    const seen = watch(outcome)
    await clock.advanceAsync(TERM_MS)
    lasting.open()
    await expect(outcome).rejects.toThrow('own')
    expect(seen.error).toBeInstanceOf(RangeError)
  })

  it('keeps its result where loss is to be ignored', async () => {
    const { caches, clock } = stage((provider) => altered(provider, { renew: async () => false }))
    const lasting = gate()
    const outcome = caches.locks.run('a', { lease: TERM_MS, onLost: 'ignore' }, async () => {
      await lasting.opened
      return currentLock().signal.aborted
    })
    await clock.advanceAsync(TERM_MS)
    lasting.open()
    expect(await outcome).toBe(true)
  })

  it('keeps its result when giving back fails, and an event says so (L14)', async () => {
    const failure = new Error('gone')
    const { caches } = stage((provider) =>
      altered(provider, { release: () => Promise.reject(failure) }),
    )
    const outcomes: string[] = []
    caches.on('lock', ({ outcome }) => outcomes.push(outcome))
    expect(await caches.locks.run('a', {}, () => 42)).toBe(42)
    expect(outcomes).toEqual(['granted', 'release-failed'])
  })

  it('is told when the store forgot the lock meanwhile', async () => {
    const { caches, provider } = stage()
    const outcome = caches.locks.run('a', {}, async () => {
      const { holders } = await provider.inspect('a')
      await provider.leave({ name: 'a', mode: 'write', owner: holders[0]?.owner ?? '' })
      return 1
    })
    await expect(outcome).rejects.toThrow(LockLostError)
  })

  it('ends an `await using` block with the loss, after what the block threw', async () => {
    const { caches, clock } = stage((provider) => altered(provider, { renew: async () => false }))
    const block = async (): Promise<void> => {
      await using lock = await caches.locks.acquire('a', { lease: TERM_MS })
      await clock.advanceAsync(TERM_MS)
      expect(lock.signal.aborted).toBe(true)
    }
    await expect(block()).rejects.toThrow(LockLostError)
  })
})

describe('a store in trouble', () => {
  it('costs its deadline, and what it grants later is given back unused (L16, L17)', async () => {
    const asked: Recorded[] = []
    const late = gate()
    const clock = new ManualClock()
    const { caches, provider } = stage(
      (real) =>
        recorded(
          altered(real, {
            acquire: async (request) => {
              await late.opened
              return real.acquire(request)
            },
          }),
          clock,
          asked,
        ),
      clock,
    )
    let hasRun = false
    const outcome = watch(
      caches.locks.run('a', { lease: TERM_MS, wait: '1m' }, () => {
        hasRun = true
      }),
    )
    await clock.advanceAsync(1_000)
    expect(outcome.error).toBeInstanceOf(LockUnavailableError)
    expect((outcome.error as Error).cause).toBeInstanceOf(StoreTimeoutError)
    expect(asked.map(({ step }) => step)).toEqual(['acquire', 'leave'])
    late.open()
    await clock.advanceAsync(0)
    expect(hasRun).toBe(false)
    // The ghost grant came after the `leave`; it lasts for one term and no longer.
    expect((await provider.inspect('a')).holders.length).toBe(1)
    await clock.advanceAsync(TERM_MS)
    expect((await provider.inspect('a')).holders).toEqual([])
  })

  it('is told apart from a lock that is held', async () => {
    const broken = stage((provider) =>
      altered(provider, { acquire: () => Promise.reject(new Error('no')) }),
    )
    await expect(broken.caches.locks.acquire('a', { wait: 0 })).rejects.toThrow(
      LockUnavailableError,
    )
    const fine = stage()
    await fine.caches.locks.acquire('a')
    await expect(fine.caches.locks.acquire('a', { wait: 0 })).rejects.toThrow(LockTimeoutError)
  })

  it('is asked again while it refuses, until the deadline of one call', async () => {
    let refusals = 3
    const { caches, clock } = stage((provider) =>
      altered(provider, {
        acquire: (request) => {
          refusals -= 1
          return refusals >= 0 ? Promise.reject(new Error('no')) : provider.acquire(request)
        },
      }),
    )
    const outcome = watch(caches.locks.acquire('a'))
    await clock.advanceAsync(1_000)
    expect(outcome.state).toBe('resolved')
  })
})

describe('closing the manager', () => {
  it('ends waiting, gives back what is held, and leaves no timer (L15)', async () => {
    const { caches, clock, provider } = stage()
    const { locks } = caches
    const lock = await locks.acquire('a')
    const waiting = watch(locks.acquire('a', { wait: '1h' }))
    const behind = watch(locks.acquire('a', { wait: '1h' }))
    await clock.advanceAsync(10)
    let wasReleased = false
    const { release } = provider
    provider.release = (target) => {
      wasReleased = true
      return release.call(provider, target)
    }
    await caches.close()
    await clock.advanceAsync(0)
    expect(wasReleased).toBe(true)
    expect([waiting, behind].map(({ error }) => (error as Error).name)).toEqual([
      'ClosedError',
      'ClosedError',
    ])
    expect(lock.signal.aborted).toBe(true)
    expect(clock.pending).toBe(0)
    expect(() => caches.locks).toThrow('closed')
  })
})
