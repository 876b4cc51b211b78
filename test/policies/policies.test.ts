/** Every policy word, on a manual clock and an in-memory store: no sleeps, nothing to wait for. */

import { ClosedError, LoadTimeoutError, RecoveryQueueError } from '@larder/core'
import type { ManualClock, MemoryServer } from '@larder/core/testing'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { deferred } from '../support/eventually.ts'
import { counting, MemoryWorld } from './memory-world.ts'

let world: MemoryWorld
let clock: ManualClock
let server: MemoryServer

beforeEach(() => {
  world = new MemoryWorld('policies')
  ;({ clock, server } = world)
})

const startNode: MemoryWorld['startNode'] = (policy, options) => world.startNode(policy, options)

/** Lets everything that is ready happen; time stands still. */
const settle = (): Promise<void> => clock.advanceAsync(0)

describe('ttl', () => {
  it('ends in both tiers', async () => {
    const { cache } = startNode()
    const load = counting()
    expect(await cache.getOrLoad('k', load)).toBe('v1')
    await clock.advanceAsync(9_999)
    expect(await cache.getOrLoad('k', load)).toBe('v1')
    await clock.advanceAsync(2)
    expect(await cache.getOrLoad('k', load)).toBe('v2')
  })

  it('is shortened by jitter, by no more than the fraction', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1 - Number.EPSILON)
    const { cache } = startNode({ jitter: 0.5, refreshAhead: false })
    const load = counting()
    await cache.getOrLoad('k', load)
    await settle()
    vi.restoreAllMocks()
    await clock.advanceAsync(4_900)
    expect(await cache.getOrLoad('k', load)).toBe('v1')
    await clock.advanceAsync(200)
    expect(await cache.getOrLoad('k', load)).toBe('v2')
  })

  it('a local copy on another node ends with the remote entry', async () => {
    const [a, b] = [startNode(), startNode()]
    const load = counting()
    await a.cache.getOrLoad('k', load)
    await clock.advanceAsync(9_000)
    expect(await b.cache.getOrLoad('k', load)).toBe('v1')
    await clock.advanceAsync(1_001)
    expect(await b.cache.getOrLoad('k', load)).toBe('v2')
  })
})

describe('staleWhileRevalidate', () => {
  it('serves the stale value while one refresh runs', async () => {
    const { cache, caches } = startNode({ staleWhileRevalidate: '10s' })
    let gate = deferred<string>()
    const load = vi.fn(() => gate.promise)
    gate.resolve('v1')
    await cache.getOrLoad('k', load)
    await clock.advanceAsync(12_000)
    gate = deferred<string>()
    const stale = await Promise.all([cache.getOrLoad('k', load), cache.getOrLoad('k', load)])
    expect(stale).toEqual(['v1', 'v1'])
    await settle()
    expect(load).toHaveBeenCalledTimes(2)
    gate.resolve('v2')
    await settle()
    expect(await cache.getOrLoad('k', load)).toBe('v2')
    expect(load).toHaveBeenCalledTimes(2)
    expect(caches.stats().staleHits).toBe(2)
  })

  it('a refresh that an evict overtakes is kept nowhere', async () => {
    const { cache } = startNode({ staleWhileRevalidate: '10s' })
    await cache.getOrLoad('k', async () => 'v1')
    await clock.advanceAsync(12_000)
    const gate = deferred<string>()
    await cache.getOrLoad('k', () => gate.promise)
    await settle()
    await cache.evict('k')
    gate.resolve('old')
    await settle()
    expect(await cache.get('k')).toBeUndefined()
  })

  it('over, the caller waits', async () => {
    const { cache } = startNode({ staleWhileRevalidate: '10s' })
    const load = counting()
    await cache.getOrLoad('k', load)
    await clock.advanceAsync(20_001)
    expect(await cache.getOrLoad('k', load)).toBe('v2')
  })
})

describe('staleIfError', () => {
  it('serves what there is when loads fail, trying again after errorBackoff', async () => {
    const { cache } = startNode({ staleIfError: '5m', errorBackoff: '5s' })
    await cache.getOrLoad('k', async () => 'v1')
    await clock.advanceAsync(30_000)
    const failing = vi.fn(() => Promise.reject(new Error('down')))
    expect(await cache.getOrLoad('k', failing)).toBe('v1')
    expect(await cache.getOrLoad('k', failing)).toBe('v1')
    expect(failing).toHaveBeenCalledTimes(1)
    await clock.advanceAsync(5_001)
    expect(await cache.getOrLoad('k', failing)).toBe('v1')
    expect(failing).toHaveBeenCalledTimes(2)
    await clock.advanceAsync(5_001)
    expect(await cache.getOrLoad('k', async () => 'v2')).toBe('v2')
    await clock.advanceAsync(6 * 60_000)
    await expect(cache.getOrLoad('k', failing)).rejects.toThrow('down')
  })

  it('a soft evict keeps the value for when loads fail, and only for that', async () => {
    const { cache } = startNode({ staleIfError: '1h' })
    await cache.getOrLoad('k', async () => 'v1')
    await settle()
    await cache.evict('k', { soft: true })
    expect(await cache.getOrLoad('k', () => Promise.reject(new Error('down')))).toBe('v1')
    await cache.evict('k', { soft: true })
    expect(await cache.getOrLoad('k', async () => 'v2')).toBe('v2')
    await cache.evict('k')
    await expect(cache.getOrLoad('k', () => Promise.reject(new Error('down')))).rejects.toThrow(
      'down',
    )
  })
})

