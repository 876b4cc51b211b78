/** What a holder can do with a lock: extend it, end its renewal; whose context it is in; weights; fences; names. */

import { AsyncLocalStorage } from 'node:async_hooks'
import {
  createCacheManager,
  currentLock,
  InvalidOptionError,
  LockLostError,
  LockTimeoutError,
  LockUnavailableError,
  WithLock,
} from '@larder/core'
import { ManualClock } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { LockTable } from '../../packages/local-store/src/locks/lock-table.ts'
import { freshNamespace } from '../support/nodes.ts'
import { altered, hang, type Recorded, recorded, stage, watch } from './support/stage.ts'

const TERM_MS = 10_000

describe('extend', () => {
  it('has the term outlast a process that cannot renew, and a renewal does not shorten it', async () => {
    const asked: Recorded[] = []
    const clock = new ManualClock(1_000_000)
    const { caches } = stage((provider) => recorded(provider, clock, asked), clock)
    const lock = await caches.locks.acquire('a', { lease: TERM_MS })
    expect(await lock.extend('1m')).toBe(60_000 * 0.99 - 2)
    const before = asked.length
    await clock.advanceAsync(50_000)
    // A renewal of the usual length would be no use yet.
    expect(asked.length).toBe(before)
    for (let turn = 0; turn < 20; turn++) {
      await clock.advanceAsync(3_000)
      const [holder] = (await caches.locks.inspect('a')).holders
      expect(holder?.remainingMs).toBeGreaterThanOrEqual(lock.remainingMs())
      expect(lock.remainingMs()).toBeGreaterThan(TERM_MS / 2)
    }
    expect(await lock.release()).toBe(true)
  })

  it('goes beyond maxHold, and no further', async () => {
    const { caches, clock } = stage()
    const lock = await caches.locks.acquire('a', { lease: TERM_MS, maxHold: TERM_MS })
    await lock.extend('30s')
    await clock.advanceAsync(29_000)
    lock.assertHeld()
    await clock.advanceAsync(1_000)
    expect(lock.signal.aborted).toBe(true)
    await expect(lock.extend('30s')).rejects.toThrow(LockLostError)
  })

  it('says when the store does not, and changes nothing then', async () => {
    let hangs = false
    const { caches, clock } = stage((real) =>
      altered(real, { renew: (target, ms) => (hangs ? hang() : real.renew(target, ms)) }),
    )
    const lock = await caches.locks.acquire('a', { lease: TERM_MS })
    hangs = true
    const asked = watch(lock.extend('1m'))
    await clock.advanceAsync(1_000)
    expect(asked.error).toBeInstanceOf(LockUnavailableError)
    expect(lock.remainingMs()).toBe(TERM_MS * 0.99 - 2 - 1_000)
  })

  it('finds out that the lock was lost', async () => {
    const { caches, provider } = stage()
    const lock = await caches.locks.acquire('a')
    const { holders } = await provider.inspect('a')
    await provider.leave({ name: 'a', mode: 'write', owner: holders[0]?.owner ?? '' })
    await expect(lock.extend('1m')).rejects.toThrow(LockLostError)
    expect(lock.signal.aborted).toBe(true)
  })

  it.each([0, 99, '2d', 'soon', Number.NaN])('takes 100 ms to a day, not %s', async (lease) => {
    const { caches } = stage()
    const lock = await caches.locks.acquire('a')
    await expect(lock.extend(lease as number)).rejects.toThrow(InvalidOptionError)
    expect(() => lock.renewFor('31d')).toThrow(InvalidOptionError)
  })
})

