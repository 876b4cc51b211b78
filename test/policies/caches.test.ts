/** What a named cache takes, refuses, writes and reports; on a manual clock and an in-memory store. */

import {
  Cacheable,
  CacheConfig,
  type CacheOptions,
  ClosedError,
  cached,
  InvalidOptionError,
} from '@larder/core'
import { INTERNALS, partitionOf } from '@larder/core/store'
import type { ManualClock, MemoryServer } from '@larder/core/testing'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { deferred } from '../support/eventually.ts'
import { counting, MemoryWorld, never } from './memory-world.ts'

type Writable = ReturnType<typeof startNode>['cache']

let world: MemoryWorld
let clock: ManualClock
let server: MemoryServer

beforeEach(() => {
  world = new MemoryWorld('caches')
  ;({ clock, server } = world)
})

const startNode: MemoryWorld['startNode'] = (policy, options) => world.startNode(policy, options)

/** Lets everything that is ready happen; time stands still. */
const settle = (): Promise<void> => clock.advanceAsync(0)

describe('a key', () => {
  it('is stored under the name of its cache', () => {
    const { cache } = startNode()
    expect([cache.name, cache.key('k'), cache.key(7), cache.key(['a', 1])]).toEqual([
      'c',
      'c:k',
      'c:7',
      'c:a:1',
    ])
  })
})

describe('keys that UTF-8 would take for one', () => {
  it('are kept apart, and are the same for a method, its eviction and a cache', async () => {
    const { cache, caches } = startNode()
    let loads = 0
    @CacheConfig({ cache: 'c', manager: () => caches })
    class Items {
      @Cacheable({ key: (id: string) => id })
      async find(id: string): Promise<string> {
        loads += 1
        return id
      }
    }
    const items = new Items()
    const ids = ['\ud800', '\ud801', 'x\udfff', 'x\ud800', 'x\ufffd']
    for (const id of [...ids, ...ids, ...ids]) expect(await items.find(id)).toBe(id)
    expect(loads).toBe(ids.length)
    await settle()
    expect(await cache.getMany(ids)).toEqual(ids)
    for (const id of ids) expect(cache.key(id).isWellFormed()).toBe(true)
    await cached(items, 'find').evict('\ud800')
    expect(await cache.getMany(ids)).toEqual([undefined, ...ids.slice(1)])
  })
})

describe('options of an entry', () => {
  it.each([
    ['a tag that is no text', { tags: [7] }],
    ['tags that are no list', { tags: 't' }],
    ['an unknown name', { tag: ['t'] }],
    ['a duration that is none', { ttl: 'soon' }],
  ])('%s is refused before anything is loaded', async (_, options) => {
    const { cache } = startNode()
    const load = counting()
    await expect(cache.getOrLoad('k', load, options as never)).rejects.toThrow(InvalidOptionError)
    await expect(cache.set('k', 'v', options as never)).rejects.toThrow(InvalidOptionError)
    expect(load).not.toHaveBeenCalled()
  })

  it('a loader that is no function is refused', async () => {
    const { cache } = startNode()
    await expect(cache.getOrLoad('k', 'v' as never)).rejects.toThrow(InvalidOptionError)
  })

  it('tags are those that were named and those of the result', async () => {
    const { cache } = startNode()
    const byResult = (value: unknown): readonly string[] =>
      value === 'none' ? [] : [`is ${value}`]
    const load = counting()
    for (const [evicted, expected] of [
      ['is v1', 'v2'],
      ['other', 'v2'],
      ['is v2', 'v3'],
    ] as const) {
      await cache.getOrLoad('k', load, { tags: byResult })
      await settle()
      await cache.evictTags([evicted])
      expect(await cache.getOrLoad('k', load, { tags: byResult })).toBe(expected)
      await settle()
    }
    await cache.set('n', 'none', { tags: byResult })
    expect(await cache.get('n')).toBe('none')
    await cache.set('m', 'w', { tags: ['m', 'm2'] })
    await cache.evictTags(['m2'])
    expect(await cache.get('m')).toBeUndefined()
  })

  it('ttl is a duration, or one of the result, which may leave it to the policy', async () => {
    const { cache } = startNode()
    const ttl = (value: unknown) => (value === 'short' ? '1s' : undefined)
    await cache.set('fixed', 'v', { ttl: '2s' })
    await cache.set('short', 'short', { ttl })
    await cache.set('long', 'long', { ttl })
    await clock.advanceAsync(999)
    expect(await cache.getMany(['fixed', 'short', 'long'])).toEqual(['v', 'short', 'long'])
    await clock.advanceAsync(1)
    expect(await cache.getMany(['fixed', 'short', 'long'])).toEqual(['v', undefined, 'long'])
    await clock.advanceAsync(1_000)
    expect(await cache.getMany(['fixed', 'long'])).toEqual([undefined, 'long'])
    await clock.advanceAsync(8_000)
    expect(await cache.get('long')).toBeUndefined()
  })

  it('a ttl of 0 keeps a result out of the cache, and what is there is evicted by it', async () => {
    const { cache } = startNode()
    const load = counting()
    await cache.getOrLoad('k', load, { ttl: 0 })
    await settle()
    expect(await cache.getOrLoad('k', load)).toBe('v2')
    await settle()
    await cache.set('k', 'not kept', { ttl: 0 })
    expect(await cache.get('k')).toBeUndefined()
  })
})

