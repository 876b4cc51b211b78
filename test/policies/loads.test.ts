/** How a load runs, how long others wait for it, and what becomes of its result; on a manual clock. */

import { type CacheManagerOptions, ClosedError, LoadTimeoutError } from '@larder/core'
import type { ManualClock } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { deferred } from '../support/eventually.ts'
import { counting, down, MemoryWorld, never } from './memory-world.ts'

const MAX_STALENESS_MS = 2_000

let world: MemoryWorld
let clock: ManualClock

beforeEach(() => {
  world = new MemoryWorld('loads', { maxStaleness: MAX_STALENESS_MS })
  clock = world.clock
})

const startNode: MemoryWorld['startNode'] = (policy, options) => world.startNode(policy, options)

/** Lets everything that is ready happen; time stands still. */
const settle = (): Promise<void> => clock.advanceAsync(0)

describe('a load', () => {
  it.each(['getOrLoad', 'refresh'] as const)(
    'does not begin in %s when the manager was closed while the store was asked',
    async (method) => {
      const { cache, caches, store } = startNode()
      store.faults.hang({})
      const load = counting()
      const reading = cache[method]('k', load)
      const ended = expect(reading).rejects.toThrow(ClosedError)
      await settle()
      const closing = caches.close()
      await clock.advanceAsync(10_000)
      await ended
      await closing
      expect(load).not.toHaveBeenCalled()
    },
  )

  it('has a signal that aborts when the time is over, also for one who asks late', async () => {
    const { cache } = startNode({ loadTimeout: '300ms' })
    let later: (() => AbortSignal) | undefined
    const reading = cache.getOrLoad('k', (context) => {
      later = () => context.signal
      return new Promise(() => undefined)
    })
    const failed = expect(reading).rejects.toThrow(LoadTimeoutError)
    await clock.advanceAsync(300)
    await failed
    expect([later?.().aborted, later?.().reason]).toEqual([true, expect.any(LoadTimeoutError)])
  })

  it('that ends in time leaves no timer, and a signal that stays quiet', async () => {
    const { cache, caches } = startNode(
      { loadTimeout: '5m', softTimeout: '5m', ttl: '1h' },
      { remote: undefined, codec: undefined },
    )
    const signals: (() => AbortSignal)[] = []
    await cache.getOrLoad('k', async (context) => {
      const { signal } = context
      signals.push(() => signal)
      return 'v'
    })
    await cache.getOrLoad('l', async (context) => {
      signals.push(() => context.signal)
      return 'v'
    })
    await settle()
    expect(clock.pending).toBe(0)
    const [early, late] = signals
    late?.()
    const closing = caches.close()
    await clock.advanceAsync(5_000)
    await closing
    expect([early?.().aborted, late?.().aborted]).toEqual([false, false])
  })

  it('that comes after its time changes nothing', async () => {
    const { cache } = startNode({ loadTimeout: '300ms' })
    const gate = deferred<string>()
    const failed = expect(cache.getOrLoad('k', () => gate.promise)).rejects.toThrow(
      LoadTimeoutError,
    )
    await clock.advanceAsync(300)
    await failed
    gate.resolve('late')
    await settle()
    expect(await cache.get('k')).toBeUndefined()
  })

  it('that outlasts softTimeout without anything to serve is waited for', async () => {
    const { cache } = startNode({ softTimeout: '200ms' })
    const gate = deferred<string>()
    const reading = cache.getOrLoad('k', () => gate.promise)
    await clock.advanceAsync(500)
    gate.resolve('v')
    expect(await reading).toBe('v')
  })

  it('that outlasts softTimeout has what there is served, once, and says so', async () => {
    const { cache, seen, caches } = startNode({ staleIfError: '1h', softTimeout: '200ms' })
    const stale = seen('stale')
    await cache.getOrLoad('k', counting())
    await clock.advanceAsync(11_000)
    const gate = deferred<string>()
    const reading = cache.getOrLoad('k', () => gate.promise)
    await clock.advanceAsync(199)
    expect(stale).toEqual([])
    await clock.advanceAsync(1)
    expect([await reading, stale]).toEqual(['v1', [{ cache: 'c', key: 'c:k', reason: 'timeout' }]])
    gate.reject(new Error('down'))
    await settle()
    expect([stale.length, caches.stats().staleHits]).toEqual([1, 1])
  })

  it('that fails when its fallback has ended meanwhile fails', async () => {
    const { cache } = startNode({ staleIfError: '2s' })
    await cache.getOrLoad('k', counting())
    await clock.advanceAsync(11_000)
    const gate = deferred<string>()
    const failed = expect(cache.getOrLoad('k', () => gate.promise)).rejects.toThrow('down')
    await clock.advanceAsync(1_000)
    gate.reject(new Error('down'))
    await failed
  })

  it('in the settle window of another node is kept no longer than that', async () => {
    const [a, b] = [startNode(), startNode()]
    await b.cache.get('k')
    await clock.advanceAsync(100)
    await a.cache.evict('k', { settle: '2s' })
    await clock.advanceAsync(500)
    const load = counting()
    await b.cache.getOrLoad('k', load)
    await settle()
    await clock.advanceAsync(1_499)
    expect(await b.cache.getOrLoad('k', load)).toBe('v1')
    await clock.advanceAsync(1)
    expect(await b.cache.getOrLoad('k', load)).toBe('v2')
  })

  it('of something too large is kept here only, and said to be', async () => {
    const [a, b] = [startNode({ maxValueBytes: 200 }), startNode()]
    const tooLarge = a.seen('too-large')
    await a.cache.getOrLoad('k', async () => 'x'.repeat(500))
    await settle()
    expect(tooLarge).toEqual([{ cache: 'c', key: 'c:k', bytes: expect.any(Number), maxBytes: 200 }])
    expect([a.store.faults.calls('fill'), a.store.faults.calls('release')]).toEqual([0, 1])
    expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual(['x'.repeat(500), undefined])
  })

  it('is kept in the local tier by its size', async () => {
    const sizeOf = async (value: unknown, key: string, options: Partial<CacheManagerOptions>) => {
      const { cache, caches } = startNode({}, options)
      await cache.getOrLoad(key, async () => value)
      await settle()
      return caches.stats().localBytes
    }
    const [small, large, long] = ['x', 'x'.repeat(1_000), `k${'k'.repeat(100)}`] as const
    const alone = () => ({
      local: lruStore({ maxBytes: '1mb' }),
      remote: undefined,
      codec: undefined,
    })
    const shared = () => ({ local: lruStore({ maxBytes: '1mb' }) })
    for (const options of [alone, shared]) {
      const size = await sizeOf(small, 'k', options())
      expect(await sizeOf(large, 'l', options())).toBeGreaterThanOrEqual(size + 999)
      expect(await sizeOf(small, long, options())).toBe(size + 200)
    }
  })

  it('whose fill is refused is handed out, and kept nowhere', async () => {
    const [a, b] = [startNode(), startNode()]
    const refused = a.seen('discard')
    const gate = deferred<string>()
    const reading = a.cache.getOrLoad('k', () => gate.promise)
    await settle()
    a.store.disconnect({ only: 'messages', silently: true })
    await b.cache.evict('k')
    gate.resolve('old')
    expect(await reading).toBe('old')
    await settle()
    expect(refused).toEqual([{ cache: 'c', key: 'c:k' }])
    expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual([undefined, undefined])
  })

  it('renews its lease three times within it, and no more when it is over', async () => {
    const { cache, store } = startNode({ leaseWait: '3s' })
    const gate = deferred<string>()
    const reading = cache.getOrLoad('k', () => gate.promise)
    await settle()
    for (const [ms, renewals] of [
      [999, 0],
      [1, 1],
      [1_000, 2],
      [1_000, 3],
    ] as const) {
      await clock.advanceAsync(ms)
      expect(store.faults.calls('renew')).toBe(renewals)
    }
    gate.resolve('v')
    await reading
    await clock.advanceAsync(10_000)
    expect([store.faults.calls('renew'), store.faults.calls('release')]).toEqual([3, 0])
  })

  it('goes on renewing when one renewal fails, and stops when the lease is lost', async () => {
    const [a, b] = [startNode({ leaseWait: '3s' }), startNode()]
    const gate = deferred<string>()
    const reading = a.cache.getOrLoad('k', () => gate.promise)
    await settle()
    a.store.faults.fail({ on: 'renew', times: 1 })
    await clock.advanceAsync(2_000)
    expect(a.store.faults.calls('renew')).toBe(2)
    await b.cache.evict('k')
    await clock.advanceAsync(10_000)
    expect(a.store.faults.calls('renew')).toBe(3)
    gate.resolve('v')
    await reading
  })

  it('with a short leaseWait renews no more often than three times a second', async () => {
    const { cache, store } = startNode({ leaseWait: '10ms' })
    const gate = deferred<string>()
    const reading = cache.getOrLoad('k', () => gate.promise)
    await settle()
    await clock.advanceAsync(333)
    expect(store.faults.calls('renew')).toBe(0)
    await clock.advanceAsync(1)
    expect(store.faults.calls('renew')).toBe(1)
    gate.resolve('v')
    await reading
  })

  it('that fails gives its lease up at once', async () => {
    const [a, b] = [startNode(), startNode()]
    await expect(a.cache.getOrLoad('k', down)).rejects.toThrow('down')
    await settle()
    expect(a.store.faults.calls('release')).toBe(1)
    a.store.faults.fail({ on: 'release', times: 1 })
    const errors = a.seen('background-error')
    await expect(a.cache.getOrLoad('l', down)).rejects.toThrow('down')
    await settle()
    expect(errors).toEqual([])
    expect(await b.cache.getOrLoad('k', async () => 'v')).toBe('v')
    expect(b.store.faults.calls('claim')).toBe(1)
  })
})

