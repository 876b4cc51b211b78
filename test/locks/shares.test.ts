/** Shares: nested calls that lock what the running code holds already. A share owns a part of the lock. */

import {
  createCacheManager,
  currentLock,
  InvalidOptionError,
  LockLostError,
  LockUnavailableError,
  NoLockError,
} from '@larder/core'
import { localLocks, lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { altered, gate, stage, watch } from './support/stage.ts'

const TERM_MS = 10_000

it('keeps the lock until the last share has ended, also when the outer work threw', async () => {
  const { caches, clock } = stage()
  const { locks } = caches
  const sharing = gate()
  let inner: Promise<number> | undefined
  const outer = watch(
    locks.run('a', {}, () => {
      inner = locks.run('a', {}, async (lock) => {
        await sharing.opened
        lock.assertHeld()
        return lock.fence
      })
      throw new RangeError('first')
    }),
  )
  const other = watch(locks.run('a', { wait: '1m' }, ({ fence }) => fence))
  await clock.advanceAsync(25_000)
  // The term is renewed meanwhile, and the outer call has not come back.
  expect([outer.state, other.state]).toEqual(['pending', 'pending'])
  sharing.open()
  await clock.advanceAsync(10)
  expect(outer.error).toBeInstanceOf(RangeError)
  expect(other.value).toBeGreaterThan((await inner) ?? Number.POSITIVE_INFINITY)
})

it('keeps the lock for a share that was taken by hand, without keeping the outer call', async () => {
  const { caches, clock } = stage()
  const { locks } = caches
  const share = await locks.run('a', {}, () => locks.acquire('a'))
  const other = watch(locks.acquire('a', { wait: '1m' }))
  await clock.advanceAsync(15_000)
  share.assertHeld()
  expect(other.state).toBe('pending')
  expect(await share.release()).toBe(true)
  expect(await share.release()).toBe(false)
  await clock.advanceAsync(10)
  expect(other.state).toBe('resolved')
})

it('keeps the lock for a share that still waits for another key', async () => {
  const { caches, clock } = stage()
  const { locks } = caches
  const b = await locks.acquire('b')
  let inner: Promise<number> | undefined
  const outer = watch(
    locks.run('a', {}, () => {
      inner = locks.run(['a', 'b'], { wait: '1m' }, (lock) => lock.fenceOf('a'))
    }),
  )
  await clock.advanceAsync(5)
  const other = watch(locks.acquire('a', { wait: '1m' }))
  await clock.advanceAsync(5_000)
  expect([outer.state, other.state]).toEqual(['pending', 'pending'])
  await b.release()
  await clock.advanceAsync(5)
  expect(await inner).toBeGreaterThan(0)
  expect([outer.state, other.state]).toEqual(['resolved', 'resolved'])
})

it('tells every share, and each of their callers, that the lock was lost', async () => {
  const { caches, clock } = stage((provider) => altered(provider, { renew: async () => false }))
  const { locks } = caches
  const lasting = gate()
  const aborted: string[] = []
  const work = async (name: string): Promise<string> => {
    const { signal } = currentLock()
    signal.addEventListener('abort', () => aborted.push(name))
    await lasting.opened
    return name
  }
  const seen: { readonly error?: unknown }[] = []
  const outer = locks.run('a', { lease: TERM_MS }, () => {
    for (const name of ['one', 'two']) seen.push(watch(locks.run('a', {}, () => work(name))))
    return work('outer')
  })
  seen.push(watch(outer))
  await clock.advanceAsync(TERM_MS)
  expect(aborted.sort()).toEqual(['one', 'outer', 'two'])
  lasting.open()
  await clock.advanceAsync(0)
  expect(seen.map(({ error }) => error)).toEqual([
    expect.any(LockLostError),
    expect.any(LockLostError),
    expect.any(LockLostError),
  ])
})

it('does not share in a lock that was lost: it is taken anew', async () => {
  let isForgotten = true
  const { caches, clock, provider } = stage((real) =>
    altered(real, {
      renew: async (target, ms) => (isForgotten ? false : real.renew(target, ms)),
    }),
  )
  const { locks } = caches
  const lasting = gate()
  const fences: number[] = []
  const outer = locks.run('a', { lease: TERM_MS }, async (lost) => {
    fences.push(lost.fence)
    await lasting.opened
    await provider.leave({
      name: 'a',
      mode: 'write',
      owner: (await locks.inspect('a')).holders[0]?.owner ?? '',
    })
    isForgotten = false
    await locks.run('a', {}, ({ fence }) => fences.push(fence))
  })
  const seen = watch(outer)
  await clock.advanceAsync(TERM_MS)
  lasting.open()
  await clock.advanceAsync(10)
  expect(seen.error).toBeInstanceOf(LockLostError)
  expect(fences[1]).toBeGreaterThan(fences[0] ?? Number.POSITIVE_INFINITY)
})

it('ends where the outer work ended: what goes on is outside, whoever else holds locks meanwhile', async () => {
  const { caches, clock } = stage()
  const { locks } = caches
  const end = gate()
  const seen: unknown[] = []
  const stranger = gate()
  void locks.run('stranger', {}, () => stranger.opened)
  await locks.run('outer', {}, () =>
    locks
      .run('a', {}, () => {
        void end.opened.then(() => {
          seen.push(nameOfCurrent())
        })
      })
      .then(() => {
        end.open()
      }),
  )
  const late = gate()
  await locks.run('a', {}, () => {
    void late.opened.then(() => {
      seen.push(nameOfCurrent())
    })
  })
  late.open()
  await clock.advanceAsync(0)
  // Still inside of the outer one; then inside of none.
  expect(seen).toEqual(['outer', NoLockError])
  stranger.open()
})

it('is never less than what it asks for', async () => {
  const { caches } = stage()
  const { locks } = caches
  const permits = locks.run('p', { permits: 5, weight: 2 }, () =>
    locks.run('p', { permits: 5, weight: 3 }, () => undefined),
  )
  await expect(permits).rejects.toThrow(InvalidOptionError)
  await locks.run('p', { permits: 5, weight: 2 }, () =>
    locks.run('p', { permits: 5 }, () => undefined),
  )
})

it('is not had in a lock within this process by who wants one of the shared store', async () => {
  const away = createCacheManager({
    namespace: 'shares-away',
    local: lruStore(),
    locks: altered(localLocks(), {
      name: 'remote',
      capabilities: { shared: true, queues: true, replicas: false, modes: ['write'] },
      acquire: () => Promise.reject(new Error('away')),
    }),
    default: false,
  })
  onTestFinished(() => away.close())
  const { locks } = away
  await locks.run('a', { wait: 0, onUnavailable: 'local' }, async (outer) => {
    expect(outer.source).toBe('local')
    await expect(locks.run('a', { wait: 0 }, () => undefined)).rejects.toThrow(LockUnavailableError)
    await locks.run('a', { wait: 0, onUnavailable: 'local' }, ({ source }) =>
      expect(source).toBe('local'),
    )
  })
})

it('is not had by a caller whose load began in the same tick as that of one inside the lock', async () => {
  const caches = createCacheManager({
    namespace: freshNamespace(),
    local: lruStore(),
    remote: redisStore({ url: inject('redisUrl') }),
    default: false,
  })
  onTestFinished(() => caches.close())
  const cache = caches.cache('values', { ttl: '1m' })
  await caches.locks.run('k', {}, () => cache.getOrLoad('warm-up', async () => 1))
  const inside: number[] = []
  const load = (n: number) => async (): Promise<number> =>
    caches.locks.run('k', { wait: '30s' }, async ({ fence }) => {
      inside.push(fence)
      return n
    })
  const begun = gate()
  const ended = gate()
  const stranger = begun.opened.then(() => cache.getOrLoad('b', load(2)))
  const holder = caches.locks.run('k', { wait: '30s' }, async (lock) => {
    begun.open()
    const own = await cache.getOrLoad('a', load(1))
    await ended.opened
    lock.assertHeld()
    return [own, lock.fence, inside.slice()] as const
  })
  await eventually('the load of the holder has run', async () => inside.length > 0)
  const waiting = await caches.locks.inspect('k')
  expect(waiting.holders.length).toBe(1)
  ended.open()
  const [own, fence, seen] = await holder
  // Nobody else was inside with the fence of the holder.
  expect([own, seen]).toEqual([1, [fence]])
  expect(await stranger).toBe(2)
  expect(inside[1]).toBeGreaterThan(fence)
}, 60_000)

function nameOfCurrent(): unknown {
  try {
    return currentLock().keys.join(',')
  } catch (error) {
    return (error as Error).constructor
  }
}