describe('a value', () => {
  it.each([
    ['is frozen', 'frozen', true],
    ['is what was loaded', 'shared', false],
    ['is a copy of its own for each caller', 'cloned', false],
  ] as const)('%s with isolation: %j', async (_, isolation, isFrozen) => {
    const [a, b] = [startNode({ isolation }), startNode({ isolation })]
    const loaded = { list: [1] }
    const reads = [
      await a.cache.getOrLoad('k', async () => loaded),
      await a.cache.getOrLoad('k', never),
      await b.cache.getOrLoad('k', never),
      await b.cache.get('k'),
    ] as { list: number[] }[]
    expect(reads).toEqual(Array.from({ length: 4 }, () => ({ list: [1] })))
    expect(reads.map((value) => Object.isFrozen(value.list))).toEqual(Array(4).fill(isFrozen))
    expect(new Set(reads).size).toBe(isolation === 'cloned' ? 4 : 2)
    expect(reads.includes(loaded)).toBe(isolation !== 'cloned')
  })

  it('is copied without a codec, too, unless it is none that could be changed', async () => {
    const { cache } = startNode({ isolation: 'cloned' }, { remote: undefined, codec: undefined })
    const loaded = { at: new Date(0) }
    expect(await cache.getOrLoad('k', async () => loaded)).toEqual(loaded)
    const again = await cache.getOrLoad('k', never)
    expect(again).toEqual(loaded)
    expect(again).not.toBe(loaded)
    const none = await Promise.all(
      ['text', 0, null].map((value, n) => cache.getOrLoad(`n${n}`, async () => value)),
    )
    expect(none).toEqual(['text', 0, null])
  })

  it('an error that is remembered is not frozen', async () => {
    const { cache } = startNode({ cacheErrors: () => '1m' })
    const error = Object.assign(new Error('down'), { retries: 0 })
    await expect(cache.getOrLoad('k', () => Promise.reject(error))).rejects.toBe(error)
    expect(Object.isFrozen(error)).toBe(false)
  })
})