describe('renewFor', () => {
  it('ends the renewal, and the lock with its term', async () => {
    const asked: Recorded[] = []
    const clock = new ManualClock(1_000_000)
    const { caches } = stage((provider) => recorded(provider, clock, asked), clock)
    const lock = await caches.locks.acquire('a', { lease: TERM_MS })
    await clock.advanceAsync(4_000)
    const before = asked.length
    lock.renewFor(0)
    await clock.advanceAsync(9_000)
    lock.assertHeld()
    await clock.advanceAsync(1_000)
    expect(lock.signal.aborted).toBe(true)
    expect(asked.length).toBe(before)
  })

  it('begins it again, and goes beyond maxHold', async () => {
    const { caches, clock } = stage()
    const lock = await caches.locks.acquire('a', { lease: TERM_MS, maxHold: 15_000 })
    lock.renewFor(0)
    await clock.advanceAsync(5_000)
    lock.renewFor('1m')
    await clock.advanceAsync(59_000)
    lock.assertHeld()
    await clock.advanceAsync(2_000)
    expect(lock.signal.aborted).toBe(true)
  })

  it('of a share makes the outer lock last longer, never shorter', async () => {
    const { caches, clock } = stage()
    await caches.locks.run('a', { lease: TERM_MS }, async (outer) => {
      await caches.locks.run('a', {}, (share) => share.renewFor(0))
      await clock.advanceAsync(60_000)
      outer.assertHeld()
      await caches.locks.run('a', {}, (share) => share.renewFor('20m'))
      await clock.advanceAsync(15 * 60_000)
      outer.assertHeld()
    })
  })
})

describe('weights', () => {
  it('add up to what there is, and the heavy are not overtaken', async () => {
    const { caches, clock } = stage()
    const take = (weight: number, wait: number | string = 0) =>
      caches.locks.acquire('a', { permits: 10, weight, wait: wait as number })
    const first = await take(6)
    const second = await take(3)
    await expect(take(2)).rejects.toThrow(LockTimeoutError)
    const heavy = watch(take(7, '1m'))
    await clock.advanceAsync(1)
    // One would fit, but comes behind.
    const light = watch(take(1, '1m'))
    await clock.advanceAsync(1)
    expect([heavy.state, light.state]).toEqual(['pending', 'pending'])
    await first.release()
    await clock.advanceAsync(1)
    expect([heavy.state, light.state]).toEqual(['resolved', 'pending'])
    await second.release()
    await clock.advanceAsync(1)
    expect(light.state).toBe('resolved')
    expect((await caches.locks.inspect('a')).holders.length).toBe(2)
  })

  it.each([
    ['above the permits', { permits: 3, weight: 4 }],
    ['of none', { permits: 3, weight: 0 }],
    ['of a part', { permits: 3, weight: 1.5 }],
    ['without permits', { weight: 1 }],
  ])('%s are refused', async (_what, options) => {
    const { caches } = stage()
    await expect(caches.locks.acquire('a', options)).rejects.toThrow(/locks\.acquire\.weight/)
  })

  it('are refused by a provider that does not know them', async () => {
    const { caches } = stage((real) =>
      altered(real, { capabilities: { ...real.capabilities, weights: false } }),
    )
    await expect(caches.locks.acquire('a', { permits: 3, weight: 2 })).rejects.toThrow(/weight/)
    await caches.locks.acquire('a', { permits: 3 })
  })
})