describe('negative results and errors', () => {
  it.each([null, undefined])('%s is remembered for negativeTtl only', async (nothing) => {
    const { cache } = startNode({ negativeTtl: '2s' })
    const load = vi.fn(async () => nothing)
    expect(await cache.getOrLoad('k', load)).toBe(nothing)
    await settle()
    expect(await cache.getOrLoad('k', load)).toBe(nothing)
    expect(load).toHaveBeenCalledTimes(1)
    await clock.advanceAsync(2_001)
    await cache.getOrLoad('k', load)
    expect(load).toHaveBeenCalledTimes(2)
  })

  it('a negative entry does not outlive an evict of what it denied', async () => {
    const [a, b] = [startNode({ negativeTtl: '1h' }), startNode({ negativeTtl: '1h' })]
    const gate = deferred<undefined>()
    const denying = a.cache.getOrLoad('k', () => gate.promise)
    await settle()
    await b.cache.evict('k')
    gate.resolve(undefined)
    await denying
    await settle()
    expect(await a.cache.getOrLoad('k', async () => 'there')).toBe('there')
  })

  it('errors are remembered when cacheErrors says so, and thrown again', async () => {
    const { cache } = startNode({
      cacheErrors: (error) => ((error as Error).message === 'gone' ? '3s' : false),
    })
    const gone = vi.fn(() => Promise.reject(new Error('gone')))
    await expect(cache.getOrLoad('k', gone)).rejects.toThrow('gone')
    await settle()
    await expect(cache.getOrLoad('k', gone)).rejects.toThrow('gone')
    expect(gone).toHaveBeenCalledTimes(1)
    await clock.advanceAsync(3_001)
    await expect(cache.getOrLoad('k', gone)).rejects.toThrow('gone')
    const other = vi.fn(() => Promise.reject(new Error('other')))
    await expect(cache.getOrLoad('o', other)).rejects.toThrow('other')
    await expect(cache.getOrLoad('o', other)).rejects.toThrow('other')
    expect([gone.mock.calls.length, other.mock.calls.length]).toEqual([2, 2])
  })
})

describe('refreshAhead', () => {
  it('refreshes before the end, earlier for slower loads, without delaying anybody', async () => {
    // ln(1 − 0.9) ≈ −2.3: a load of one second is refreshed some 2.3 seconds before its end.
    vi.spyOn(Math, 'random').mockReturnValue(0.9)
    onTestFinished(() => void vi.restoreAllMocks())
    const { cache } = startNode({ refreshAhead: true })
    const slow = vi.fn(
      () =>
        new Promise((resolve) =>
          clock.schedule(1_000, () => resolve(`v${slow.mock.calls.length}`), 'caller'),
        ),
    )
    const first = cache.getOrLoad('k', slow)
    await clock.advanceAsync(1_000)
    expect(await first).toBe('v1')
    await clock.advanceAsync(7_500)
    expect(await cache.getOrLoad('k', slow)).toBe('v1')
    await settle()
    expect(slow).toHaveBeenCalledTimes(1)
    await clock.advanceAsync(400)
    expect(await cache.getOrLoad('k', slow)).toBe('v1')
    await settle()
    expect(slow).toHaveBeenCalledTimes(2)
    await clock.advanceAsync(1_000)
    expect(await cache.getOrLoad('k', slow)).toBe('v2')
  })
})