describe('evict', () => {
  it('takes one key, which an array is, too; evictMany takes several, or none', async () => {
    const { cache, seen } = startNode()
    const evicted = seen('evict')
    await cache.warm([
      ['a', 1],
      ['b', 2],
      ['c', 3],
      [['b', 'c'], 4],
    ])
    await cache.evict('a')
    await cache.evict(['b', 'c'])
    expect(await cache.getMany(['a', 'b', 'c', ['b', 'c']])).toEqual([undefined, 2, 3, undefined])
    await cache.set(['b', 'c'], 4)
    await cache.evictMany(['b', 'c'])
    await cache.evictMany([])
    expect(await cache.getMany(['b', 'c', ['b', 'c']])).toEqual([undefined, undefined, 4])
    await cache.evictMany([['b', 'c']])
    expect(await cache.get(['b', 'c'])).toBeUndefined()
    await expect(cache.evict([])).rejects.toThrow('empty array')
    const rest = { cache: 'c', tags: [], all: false, outcome: 'done' }
    expect(evicted).toEqual([
      { ...rest, keys: ['c:a'] },
      { ...rest, keys: ['c:b:c'] },
      { ...rest, keys: ['c:b', 'c:c'] },
      { ...rest, keys: ['c:b:c'] },
    ])
  })

  it('of tags, of a cache and of everything say what they are', async () => {
    const { cache, caches, seen } = startNode()
    const evicted = seen('evict')
    await cache.evictTags(['t', 'u'])
    await cache.evictTags([])
    await cache.clear()
    await caches.clear()
    expect(evicted).toEqual([
      { cache: undefined, keys: [], tags: ['t', 'u'], all: false, outcome: 'done' },
      { cache: 'c', keys: [], tags: [], all: true, outcome: 'done' },
      { cache: undefined, keys: [], tags: [], all: true, outcome: 'done' },
    ])
  })

  it('clear evicts the entries of its cache, everywhere, and no others', async () => {
    const [a, b] = [startNode(), startNode()]
    await a.cache.set('k', 'v')
    await a.caches.cache('d').set('k', 'd')
    expect([await b.cache.get('k'), await b.caches.cache('d').get('k')]).toEqual(['v', 'd'])
    await a.cache.clear()
    await settle()
    for (const { cache, caches } of [a, b]) {
      expect([await cache.get('k'), await caches.cache('d').get('k')]).toEqual([undefined, 'd'])
    }
    await a.caches.clear()
    await settle()
    expect(await b.caches.cache('d').get('k')).toBeUndefined()
  })

  it.each([
    ['an option it does not know', { hard: true }],
    ['a window that is no duration', { settle: 'soon' }],
  ])('refuses %s', async (_, options) => {
    const { cache } = startNode()
    await cache.set('k', 'v')
    await expect(cache.evict('k', options as never)).rejects.toThrow(InvalidOptionError)
    expect(await cache.get('k')).toBe('v')
  })

  it('refuses tags and patterns that are none', async () => {
    const { cache } = startNode()
    await expect(cache.evictTags(['t', 7 as never])).rejects.toThrow(InvalidOptionError)
    expect(() => cache.evictPattern('')).toThrow(InvalidOptionError)
    expect(() => cache.evictPattern('*'.repeat(1_001))).toThrow(InvalidOptionError)
    expect(() => cache.evictPattern('*'.repeat(1_000))).not.toThrow()
  })
})