describe('waiting for another node', () => {
  it('ends when its load does, without polling', async () => {
    const [a, b] = [startNode(), startNode()]
    const gate = deferred<string>()
    const loading = a.cache.getOrLoad('k', () => gate.promise)
    await settle()
    const waiting = b.cache.getOrLoad('k', never)
    await settle()
    expect(b.store.faults.calls('claim')).toBe(1)
    gate.resolve('theirs')
    await settle()
    expect([await loading, await waiting]).toEqual(['theirs', 'theirs'])
    expect(b.store.faults.calls('claim')).toBe(2)
    expect(b.caches.stats()).toMatchObject({ misses: 0, loads: 0 })
  })

  it.each([
    [0, 100],
    [0.5, 200],
    [1 - Number.EPSILON, 300],
  ])('looks for itself now and then, since messages can be lost (%d)', async (random, everyMs) => {
    const [a, b] = [startNode({ leaseWait: '1h' }), startNode({ leaseWait: '1h' })]
    await b.cache.get('k')
    const gate = deferred<string>()
    const loading = a.cache.getOrLoad('k', () => gate.promise)
    await settle()
    vi.spyOn(Math, 'random').mockReturnValue(random)
    onTestFinished(() => void vi.restoreAllMocks())
    b.store.disconnect({ only: 'messages', silently: true })
    const waiting = b.cache.getOrLoad('k', never)
    await settle()
    await clock.advanceAsync(everyMs - 1)
    expect(b.store.faults.calls('claim')).toBe(1)
    await clock.advanceAsync(1)
    expect(b.store.faults.calls('claim')).toBe(2)
    gate.resolve('theirs')
    await clock.advanceAsync(everyMs)
    expect([await loading, await waiting]).toEqual(['theirs', 'theirs'])
  })

  it('takes the load over when the lease ends before the wait does', async () => {
    const [a, b] = [startNode({ leaseWait: '3s' }), startNode({ leaseWait: '1m' })]
    void a.cache.getOrLoad('k', () => new Promise(() => undefined)).catch(() => undefined)
    await settle()
    a.store.disconnect({ silently: true })
    const load = counting()
    const waiting = b.cache.getOrLoad('k', load)
    await clock.advanceAsync(2_900)
    expect(load).not.toHaveBeenCalled()
    await clock.advanceAsync(400)
    expect(await waiting).toBe('v1')
  })

  it('loads for this node alone when nobody knows what became of the claim', async () => {
    const { cache, store } = startNode()
    await cache.get('other')
    store.faults.fail({ on: 'claim', times: 1 })
    expect(await cache.getOrLoad('k', counting())).toBe('v1')
    await settle()
    expect([store.faults.calls('fill'), await cache.get('k')]).toEqual([0, 'v1'])
  })
})

