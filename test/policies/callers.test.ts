/** Callers who stop waiting, by a signal or after a time; on a manual clock and an in-memory store. */

import { getEventListeners } from 'node:events'
import { type CacheOptions, InvalidOptionError, LoadTimeoutError } from '@larder/core'
import { INTERNALS } from '@larder/core/store'
import type { ManualClock } from '@larder/core/testing'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { deferred } from '../support/eventually.ts'
import { MemoryWorld, never } from './memory-world.ts'

let world: MemoryWorld
let clock: ManualClock

beforeEach(() => {
  world = new MemoryWorld('callers', { maxStaleness: '1m', ttl: '10s' })
  clock = world.clock
})

const settle = (): Promise<void> => clock.advanceAsync(0)

const TIERS = [
  ['both tiers', {}, {}],
  ['in process', {}, { remote: undefined, codec: undefined }],
  ['the shared tier only', { local: false }, {}],
] as const

interface Given {
  readonly signal: AbortSignal
}

/** A load in a test's hands that looks at its signal. */
function heeding() {
  const gate = deferred<string>()
  const signals: AbortSignal[] = []
  const load = vi.fn(({ signal }: Given) => {
    signals.push(signal)
    return new Promise<string>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      gate.promise.then(resolve, reject)
    })
  })
  return { load, signals, resolve: (value: string) => gate.resolve(value) }
}