describe('evictPattern', () => {
  const KEYS = ['a', 'ab', 'abc', 'abcb', 'b', 'b*', 'ba', 'bab', 'c'] as const

  it.each([
    ['*', KEYS],
    ['a*', ['a', 'ab', 'abc', 'abcb']],
    ['*b', ['ab', 'abcb', 'b', 'bab']],
    ['a*b', ['ab', 'abcb']],
    ['a?', ['ab']],
    ['?', ['a', 'b', 'c']],
    ['??', ['ab', 'b*', 'ba']],
    ['?*?', ['ab', 'abc', 'abcb', 'b*', 'ba', 'bab']],
    ['*a*b*', ['ab', 'abc', 'abcb', 'bab']],
    ['*bc*b', ['abcb']],
    ['**', KEYS],
    ['abc', ['abc']],
    ['abcd', []],
    ['b', ['b']],
    ['*?c', ['abc']],
  ])('%s', async (pattern, expected) => {
    const { cache, caches } = startNode()
    const other = caches.cache('cc')
    await cache.warm(KEYS.map((key) => [key, key] as const))
    await other.set('a', 'other')
    let last = { evicted: 0, scanned: 0 }
    for await (const progress of cache.evictPattern(pattern)) last = progress
    const left = await cache.getMany(KEYS)
    expect(KEYS.filter((_, i) => left[i] === undefined)).toEqual(expected)
    expect(last.evicted).toBeGreaterThanOrEqual(expected.length)
    expect(last.scanned).toBeGreaterThanOrEqual(last.evicted)
    expect(await other.get('a')).toBe('other')
  })

  it('finds what only another node holds, and what only this process holds', async () => {
    const [a, b] = [startNode(), startNode()]
    await a.cache.set('there', 1)
    const here = b.caches.cache('here', { remote: false })
    await here.set('x', 1)
    for await (const _ of b.cache.evictPattern('the*'));
    for await (const _ of here.evictPattern('*'));
    await settle()
    expect([await a.cache.get('there'), await here.get('x')]).toEqual([undefined, undefined])
  })

  it('goes by chunks, adding up', async () => {
    const { cache } = startNode({}, { remote: undefined })
    await cache.warm(Array.from({ length: 501 }, (_, n) => [`k${n}`, n] as const))
    const steps: unknown[] = []
    for await (const progress of cache.evictPattern('k*')) steps.push(progress)
    expect(steps).toEqual([
      { evicted: 500, queued: 0, scanned: 500 },
      { evicted: 501, queued: 0, scanned: 501 },
    ])
  })

  it('looks at no key that does not begin like the pattern', async () => {
    const { cache } = startNode({}, { remote: undefined })
    await cache.warm(['ab', 'ac', 'b'].map((key) => [key, key] as const))
    const steps: unknown[] = []
    for await (const progress of cache.evictPattern('a?')) steps.push(progress)
    expect(steps).toEqual([{ evicted: 2, queued: 0, scanned: 2 }])
  })

  it('goes on where the store does not answer, and what it evicted waits', async () => {
    const { cache, store } = startNode()
    await cache.set('k', 'v')
    store.faults.fail({ on: 'evict', times: 1 })
    store.faults.fail({ on: 'scan' })
    const evicting = async (): Promise<void> => {
      for await (const _ of cache.evictPattern('k'));
    }
    await expect(evicting()).rejects.toThrow('made to fail')
    expect(await cache.get('k')).toBeUndefined()
  })
})

describe('warm', () => {
  it('takes entries as they come, a chunk at a time, with the options of an entry', async () => {
    const { cache } = startNode()
    const progress: unknown[] = []
    async function* entries() {
      for (const key of ['a', 'b', 'c', 'd']) yield [key, key] as const
    }
    const onProgress = (at: unknown) => progress.push(at)
    expect(await cache.warm(entries(), { chunk: 2, onProgress, tags: ['t'], ttl: '1s' })).toBe(4)
    expect(progress).toEqual([
      { written: 2, skipped: 0, failed: 0 },
      { written: 4, skipped: 0, failed: 0 },
    ])
    expect(await cache.get('d')).toBe('d')
    await cache.evictTags(['t'])
    expect(await cache.get('d')).toBeUndefined()
  })

  it('writes nothing for nothing, and two hundred at a time by default', async () => {
    const { cache } = startNode()
    const written: number[] = []
    const onProgress = (at: { readonly written: number }) => written.push(at.written)
    expect(await cache.warm([], { onProgress })).toBe(0)
    expect(written).toEqual([])
    await cache.warm(
      Array.from({ length: 201 }, (_, n) => [n, n] as const),
      { onProgress },
    )
    expect(written).toEqual([200, 201])
  })

  it('refuses an option it does not know', async () => {
    const { cache } = startNode()
    await expect(cache.warm([], { size: 7 } as never)).rejects.toThrow(InvalidOptionError)
  })

  it('stops between two entries when it is aborted', async () => {
    const { cache } = startNode()
    const abort = new AbortController()
    function* entries() {
      yield ['a', 1] as const
      abort.abort(new Error('enough'))
      yield ['b', 2] as const
    }
    await expect(cache.warm(entries(), { signal: abort.signal })).rejects.toThrow('enough')
    await settle()
    expect(await cache.getMany(['a', 'b'])).toEqual([1, undefined])
  })
})