describe('a refresh', () => {
  it('runs once, however many are served meanwhile', async () => {
    const policy = { staleWhileRevalidate: '10s' } as const
    const { cache } = startNode(policy, { remote: undefined, codec: undefined })
    await cache.getOrLoad('k', counting())
    await clock.advanceAsync(11_000)
    const gate = deferred<string>()
    const load = vi.fn(() => gate.promise)
    for (const read of [1, 2, 3]) {
      expect([read, await cache.getOrLoad('k', load)]).toEqual([read, 'v1'])
    }
    gate.resolve('v2')
    await settle()
    expect([await cache.getOrLoad('k', never), load.mock.calls.length]).toEqual(['v2', 1])
  })

  it('takes what another node refreshed already', async () => {
    const policy = { staleWhileRevalidate: '10s' } as const
    const [a, b] = [startNode(policy), startNode(policy)]
    await a.cache.getOrLoad('k', counting())
    await settle()
    await b.cache.get('k')
    await clock.advanceAsync(11_000)
    expect(await a.cache.getOrLoad('k', async () => 'v2')).toBe('v1')
    await settle()
    expect(await b.cache.getOrLoad('k', never)).toBe('v1')
    await settle()
    expect(await b.cache.getOrLoad('k', never)).toBe('v2')
  })

  it('that fails is tried again after errorBackoff, and tells nobody', async () => {
    const { cache, seen } = startNode({ staleWhileRevalidate: '1m', errorBackoff: '3s' })
    const errors = seen('background-error')
    await cache.getOrLoad('k', counting())
    await clock.advanceAsync(11_000)
    const failing = vi.fn(down)
    for (const [ms, calls] of [
      [0, 1],
      [2_999, 1],
      [1, 2],
    ] as const) {
      await clock.advanceAsync(ms)
      expect(await cache.getOrLoad('k', failing)).toBe('v1')
      await settle()
      expect(failing).toHaveBeenCalledTimes(calls)
    }
    expect(errors).toEqual([])
  })
})