describe.each(TIERS)('a caller with a signal, %s', (_, policy, options) => {
  const startNode = async (more: CacheOptions = {}) => {
    const node = world.startNode({ ...policy, ...more }, options)
    await node.cache.get('warm-up')
    return node
  }

  it.each(['getOrLoad', 'refresh', 'getManyOrLoad'] as const)(
    'stops waiting at once in %s; who waits on has the result, and it is kept',
    async (method) => {
      const { cache } = await startNode()
      const caller = new AbortController()
      const { load, signals, resolve } = heeding()
      const { signal } = caller
      const leaving =
        method === 'getManyOrLoad'
          ? cache.getManyOrLoad(['k'], async (_, context) => [await load(context)], { signal })
          : cache[method]('k', load, { signal })
      await settle()
      const staying = method === 'refresh' ? undefined : cache.getOrLoad('k', never)
      // Of a refresh that runs, only readers who find nothing are part.
      const reading = staying ?? cache.getOrLoad('k', never)
      await settle()
      caller.abort(new Error('gone'))
      await expect(leaving).rejects.toThrow('gone')
      if (signals[0]?.aborted === true) throw new Error('the load was given up')
      resolve('v')
      await clock.advanceAsync(400)
      expect(await reading).toBe('v')
      expect(await cache.get('k')).toBe('v')
    },
  )

  it('that was the only one gives the load up; the next starts anew, and nothing is remembered', async () => {
    const cacheErrors = vi.fn(() => '1m' as const)
    const { cache } = await startNode({ cacheErrors })
    const callers = [new AbortController(), new AbortController()]
    const { load, signals } = heeding()
    const leaving = callers.map(({ signal }) => cache.getOrLoad('k', load, { signal }))
    await settle()
    callers[0]?.abort(new Error('first'))
    await expect(leaving[0]).rejects.toThrow('first')
    expect(signals[0]?.aborted).toBe(false)
    callers[1]?.abort(new Error('second'))
    await expect(leaving[1]).rejects.toThrow('second')
    expect(signals[0]?.reason).toMatchObject({ message: 'second' })
    await settle()
    expect(await cache.getOrLoad('k', async () => 'v')).toBe('v')
    expect(cacheErrors).not.toHaveBeenCalled()
  })

  it('leaves a load that never asked for its signal: it may be joined again, and is kept', async () => {
    const { cache } = await startNode()
    const caller = new AbortController()
    const gate = deferred<string>()
    const leaving = cache.getOrLoad('k', () => gate.promise, { signal: caller.signal })
    await settle()
    caller.abort()
    await expect(leaving).rejects.toThrow()
    const joining = cache.getOrLoad('k', never)
    await settle()
    gate.resolve('v')
    await settle()
    expect(await joining).toBe('v')
    expect(await cache.get('k')).toBe('v')
  })

  it('does not even begin when it is gone already, whatever is cached', async () => {
    const { cache } = await startNode()
    await cache.set('k', 'v')
    const signal = AbortSignal.abort(new Error('gone'))
    for (const answer of [
      cache.getOrLoad('k', never, { signal }),
      cache.refresh('k', never, { signal }),
      cache.get('k', { signal }),
      cache.getMany(['k'], { signal }),
      cache.getManyOrLoad(['k', 'l'], never, { signal }),
    ])
      await expect(answer).rejects.toThrow('gone')
    expect(await cache.get('k')).toBe('v')
  })

  it('of many keys ends the one load of all only when no key of it is waited for', async () => {
    const { cache } = await startNode()
    const caller = new AbortController()
    const { load, signals, resolve } = heeding()
    const { signal } = caller
    const loadBoth = async (_: unknown, context: Given) => [await load(context), 'l']
    const leaving = cache.getManyOrLoad(['k', 'l'], loadBoth, { signal })
    await settle()
    const staying = cache.getOrLoad('l', never)
    await settle()
    caller.abort(new Error('gone'))
    await expect(leaving).rejects.toThrow('gone')
    expect(signals[0]?.aborted).toBe(false)
    resolve('k')
    await settle()
    expect(await staying).toBe('l')
    const last = new AbortController()
    const second = heeding()
    const alone = cache.getManyOrLoad(
      ['x', 'y'],
      async (_, context) => [await second.load(context), 'y'],
      { signal: last.signal },
    )
    await settle()
    last.abort(new Error('gone'))
    await expect(alone).rejects.toThrow('gone')
    expect(second.signals[0]?.aborted).toBe(true)
  })

  it('has no say in a refresh behind what it was served', async () => {
    const { cache } = await startNode({ staleWhileRevalidate: '1h' })
    await cache.getOrLoad('k', async () => 'old')
    await clock.advanceAsync(10_001)
    const caller = new AbortController()
    const { load, signals, resolve } = heeding()
    expect(await cache.getOrLoad('k', load, { signal: caller.signal })).toBe('old')
    await settle()
    caller.abort()
    expect(signals[0]?.aborted).toBe(false)
    resolve('new')
    await settle()
    expect(await cache.get('k')).toBe('new')
  })

  it('leaves no listener behind, however many wait', async () => {
    const { cache } = await startNode()
    const caller = new AbortController()
    const { signal } = caller
    const keys = Array.from({ length: 30 }, (_, i) => `k${i}`)
    const gate = deferred<string>()
    const reads = keys.map((key) => cache.getOrLoad(key, () => gate.promise, { signal }))
    await settle()
    expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1)
    gate.resolve('v')
    await settle()
    await Promise.all(reads)
    await cache.getMany(keys, { signal })
    await expect(
      cache.getOrLoad('x', () => Promise.reject(new Error('down')), { signal }),
    ).rejects.toThrow('down')
    await settle()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})

describe('a caller with a signal who waits for another node', () => {
  it('does not take over when its time comes', async () => {
    const [a, b] = [world.startNode({ leaseWait: '3s' }), world.startNode({ leaseWait: '3s' })]
    const gate = deferred<string>()
    const loading = a.cache.getOrLoad('k', () => gate.promise)
    await settle()
    const caller = new AbortController()
    const waiting = b.cache.getOrLoad('k', never, { signal: caller.signal })
    await settle()
    caller.abort(new Error('gone'))
    await expect(waiting).rejects.toThrow('gone')
    await clock.advanceAsync(10_000)
    expect(b.caches.stats().loads).toBe(0)
    gate.resolve('v')
    expect(await loading).toBe('v')
  })

  it('passes its signal to a load that is shared with nobody', async () => {
    const { cache, caches } = world.startNode()
    const caller = new AbortController()
    const { load, signals } = heeding()
    const leaving = caches.deferEvictions(() =>
      cache.getOrLoad('k', load, { signal: caller.signal }),
    )
    await settle()
    caller.abort(new Error('gone'))
    await expect(leaving).rejects.toThrow('gone')
    expect(signals[0]?.aborted).toBe(true)
  })
})

describe.each(TIERS)('hardTimeout, %s', (_, policy, options) => {
  const startNode = async (more: CacheOptions = {}) => {
    const node = world.startNode({ ...policy, ...more }, options)
    await node.cache.get('warm-up')
    return node
  }

  it.each([
    ['of the policy', { hardTimeout: '1s' }, {}],
    ['of the call, over that of the policy', { hardTimeout: '1h' }, { hardTimeout: '1s' }],
  ] as const)('%s ends the waiting; the load goes on and is kept', async (_, more, own) => {
    const { cache } = await startNode({ leaseWait: '1m', ...more })
    const { load, signals, resolve } = heeding()
    const reading = cache.getOrLoad('k', load, own)
    const refreshing = cache.refresh('r', load, own)
    const ended = Promise.allSettled([reading, refreshing])
    await clock.advanceAsync(999)
    await clock.advanceAsync(1)
    for (const { reason } of (await ended) as PromiseRejectedResult[]) {
      expect(reason).toBeInstanceOf(LoadTimeoutError)
      expect(reason).toMatchObject({ timeoutMs: 1_000, goesOn: true, code: 'LARDER_LOAD_TIMEOUT' })
    }
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false])
    // Who comes later has time of its own.
    const later = cache.getOrLoad('k', never, own)
    await clock.advanceAsync(500)
    resolve('v')
    await settle()
    expect(await later).toBe('v')
    expect(await cache.getMany(['k', 'r'])).toEqual(['v', 'v'])
  })

  it('serves what is kept for failed loads, if there is something', async () => {
    const { cache, seen } = await startNode({ staleIfError: '1h', hardTimeout: '1s' })
    await cache.getOrLoad('k', async () => 'old')
    await clock.advanceAsync(10_001)
    const stale = seen('stale')
    const gate = deferred<string>()
    const reading = cache.getOrLoad('k', () => gate.promise)
    await clock.advanceAsync(1_000)
    expect(await reading).toBe('old')
    expect(stale).toEqual([{ cache: 'c', key: 'c:k', reason: 'timeout' }])
    gate.resolve('new')
    await settle()
    expect(await cache.get('k')).toBe('new')
  })

  it('does not keep a caller by its signal: the load goes on all the same', async () => {
    const { cache } = await startNode()
    const caller = new AbortController()
    const { load, signals, resolve } = heeding()
    const first = cache.getOrLoad('k', load, { hardTimeout: '1s', signal: caller.signal })
    void first.catch(() => undefined)
    await clock.advanceAsync(1_000)
    await expect(first).rejects.toThrow(LoadTimeoutError)
    caller.abort()
    expect(signals[0]?.aborted).toBe(false)
    resolve('v')
    await settle()
    expect(await cache.get('k')).toBe('v')
  })

  it('holds for a decorated method, whose calls share their rules', async () => {
    const { caches, cache } = await startNode()
    const options = { ...policy, hardTimeout: '1s' } as const
    const method = caches[INTERNALS].methodCache({
      method: 'm',
      cacheName: 'd',
      options,
      where: 'm',
    })
    const gate = deferred<string>()
    const call = { mode: 'normal', tags: [] } as const
    const reads = [1, 2].map(() => method.getOrLoad('k', { load: () => gate.promise }, call))
    const ended = Promise.allSettled(reads)
    await clock.advanceAsync(1_000)
    for (const { reason } of (await ended) as PromiseRejectedResult[]) {
      expect(reason).toBeInstanceOf(LoadTimeoutError)
    }
    gate.resolve('v')
    await settle()
    expect(await method.getOrLoad('k', { load: never }, call)).toBe('v')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('holds in a unit of work, whose loads are shared with nobody', async () => {
    const { cache, caches } = await startNode({ hardTimeout: '1s' })
    const gate = deferred<string>()
    const load = () => gate.promise
    const reading = caches.deferEvictions(() =>
      Promise.allSettled([
        cache.getOrLoad('k', load),
        cache.refresh('r', load),
        cache.getManyOrLoad(['a', 'b'], async () => [await gate.promise, 'w']),
      ]),
    )
    await clock.advanceAsync(1_000)
    for (const { reason } of (await reading) as PromiseRejectedResult[]) {
      expect(reason).toBeInstanceOf(LoadTimeoutError)
    }
    gate.resolve('v')
    await settle()
    expect(clock.held).toBe(0)
  })

  it('leaves no timer behind', async () => {
    const { cache } = await startNode({ hardTimeout: '1h' })
    await cache.getOrLoad('k', async () => 'v')
    await expect(cache.getOrLoad('x', () => Promise.reject(new Error('down')))).rejects.toThrow()
    await settle()
    expect(clock.held).toBe(0)
  })
})

describe('options', () => {
  it('are checked', async () => {
    const { cache } = world.startNode()
    const wrong: Promise<unknown>[] = [
      cache.getOrLoad('k', never, { signal: 'no' as never }),
      cache.refresh('k', never, { hardTimeout: 0 }),
      cache.get('k', { signal: new EventTarget() as never }),
      cache.get('k', { allowStale: 1 as never }),
      cache.getMany(['k'], { alowStale: true } as never),
      cache.getManyOrLoad(['k'], never, { hardTimeout: -1 }),
      cache.set('k', 'v', { signal: new AbortController().signal } as never),
    ]
    for (const answer of wrong) await expect(answer).rejects.toThrow(InvalidOptionError)
    expect(() => world.startNode({ hardTimeout: 0 })).toThrow(InvalidOptionError)
  })
})

describe.each(TIERS)('get with allowStale, %s', (_, policy, options) => {
  it('finds what is kept for failed loads, and says so', async () => {
    const { cache, caches, seen } = world.startNode({ ...policy, staleIfError: '1h' }, options)
    await cache.get('warm-up')
    const stale = seen('stale')
    await cache.set('k', 'v')
    expect(await cache.get('k', { allowStale: true })).toBe('v')
    await clock.advanceAsync(10_001)
    expect([await cache.get('k'), await cache.get('k', { allowStale: true })]).toEqual([
      undefined,
      'v',
    ])
    expect(await cache.getMany(['k', 'x'], { allowStale: true })).toEqual(['v', undefined])
    expect(stale).toEqual(Array(2).fill({ cache: 'c', key: 'c:k', reason: 'asked' }))
    expect(caches.stats()).toMatchObject({ staleHits: 2 })
    await cache.evict('k', { soft: true })
    expect(await cache.get('k', { allowStale: true })).toBe('v')
    await cache.evict('k')
    expect(await cache.get('k', { allowStale: true })).toBeUndefined()
  })
})

describe('get with allowStale while the store is away', () => {
  it('serves what is held here as for a failed load, and never what the store says is gone', async () => {
    const [a, b] = [
      world.startNode({ staleIfError: '1h' }),
      world.startNode({ staleIfError: '1h' }),
    ]
    await a.cache.set('k', 'v')
    expect(await b.cache.get('k')).toBe('v')
    b.store.faults.fail({})
    await clock.advanceAsync(120_000)
    expect([await b.cache.get('k'), await b.cache.get('k', { allowStale: true })]).toEqual([
      undefined,
      'v',
    ])
    await a.cache.evict('k')
    b.store.faults.heal()
    await clock.advanceAsync(60_000)
    expect(await b.cache.get('k', { allowStale: true })).toBeUndefined()
  })
})