describe('set', () => {
  it('replaces the value everywhere, and a load under way for the old one is kept nowhere', async () => {
    const [a, b] = [startNode(), startNode()]
    const gate = deferred<string>()
    await a.cache.get('k')
    const loading = a.cache.getOrLoad('k', () => gate.promise)
    await settle()
    await b.cache.set('k', 'new')
    await settle()
    gate.resolve('old')
    expect(await loading).toBe('old')
    await settle()
    expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual(['new', 'new'])
  })

  it('of nothing is a negative entry, or an eviction where those are not kept', async () => {
    const { cache, caches } = startNode({ negativeTtl: '1m' })
    const load = counting()
    await cache.set('k', null)
    expect(await cache.getOrLoad('k', load)).toBe(null)
    expect(caches.stats().negativeHits).toBe(1)
    const none = caches.cache('none', { negativeTtl: false })
    await none.set('k', 'v')
    await none.set('k', undefined)
    expect(await none.getOrLoad('k', load)).toBe('v1')
  })

  it('reports itself, and what is too large, which stays here and is evicted elsewhere', async () => {
    const [a, b] = [startNode({ maxValueBytes: 200 }), startNode()]
    const [put, tooLarge] = [a.seen('put'), a.seen('too-large')]
    await a.cache.set('k', 'v')
    expect(await b.cache.get('k')).toBe('v')
    await a.cache.set('k', 'x'.repeat(500))
    await settle()
    expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual(['x'.repeat(500), undefined])
    expect(put).toEqual([
      { cache: 'c', key: 'c:k', outcome: 'stored' },
      { cache: 'c', key: 'c:k', outcome: 'local' },
    ])
    expect(tooLarge).toEqual([{ cache: 'c', key: 'c:k', bytes: expect.any(Number), maxBytes: 200 }])
  })

  it('as large as may be is stored', async () => {
    const sizes: number[] = []
    const measuring = startNode({ maxValueBytes: 1 })
    measuring.caches.on('too-large', ({ bytes }) => sizes.push(bytes))
    await measuring.cache.set('k', 'x'.repeat(100))
    const [size = 0] = sizes
    const [fits, other] = [startNode({ maxValueBytes: size }), startNode()]
    await fits.cache.set('k', 'x'.repeat(100))
    expect(await other.cache.get('k')).toHaveLength(100)
    await fits.cache.getOrLoad('l', async () => 'x'.repeat(100))
    await settle()
    expect(await other.cache.get('l')).toHaveLength(100)
  })

  it('that does not reach the store is kept here, and sent when the store can be reached', async () => {
    const [a, b] = [startNode({ maxStaleness: '1s' }), startNode({ maxStaleness: '1s' })]
    await a.cache.set('k', 'old')
    expect(await b.cache.get('k')).toBe('old')
    a.store.faults.fail({ on: 'put', times: 1 })
    const waiting = a.seen('recovery-queue')
    await a.cache.set('k', 'new')
    expect(waiting).toEqual([{ waiting: 1, escalated: 'none' }])
    expect(await a.cache.get('k')).toBe('new')
    await clock.advanceAsync(1_000)
    expect(waiting.at(-1)).toEqual({ waiting: 0, escalated: 'none' })
    expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual(['new', 'new'])
  })

  it('whose reply is lost leaves nothing behind that was read meanwhile', async () => {
    const { cache, store } = startNode()
    await cache.set('k', 'old')
    store.faults.loseReply({ on: 'put', times: 1 })
    await cache.set('k', 'new')
    await settle()
    expect(await cache.get('k')).not.toBe('old')
  })

  it('that a failover loses evicts what the store then has', async () => {
    const [a, late] = [startNode({ maxStaleness: '1s' }), startNode({ maxStaleness: '1s' })]
    await a.cache.set('k', 'old')
    const replica = server.snapshot()
    await a.cache.set('k', 'new')
    server.restore(replica)
    await clock.advanceAsync(1_000)
    expect(await late.cache.get('k')).toBeUndefined()
  })

  it('of a cache without the remote tier is forgotten by the other nodes', async () => {
    const [a, b] = [startNode({ remote: false }), startNode({ remote: false })]
    for (const { caches } of [a, b]) await caches.cache('shared', { remote: true }).get('k')
    await b.cache.set('k', 'theirs')
    expect(await b.cache.get('k')).toBe('theirs')
    await a.cache.set('k', 'mine', { tags: ['t'] })
    await settle()
    expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual(['mine', undefined])
    await b.cache.evictTags(['t'])
    await settle()
    expect(await a.cache.get('k')).toBeUndefined()
  })
})