describe('timeouts', () => {
  it('softTimeout serves the stale value, and the load goes on', async () => {
    const { cache } = startNode({ staleIfError: '1h', softTimeout: '200ms' })
    await cache.getOrLoad('k', async () => 'v1')
    await clock.advanceAsync(20_000)
    const gate = deferred<string>()
    const waiting = cache.getOrLoad('k', () => gate.promise)
    await clock.advanceAsync(201)
    expect(await waiting).toBe('v1')
    gate.resolve('v2')
    await settle()
    expect(await cache.getOrLoad('k', async () => 'never')).toBe('v2')
  })

  it('loadTimeout gives up, aborts the signal, and frees the lease', async () => {
    const [a, b] = [startNode({ loadTimeout: '300ms', leaseWait: '1h' }), startNode()]
    let signal: AbortSignal | undefined
    const waiting = a.cache.getOrLoad('k', (context) => {
      signal = context.signal
      return new Promise(() => undefined)
    })
    const failed = expect(waiting).rejects.toThrow(LoadTimeoutError)
    await clock.advanceAsync(301)
    await failed
    expect(signal?.aborted).toBe(true)
    expect(await b.cache.getOrLoad('k', async () => 'mine')).toBe('mine')
  })

  it('a slow loader keeps its lease by renewing it; a waiter takes over after leaseWait, and one of two wins', async () => {
    const [a, b, c] = [
      startNode({ leaseWait: '1h' }),
      startNode({ leaseWait: '5s' }),
      startNode({ leaseWait: '5s' }),
    ]
    const stuck = deferred<string>()
    const slow = a.cache.getOrLoad('k', () => stuck.promise)
    await settle()
    const load = counting()
    const others = [b.cache.getOrLoad('k', load), c.cache.getOrLoad('k', load)]
    await clock.advanceAsync(4_000)
    expect(load).not.toHaveBeenCalled()
    await clock.advanceAsync(2_000)
    expect(await Promise.all(others)).toEqual(['v1', 'v1'])
    expect(load).toHaveBeenCalledTimes(1)
    stuck.resolve('late')
    expect(await slow).toBe('late')
    await settle()
    expect(await b.cache.get('k')).toBe('v1')
  })
})

describe('tiers and shapes', () => {
  it('local: false and remote: false use the one tier; evictions of a local cache reach the other node', async () => {
    const [a, b] = [startNode(), startNode()]
    const load = counting()
    const remoteOnly = a.caches.cache('r', { local: false })
    await remoteOnly.getOrLoad('k', load)
    await settle()
    expect(a.caches.stats().localEntries).toBe(0)
    expect(await b.caches.cache('r').getOrLoad('k', load)).toBe('v1')

    const [localA, localB] = [a, b].map(({ caches }) => caches.cache('l', { remote: false }))
    await localA?.getOrLoad('k', load)
    await localB?.getOrLoad('k', load)
    expect(load).toHaveBeenCalledTimes(3)
    await localA?.evict('k')
    await settle()
    await localB?.getOrLoad('k', load)
    expect(load).toHaveBeenCalledTimes(4)
  })

  it('another version is a miss', async () => {
    const load = counting()
    const read = (version: number) =>
      startNode().caches.cache('v', { version }).getOrLoad('k', load)
    expect(await read(1)).toBe('v1')
    await settle()
    expect([await read(1), await read(2)]).toEqual(['v1', 'v2'])
  })

  it('a value over maxValueBytes stays local, with an event', async () => {
    const [a, b] = [startNode({ maxValueBytes: 200 }), startNode()]
    const seen = vi.fn()
    a.caches.on('too-large', seen)
    await a.cache.getOrLoad('k', async () => 'x'.repeat(500))
    await settle()
    expect(seen).toHaveBeenCalledOnce()
    expect(await a.cache.get('k')).toHaveLength(500)
    expect(await b.cache.get('k')).toBeUndefined()
  })

  it('sync: false loads at once while another node loads', async () => {
    const [a, b] = [startNode(), startNode()]
    const stuck = deferred<string>()
    const slow = a.cache.getOrLoad('k', () => stuck.promise)
    await settle()
    expect(await b.caches.cache('c', { sync: false }).getOrLoad('k', async () => 'own')).toBe('own')
    stuck.resolve('theirs')
    expect(await slow).toBe('theirs')
  })

  it('what is loaded in a settle window is not kept past it, in either tier', async () => {
    const [a, b] = [startNode(), startNode()]
    await a.cache.evict('k', { settle: '2s' })
    const load = counting()
    expect(await a.cache.getOrLoad('k', load)).toBe('v1')
    await settle()
    expect(await b.cache.getOrLoad('k', load)).toBe('v1')
    await clock.advanceAsync(2_001)
    expect(await a.cache.getOrLoad('k', load)).toBe('v2')
    await settle()
    expect(await b.cache.getOrLoad('k', load)).toBe('v2')
  })
})