describe('the name of a lock', () => {
  it.each([
    ['a text', 'k'],
    ['200 characters', 'k'.repeat(200)],
    ['201 characters', 'k'.repeat(201)],
    ['5 000 characters', 'k'.repeat(5_000)],
    ['a lone surrogate', 'a\ud800'],
    ['a number', 7],
    ['a bigint', 7n],
    ['parts', ['order', 7, 'a:b']],
  ] as const)('is the same for a decorator and for caches.locks: %s', async (_what, key) => {
    const caches = createCacheManager({ namespace: freshNamespace(), local: lruStore() })
    onTestFinished(() => caches.close())
    const decorate = WithLock({ key: () => key, wait: 0 }) as unknown as (
      target: object,
      name: string,
      descriptor: PropertyDescriptor,
    ) => PropertyDescriptor
    const Service = class {
      async work(): Promise<readonly string[]> {
        return currentLock().keys
      }
    }
    const { prototype } = Service
    const own = Object.getOwnPropertyDescriptor(prototype, 'work') as PropertyDescriptor
    Object.defineProperty(prototype, 'work', decorate(prototype, 'work', own) ?? own)
    const names = await new Service().work()
    await using lock = await caches.locks.acquire([key], { wait: 0 })
    expect(lock.keys).toEqual(names)
    expect(lock.fenceOf(key)).toBe(lock.fence)
    expect((await caches.locks.inspect(key)).holders.length).toBe(1)
    await expect(new Service().work()).rejects.toThrow(LockTimeoutError)
  })

  it('is one for texts, numbers and parts that say the same', async () => {
    const { caches } = stage()
    await using _held = await caches.locks.acquire([['order', 7]])
    await expect(caches.locks.acquire('order:7', { wait: 0 })).rejects.toThrow(LockTimeoutError)
    await using _other = await caches.locks.acquire(7)
    await expect(caches.locks.acquire(['7'], { wait: 0 })).rejects.toThrow(LockTimeoutError)
  })
})

describe('the async context', () => {
  it('is each caller’s own, whoever wakes it, and nobody gets in by that of another', async () => {
    const { caches, clock } = stage()
    const tenants = new AsyncLocalStorage<string>()
    let inside = 0
    let most = 0
    const seen: (readonly [string, string | undefined])[] = []
    const callers = ['a', 'b', 'c', 'd', 'e'].map((tenant, n) =>
      tenants.run(tenant, () =>
        caches.locks.run(
          'k',
          { wait: '1m', fair: n % 2 === 0 ? 'process' : 'global' },
          async () => {
            inside += 1
            most = Math.max(most, inside)
            await Promise.resolve()
            seen.push([tenant, tenants.getStore()])
            inside -= 1
          },
        ),
      ),
    )
    for (let turn = 0; turn < 30; turn++) await clock.advanceAsync(10)
    await Promise.all(callers)
    expect(most).toBe(1)
    for (const [tenant, store] of seen) expect(store).toBe(tenant)
  })

  it('of who took a lock is that of who listens for its loss', async () => {
    const { caches, clock } = stage((provider) => altered(provider, { renew: async () => false }))
    const tenants = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    let share: Promise<unknown> | undefined
    const outer = tenants.run('outer', () =>
      caches.locks.run('a', { lease: TERM_MS }, (lock) => {
        lock.signal.addEventListener('abort', () => seen.push(tenants.getStore()))
        share = tenants.run('share', () =>
          caches.locks.run('a', {}, async (own) => {
            own.signal.addEventListener('abort', () => seen.push(tenants.getStore()))
            await new Promise((resolve) => own.signal.addEventListener('abort', resolve))
          }),
        )
        return share
      }),
    )
    const outcome = watch(outer)
    await clock.advanceAsync(TERM_MS)
    expect(seen).toEqual(['outer', 'share'])
    expect(outcome.error).toBeInstanceOf(LockLostError)
  })
})

describe('fences', () => {
  it('rise where the clock was set back, and twice in one microsecond', () => {
    const table = new LockTable(() => undefined)
    const grant = (nowUs: number, owner: string): number => {
      const request = {
        name: 'a',
        mode: 'write',
        owner,
        permits: 1,
        termMs: 100,
        heartbeatMs: 0,
      } as const
      const answer = table.acquire(request, nowUs)
      table.release(request, nowUs)
      return answer.kind === 'granted' ? answer.fence : 0
    }
    const fences = [
      grant(5_000_000, 'a'),
      grant(5_000_000, 'b'),
      grant(1_000_000, 'c'),
      grant(1_000_000, 'd'),
    ]
    expect(fences).toEqual([5_000_000, 5_000_001, 5_000_002, 5_000_003])
  })
})