describe('what is left of an evicted value', () => {
  const down = (): Promise<never> => Promise.reject(new Error('down'))

  it.each([
    ['a value that is not to be kept', (cache: Writable) => cache.set('k', 'w', { ttl: 0 })],
    ['evict', (cache: Writable) => cache.evict('k')],
    [
      'evictPattern',
      async (cache: Writable) => {
        for await (const _ of cache.evictPattern('k'));
      },
    ],
  ] as const)('is nothing after %s, also for when loads fail', async (_, change) => {
    const [a, b] = [1, 2].map(() => startNode({ staleIfError: '1h', maxValueBytes: 200 }))
    await a?.cache.set('k', 'v')
    expect(await b?.cache.get('k')).toBe('v')
    if (a !== undefined) await change(a.cache)
    await settle()
    for (const node of [a, b])
      await expect(node?.cache.getOrLoad('k', down)).rejects.toThrow('down')
  })

  it('is nothing on other nodes after a put that does not travel', async () => {
    const policy = { staleIfError: '1h', remote: false } as const
    const [a, b] = [startNode(policy), startNode(policy)]
    for (const { caches } of [a, b]) await caches.cache('shared', { remote: true }).get('k')
    await b.cache.set('k', 'theirs')
    await a.cache.set('k', 'mine')
    await settle()
    await expect(b.cache.getOrLoad('k', down)).rejects.toThrow('down')
  })

  it('is a settle window, where it was asked for, without the shared tier, too', async () => {
    const { cache } = startNode({}, { remote: undefined, codec: undefined })
    const load = counting()
    await cache.evictMany(['k', 'l'], { settle: '2s' })
    await cache.getOrLoad('k', load)
    await cache.set('l', 'l')
    await cache.evict('m')
    await cache.set('m', 'm')
    await clock.advanceAsync(1_999)
    expect(await cache.getOrLoad('k', load)).toBe('v1')
    await clock.advanceAsync(1)
    expect(await cache.getOrLoad('k', load)).toBe('v2')
    // A put says what is true, and ends the window.
    expect(await cache.getMany(['l', 'm'])).toEqual(['l', 'm'])
    await clock.advanceAsync(5_000)
    expect(await cache.getOrLoad('k', load)).toBe('v2')
  })
})