describe('many at once', () => {
  it('one loader call for the missing, in order, with duplicates, around a key another node loads', async () => {
    const [a, b] = [startNode(), startNode()]
    await a.cache.set('have', 'H')
    const theirs = deferred<string>()
    const loading = b.cache.getOrLoad('theirs', () => theirs.promise)
    await settle()
    const load = vi.fn(async (missing: readonly unknown[]) =>
      missing.map((key) => `loaded ${String(key)}`),
    )
    const reading = a.cache.getManyOrLoad(['x', 'have', 'theirs', 'y', 'x'], load)
    await settle()
    expect(load.mock.calls.map(([missing]) => missing)).toEqual([['x', 'y']])
    theirs.resolve('T')
    await settle()
    await loading
    expect(await reading).toEqual(['loaded x', 'H', 'T', 'loaded y', 'loaded x'])
  })

  it('an evicted key inside a batch does not come back', async () => {
    const { cache } = startNode()
    const gate = deferred<string[]>()
    const reading = cache.getManyOrLoad(['a', 'b'], () => gate.promise)
    await settle()
    await cache.evict('a')
    gate.resolve(['old', 'B'])
    expect(await reading).toEqual(['old', 'B'])
    await settle()
    expect(await cache.getMany(['a', 'b'])).toEqual([undefined, 'B'])
  })

  it('warm writes in bulk with progress, and stops when aborted', async () => {
    const { cache } = startNode()
    const progress: number[] = []
    const entries = Array.from({ length: 25 }, (_, i) => [`k${i}`, i] as const)
    const written = await cache.warm(entries, {
      chunk: 10,
      onProgress: (at) => progress.push(at.written),
    })
    expect([written, progress]).toEqual([25, [10, 20, 25]])
    expect(await cache.get('k24')).toBe(24)
    await expect(
      cache.warm(entries, { signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough')
  })

  it('evictPattern evicts what matches, and says how far it is', async () => {
    const { cache } = startNode()
    await cache.warm(['a1', 'a2', 'b1', 'ab'].map((key) => [key, key] as const))
    let evicted = 0
    for await (const progress of cache.evictPattern('a?')) evicted = progress.evicted
    expect(evicted).toBeGreaterThanOrEqual(3)
    expect(await cache.getMany(['a1', 'a2', 'ab', 'b1'])).toEqual([
      undefined,
      undefined,
      undefined,
      'b1',
    ])
  })
})

describe('trouble', () => {
  it("onRemoteFailure: 'throw' tells the caller; the eviction holds here and runs later", async () => {
    const [a, b] = [
      startNode({ onRemoteFailure: 'throw', maxStaleness: '1s' }),
      startNode({ maxStaleness: '1s' }),
    ]
    await a.cache.set('k', 'v1')
    await settle()
    expect(await b.cache.get('k')).toBe('v1')
    a.store.hang()
    const evicting = expect(a.cache.evict('k')).rejects.toThrow(RecoveryQueueError)
    await clock.advanceAsync(300)
    await evicting
    expect(await a.cache.getOrLoad('k', async () => 'v2')).toBe('v2')
    a.store.resume()
    await clock.advanceAsync(10_000)
    expect(await b.cache.get('k')).toBeUndefined()
  })

  it('a node that evicted asserts it again when a failover lost it', async () => {
    const [a, b] = [startNode({ maxStaleness: '1s' }), startNode({ maxStaleness: '1s' })]
    await a.cache.set('k', 'v1')
    await clock.advanceAsync(3_000)
    const before = server.snapshot()
    await a.cache.evict('k')
    await clock.advanceAsync(100)
    server.restore(before)
    await clock.advanceAsync(5_000)
    expect(await b.cache.get('k')).toBeUndefined()
    expect(await a.cache.get('k')).toBeUndefined()
  })

  it('close aborts loads, refuses later calls, and leaves no timer', async () => {
    const { cache, caches } = startNode()
    let signal: AbortSignal | undefined
    const loading = cache.getOrLoad('k', (context) => {
      signal = context.signal
      return new Promise((_, reject) =>
        context.signal.addEventListener('abort', () => reject(context.signal.reason)),
      )
    })
    const failed = expect(loading).rejects.toThrow(ClosedError)
    await settle()
    const closing = caches.close()
    await clock.advanceAsync(3_000)
    await closing
    await failed
    expect(signal?.aborted).toBe(true)
    await expect(cache.getOrLoad('k', async () => 1)).rejects.toThrow(ClosedError)
    await expect(cache.evict('k')).rejects.toThrow(ClosedError)
    expect(caches.close()).toBe(closing)
    expect(clock.pending).toBe(0)
  })

  it('listeners that throw are harmless, and events say what happened', async () => {
    const { cache, caches } = startNode()
    const seen: string[] = []
    for (const name of ['hit', 'miss', 'load', 'put', 'evict'] as const) {
      caches.on(name, () => {
        seen.push(name)
        throw new Error('a bad listener')
      })
    }
    await cache.getOrLoad('k', async () => 'v')
    await settle()
    await cache.getOrLoad('k', async () => 'v')
    await cache.set('k', 'w')
    await cache.evict('k')
    expect(seen).toEqual(['miss', 'load', 'hit', 'put', 'evict'])
    const { loads, localHits, misses, byCache } = caches.stats()
    expect([loads, localHits, misses, byCache['c']?.loads]).toEqual([1, 1, 1, 1])
  })
})