describe('a put whose value was made after it began', () => {
  const startPut = (policy: CacheOptions = {}) => {
    const node = startNode(policy)
    const method = node.caches[INTERNALS].methodCache({
      method: 'm',
      cacheName: 'c',
      options: {},
      where: 'm',
    })
    return { ...node, method, put: { mode: 'normal', tags: ['t'] } as const }
  }

  it('is kept when nothing changed meanwhile', async () => {
    const { cache, method, put } = startPut()
    await cache.get('k')
    const begun = await method.begin()
    await method.put('k', 'made', put, begun)
    expect([await cache.get('k'), await startNode().cache.get('k')]).toEqual(['made', 'made'])
  })

  it('evicts when its key was changed meanwhile, here or elsewhere', async () => {
    const other = startNode()
    for (const change of [() => other.cache.set('k', 'theirs'), () => other.cache.evict('k')]) {
      const { cache, method, put } = startPut()
      await cache.get('k')
      const begun = await method.begin()
      await change()
      await method.put('k', 'made', put, begun)
      await settle()
      expect([await cache.get('k'), await other.cache.get('k')]).toEqual([undefined, undefined])
    }
  })

  it('is invalid when a tag of it was invalidated meanwhile', async () => {
    for (const policy of [{}, { remote: false }]) {
      const { cache, caches, method, put } = startPut(policy)
      await caches.cache('shared', { remote: true }).get('k')
      const begun = await method.begin()
      await cache.evictTags(['t'])
      await method.put('k', 'made', put, begun)
      expect(await cache.get('k')).toBeUndefined()
    }
  })

  it('is kept, the first of a process too', async () => {
    for (const policy of [{}, { remote: false }]) {
      const { cache, method, put } = startPut(policy)
      await method.put('k', 'made', put, await method.begin())
      expect(await cache.get('k')).toBe('made')
      const other = startPut(policy)
      await other.cache.set('l', 'set')
      expect(await other.cache.get('l')).toBe('set')
    }
  })

  it('evicts when nothing was known then, or an eviction of its key came after that', async () => {
    const { cache, method, put, store } = startPut()
    store.faults.fail({ on: 'sync', times: 1 })
    const begun = await method.begin()
    await method.put('k', 'made', put, begun)
    expect(await cache.get('k')).toBeUndefined()
    store.faults.fail({ on: 'evict', times: 1 })
    const earlier = await method.begin()
    await cache.evict('k')
    await method.put('k', 'made', put, earlier)
    await settle()
    expect(await startNode().cache.get('k')).toBeUndefined()
  })

  it('waits behind an eviction of its key that came before', async () => {
    const { cache, method, put, store } = startPut()
    await cache.get('k')
    store.faults.fail({ on: 'evict', times: 1 })
    await cache.evict('k')
    await method.put('k', 'made', put, await method.begin())
    await settle()
    expect(await startNode().cache.get('k')).toBe('made')
  })
})

it('a put to a store that does not publish is published by its node', async () => {
  const { cache, store } = startNode()
  const published: unknown[] = []
  Object.defineProperty(store, 'capabilities', {
    value: { ...store.capabilities, publishes: false },
  })
  Object.defineProperty(store.bus, 'publish', {
    value: async (message: unknown) => void published.push(message),
  })
  await cache.set('k', 'v')
  expect(published).toMatchObject([
    {
      kind: 'keys',
      partition: partitionOf('c:k'),
      previous: expect.any(Number),
      seq: expect.any(Number),
      keys: ['c:k'],
    },
  ])
})

describe('getManyOrLoad', () => {
  it('refuses a result that is no list, or one of another length', async () => {
    const { cache } = startNode()
    for (const result of [undefined, 'ab', ['a'], ['a', 'b', 'c']]) {
      const reading = cache.getManyOrLoad(['a', 'b'], async () => result as never)
      await expect(reading).rejects.toThrow(InvalidOptionError)
    }
    expect(await cache.getManyOrLoad(['a', 'b'], async () => ['A', 'B'])).toEqual(['A', 'B'])
  })

  it('rejects with what its loader rejects with, and keeps nothing', async () => {
    const { cache } = startNode()
    const failing = cache.getManyOrLoad(['a', 'b'], () => Promise.reject(new Error('down')))
    await expect(failing).rejects.toThrow('down')
    await settle()
    expect(await cache.getMany(['a', 'b'])).toEqual([undefined, undefined])
  })

  it('loads nothing when everything is there, and takes the options of an entry', async () => {
    const { cache } = startNode()
    const load = vi.fn(async (missing: readonly unknown[]) => missing.map((key) => `v${key}`))
    expect(await cache.getManyOrLoad([], load)).toEqual([])
    expect(await cache.getManyOrLoad(['a', 'b'], load, { tags: ['t'] })).toEqual(['va', 'vb'])
    await settle()
    expect(await cache.getManyOrLoad(['b', 'a'], load)).toEqual(['vb', 'va'])
    expect(load).toHaveBeenCalledTimes(1)
    await cache.evictTags(['t'])
    await cache.getManyOrLoad(['b', 'a'], load)
    expect(load.mock.calls.map(([missing]) => missing)).toEqual([
      ['a', 'b'],
      ['b', 'a'],
    ])
  })

  it.each([
    ['the list', (keys: unknown[]) => keys.splice(0, 2, 'x', 'y')],
    ['a composite key', (keys: unknown[]) => (keys[1] as unknown[]).fill('z')],
  ])('keeps nothing under the key of another when its caller changes %s', async (_, change) => {
    const [a, b] = [startNode(), startNode()]
    const keys = ['a', ['b', 1], 'c']
    const reading = a.cache.getManyOrLoad(keys, async (missing) => missing.map((key) => `v${key}`))
    change(keys)
    await settle()
    expect(await reading).toEqual(['va', 'vb,1', 'vc'])
    expect(await b.cache.getMany(['a', ['b', 1], 'c'])).toEqual(['va', 'vb,1', 'vc'])
  })

  it('a key whose other loader fails gets a call of its own', async () => {
    const [a, b] = [startNode(), startNode()]
    const theirs = deferred<string>()
    const failing = b.cache.getOrLoad('b', () => theirs.promise).catch(() => 'failed')
    await settle()
    const load = vi.fn(async (missing: readonly unknown[]) => missing.map((key) => `v${key}`))
    const reading = a.cache.getManyOrLoad(['a', 'b', 'c'], load)
    await settle()
    theirs.reject(new Error('down'))
    await clock.advanceAsync(1_000)
    expect(await reading).toEqual(['va', 'vb', 'vc'])
    expect(load.mock.calls.map(([missing]) => missing)).toEqual([['a', 'c'], ['b']])
    expect(await failing).toBe('failed')
  })

  it('its signal is one for all, and aborts when the manager closes', async () => {
    const { cache, caches } = startNode()
    const signals: AbortSignal[] = []
    const reading = cache.getManyOrLoad(['a', 'b'], (_, context) => {
      signals.push(context.signal, context.signal)
      return new Promise((_, reject) => {
        context.signal.addEventListener('abort', () => reject(context.signal.reason))
      })
    })
    const failed = expect(reading).rejects.toThrow(ClosedError)
    await settle()
    expect([signals.length, signals[0] === signals[1], signals[0]?.aborted]).toEqual([
      2,
      true,
      false,
    ])
    const closing = caches.close()
    await clock.advanceAsync(3_000)
    await closing
    await failed
    expect(signals[0]?.aborted).toBe(true)
  })
})

describe('after close', () => {
  it('everything is refused', async () => {
    const { cache, caches } = startNode()
    await caches.close()
    const calls = [
      () => cache.getOrLoad('k', counting()),
      () => cache.get('k'),
      () => cache.getMany(['k']),
      () => cache.set('k', 'v'),
      () => cache.evict('k'),
      () => cache.evictTags(['t']),
      () => cache.clear(),
      () => cache.getManyOrLoad(['k'], async () => ['v']),
      () => cache.evictPattern('*').next(),
      () => cache.entries().next(),
      () => cache.warm([['k', 'v']]),
    ]
    for (const call of calls) await expect(call()).rejects.toThrow(ClosedError)
  })

  it('one who waits for another node is told', async () => {
    const [a, b] = [startNode(), startNode()]
    const gate = deferred<string>()
    const loading = a.cache.getOrLoad('k', () => gate.promise)
    await settle()
    const waiting = expect(b.cache.getOrLoad('k', counting())).rejects.toThrow(ClosedError)
    await settle()
    const closing = b.caches.close()
    await clock.advanceAsync(3_000)
    await waiting
    await closing
    gate.resolve('v')
    expect(await loading).toBe('v')
  })
})
