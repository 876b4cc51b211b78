/** How a read finds its value, tier by tier and step by step; on a manual clock and an in-memory store. */

import { INTERNALS, type Plugin, partitionOf } from '@larder/core/store'
import { garble, type ManualClock, type MemoryServer, truncate } from '@larder/core/testing'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { deferred } from '../support/eventually.ts'
import { counting, down, MemoryWorld, never } from './memory-world.ts'

const NAMESPACE = 'reads'
const MAX_STALENESS_MS = 2_000

let world: MemoryWorld
let clock: ManualClock
let server: MemoryServer

beforeEach(() => {
  world = new MemoryWorld(NAMESPACE, { maxStaleness: MAX_STALENESS_MS })
  ;({ clock, server } = world)
})

function startNode(...options: Parameters<MemoryWorld['startNode']>) {
  const node = world.startNode(...options)
  const method = node.caches[INTERNALS].methodCache({
    method: 'm',
    cacheName: 'c',
    options: {},
    where: 'm',
  })
  /** Reads as `skipCache` has it. */
  const readAs = (mode: 'refresh' | 'localOnly', load: () => Promise<unknown>, key = 'k') =>
    method.getOrLoad(key, { load }, { mode, tags: [] })
  return { ...node, method, readAs }
}

/** Lets everything that is ready happen; time stands still. */
const settle = (): Promise<void> => clock.advanceAsync(0)

/** Has the store lose what it knows of the partition of a key of the cache `c`. */
function loseHistory(key = 'k'): void {
  server.dropKey({ namespace: NAMESPACE, kind: 'log', partition: partitionOf(`c:${key}`) })
}

/** Has nodes doubt what they hold of the key's partition: history was lost, and their own word has aged. */
async function doubt(key = 'k'): Promise<void> {
  loseHistory(key)
  await clock.advanceAsync(MAX_STALENESS_MS)
}

describe('the local tier', () => {
  it('lets go of what was invalidated', async () => {
    const { cache, caches } = startNode()
    await cache.getOrLoad('k', counting(), { tags: ['t'] })
    await settle()
    await cache.evictTags(['t'])
    expect(caches.stats().localEntries).toBe(1)
    await expect(cache.getOrLoad('k', down)).rejects.toThrow('down')
    expect(caches.stats().localEntries).toBe(0)
  })

  it('is not trusted without a thought when one partition of all was not confirmed', async () => {
    const { cache, method, store } = startNode()
    await cache.getOrLoad('k', counting())
    await settle()
    expect(await cache.getOrLoad('k', never)).toBe('v1')
    expect(await method.hit('k')).toBe('v1')
    const { sync } = store
    vi.spyOn(store, 'sync').mockImplementation(async (partitions) => {
      const reply = await sync.call(store, partitions)
      // As when one shard of a Cluster cannot be reached.
      const unreachable = partitionOf('c:other')
      return {
        ...reply,
        heads: reply.heads.map((head, id) => (id === unreachable ? undefined : head)),
      }
    })
    await clock.advanceAsync(MAX_STALENESS_MS + 1_000)
    expect(method.hit('k')).toBeUndefined()
  })

  it('may be absent', async () => {
    const { cache } = startNode({ staleIfError: '1h' }, { local: undefined })
    const load = counting()
    expect(await cache.getOrLoad('k', load)).toBe('v1')
    await settle()
    expect([await cache.getOrLoad('k', load), await cache.get('k')]).toEqual(['v1', 'v1'])
    await cache.set('k', 'w')
    expect(await cache.get('k')).toBe('w')
    await cache.evict('k')
    for await (const _ of cache.evictPattern('*'));
    expect(await cache.getOrLoad('k', load)).toBe('v2')
    await clock.advanceAsync(11_000)
    expect(await cache.getOrLoad('k', down)).toBe('v2')
  })

  it('and the shared one may both be absent: then every read loads, once at a time', async () => {
    const { cache } = startNode({}, { local: undefined, remote: undefined, codec: undefined })
    const load = counting()
    const reads = [cache.getOrLoad('k', load), cache.getOrLoad('k', load)]
    expect(await Promise.all(reads)).toEqual(['v1', 'v1'])
    expect(await cache.getOrLoad('k', load)).toBe('v2')
    await cache.set('k', 'w')
    await cache.evict('k')
    expect(await cache.get('k')).toBeUndefined()
  })

  it('alone never doubts what it holds', async () => {
    const { cache } = startNode({ ttl: '1h' }, { remote: undefined, codec: undefined })
    const load = counting()
    await cache.getOrLoad('k', load, { tags: ['t'] })
    await clock.advanceAsync(3_599_999)
    expect(await cache.getOrLoad('k', load)).toBe('v1')
    await cache.evictTags(['t'])
    expect(await cache.getOrLoad('k', load)).toBe('v2')
    await cache.set('k', 'w')
    await clock.advanceAsync(3_599_999)
    expect(await cache.get('k')).toBe('w')
    await clock.advanceAsync(1)
    expect(await cache.get('k')).toBeUndefined()
  })

  it('is all that is used with localOnly, and left out with refresh', async () => {
    const [a, b] = [startNode(), startNode()]
    const load = counting()
    await a.cache.set('k', 'shared')
    expect(await b.readAs('localOnly', load)).toBe('v1')
    expect(await b.readAs('localOnly', load)).toBe('v1')
    expect(b.store.faults.calls('read') + b.store.faults.calls('claim')).toBe(0)
    expect(await b.readAs('refresh', load)).toBe('v2')
    await settle()
    expect([await startNode().cache.get('k'), await b.cache.get('k')]).toEqual(['v2', 'v2'])
  })

  it('with refresh, joins no flight, and what the displaced one brings is not kept', async () => {
    const { cache, readAs } = startNode({}, { remote: undefined, codec: undefined })
    const [first, second] = [deferred<string>(), deferred<string>()]
    const reading = cache.getOrLoad('k', () => first.promise)
    const refreshing = readAs('refresh', () => second.promise)
    const joining = cache.getOrLoad('k', never)
    first.resolve('first')
    expect(await reading).toBe('first')
    expect(await cache.get('k')).toBeUndefined()
    second.resolve('second')
    expect([await refreshing, await joining, await cache.get('k')]).toEqual([
      'second',
      'second',
      'second',
    ])
  })

  it('a failed refresh is told, whatever there is to fall back on', async () => {
    const { cache, readAs } = startNode({ staleIfError: '1h' })
    await cache.getOrLoad('k', counting())
    await settle()
    await expect(readAs('refresh', down)).rejects.toThrow('down')
  })
})

describe('reads of one tick', () => {
  it.each([
    [undefined, [7]],
    [3, [3, 3, 1]],
  ])('go to a store that takes %s at once in calls of %j', async (readsAtOnce, sizes) => {
    const store = Object.assign(server.store(), { readsAtOnce })
    const { cache } = startNode({}, { remote: store })
    await cache.get('warm-up')
    const read = vi.spyOn(store, 'read')
    expect(await cache.getMany(['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toEqual(Array(7))
    expect(read.mock.calls.map(([addresses]) => addresses.length)).toEqual(sizes)
  })
})

describe('get', () => {
  it('finds what may be served, stale or not, here and there', async () => {
    const policy = { staleWhileRevalidate: '5s', staleIfError: '1h', refreshAhead: false } as const
    const [a, b, c] = [startNode(policy), startNode(policy), startNode(policy)]
    await a.cache.getOrLoad('k', counting())
    await clock.advanceAsync(9_999)
    expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual(['v1', 'v1'])
    expect(a.caches.stats().staleHits + b.caches.stats().staleHits).toBe(0)
    await clock.advanceAsync(2)
    expect([await a.cache.get('k'), await c.cache.get('k')]).toEqual(['v1', 'v1'])
    expect([a, b, c].map(({ caches }) => caches.stats().staleHits)).toEqual([1, 0, 1])
    expect([a, b, c].map(({ caches }) => caches.stats().remoteHits)).toEqual([0, 1, 0])
    await clock.advanceAsync(5_000)
    const late = startNode(policy)
    expect([await a.cache.get('k'), await late.cache.get('k')]).toEqual([undefined, undefined])
    expect([a, late].map(({ caches }) => caches.stats().misses)).toEqual([2, 1])
  })

  it('finds what is about to be refreshed, and what a failed refresh left', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.9)
    onTestFinished(() => void vi.restoreAllMocks())
    const { cache, store } = startNode({ refreshAhead: true, staleWhileRevalidate: '1m' })
    const slow = cache.getOrLoad(
      'k',
      () => new Promise((resolve) => clock.schedule(1_000, () => resolve('v'), 'caller')),
    )
    await clock.advanceAsync(1_000)
    await slow
    await clock.advanceAsync(9_000)
    const read = store.faults.calls('read')
    expect(await cache.get('k')).toBe('v')
    await clock.advanceAsync(1_000)
    await cache.getOrLoad('k', down)
    await settle()
    expect(await cache.get('k')).toBe('v')
    expect(store.faults.calls('read')).toBe(read + 1)
  })

  it('finds nothing where the store does not answer, or must not be believed', async () => {
    const [a, b] = [startNode(), startNode()]
    await a.cache.set('k', 'v')
    await b.cache.get('other')
    b.store.faults.fail({ on: 'read', times: 1 })
    expect(await b.cache.get('k')).toBeUndefined()
    b.store.faults.corrupt(garble, { on: 'read', times: 1 })
    const undecodable = b.seen('undecodable')
    expect(await b.cache.get('k')).toBeUndefined()
    expect(undecodable).toEqual([
      {
        cache: 'c',
        key: 'c:k',
        reason: 'format',
        error: expect.stringMatching(/format/),
        count: 1,
      },
    ])
    b.store.faults.fail({ on: 'evict' })
    await b.cache.evict('k')
    const reads = b.store.faults.calls('read')
    expect(await b.cache.get('k')).toBeUndefined()
    await b.cache.get('elsewhere')
    expect(b.store.faults.calls('read')).toBe(reads)
    expect(b.caches.stats().misses).toBe(5)
  })

  it('keeps what it found, unless it was evicted meanwhile', async () => {
    const [a, b] = [startNode(), startNode()]
    await a.cache.set('k', 'v')
    await b.cache.get('other')
    b.store.faults.delay(20, { on: 'read', times: 1 })
    const finding = b.cache.get('k')
    await clock.advanceAsync(10)
    await b.cache.evict('gone')
    await clock.advanceAsync(10)
    expect(await finding).toBe('v')
    const reads = b.store.faults.calls('read')
    expect([await b.cache.get('k'), b.store.faults.calls('read')]).toEqual(['v', reads])
  })

  it('throws what is remembered as an error, from either tier', async () => {
    const [a, b] = [startNode({ cacheErrors: () => '1m' }), startNode()]
    await expect(a.cache.getOrLoad('k', down)).rejects.toThrow('down')
    await settle()
    await expect(a.cache.get('k')).rejects.toThrow('down')
    await expect(b.cache.get('k')).rejects.toThrow('down')
    await expect(b.cache.getOrLoad('k', never)).rejects.toThrow('down')
  })
})

describe('a flight that began before an invalidation', () => {
  const joinAfter = async (evicted: string, options: object, isAlone = false) => {
    const { cache, caches } = startNode({}, isAlone ? { remote: undefined, codec: undefined } : {})
    await cache.get('k')
    const gate = deferred<string>()
    const first = cache.getOrLoad('k', () => gate.promise, options)
    await settle()
    await cache.evictTags([evicted])
    const load = counting()
    const second = cache.getOrLoad('k', load, options)
    await settle()
    const before = load.mock.calls.length
    gate.resolve('old')
    await clock.advanceAsync(1_000)
    return { cache, caches, load, before, first: await first, second: await second }
  }

  it('is shared when it carries none of the tags', async () => {
    const { load, first, second, caches, cache } = await joinAfter('other', { tags: ['t'] })
    expect([first, second, load.mock.calls.length]).toEqual(['old', 'old', 0])
    expect(caches.stats().joined).toBe(1)
    expect(await cache.get('k')).toBe('old')
  })

  it('is not waited for when it is known to carry one', async () => {
    const { load, first, second, cache } = await joinAfter('t', { tags: ['t'] })
    expect([first, second, load.mock.calls.length]).toEqual(['old', 'v1', 1])
    expect(await cache.get('k')).toBe('v1')
  })

  it('is not waited for by one who need not wait for its lease', async () => {
    const { before, first, second, cache } = await joinAfter('t', { tags: ['t'] }, true)
    expect([before, first, second, await cache.get('k')]).toEqual([1, 'old', 'v1', 'v1'])
  })

  it('is waited for, and loaded anew, when its result turns out to carry one', async () => {
    const { load, before, first, second, cache } = await joinAfter('t', { tags: () => ['t'] })
    expect([first, second, before, load.mock.calls.length]).toEqual(['old', 'v1', 0, 1])
    expect(await cache.get('k')).toBe('v1')
  })

  it('gives every caller a copy of its own where that is asked for', async () => {
    const { cache } = startNode({ isolation: 'cloned' })
    await cache.get('k')
    const gate = deferred<object>()
    const first = cache.getOrLoad('k', () => gate.promise)
    await settle()
    await cache.evictTags(['other'])
    const second = cache.getOrLoad('k', never)
    gate.resolve({ a: 1 })
    expect([await first, await second]).toEqual([{ a: 1 }, { a: 1 }])
    expect(await first).not.toBe(await second)
  })

  it('is not joined when nobody could have told it of an eviction for too long', async () => {
    const { cache, store } = startNode({ leaseWait: '1h' })
    await cache.get('k')
    const gate = deferred<string>()
    const first = cache.getOrLoad('k', () => gate.promise)
    await settle()
    store.disconnect({ silently: true })
    await clock.advanceAsync(MAX_STALENESS_MS * 2)
    const second = cache.getOrLoad('k', async () => 'new')
    await clock.advanceAsync(1_000)
    expect(await second).toBe('new')
    gate.resolve('old')
    expect(await first).toBe('old')
    expect(await cache.getOrLoad('k', never)).toBe('new')
  })
})

describe('an entry in doubt', () => {
  it('stands again when the store still holds that very write', async () => {
    const { cache, store, caches } = startNode({ ttl: '1h' })
    await cache.getOrLoad('k', counting())
    await doubt()
    const [reads, headers] = [store.faults.calls('read'), store.faults.calls('readHeaders')]
    expect(await cache.getOrLoad('k', never)).toBe('v1')
    expect(await cache.getOrLoad('k', never)).toBe('v1')
    expect([store.faults.calls('read'), store.faults.calls('readHeaders')]).toEqual([
      reads,
      headers + 1,
    ])
    expect(caches.stats()).toMatchObject({ localHits: 2, remoteHits: 0 })
    await clock.advanceAsync(MAX_STALENESS_MS * 2)
    expect(await cache.getOrLoad('k', never)).toBe('v1')
    expect(store.faults.calls('readHeaders')).toBe(headers + 1)
  })

  it('gives way to another write', async () => {
    const [a, b] = [startNode({ ttl: '1h' }), startNode({ ttl: '1h' })]
    await a.cache.getOrLoad('k', counting())
    await settle()
    a.store.disconnect({ only: 'messages', silently: true })
    a.store.faults.fail({ on: 'changesSince' })
    await b.cache.set('k', 'new')
    await clock.advanceAsync(MAX_STALENESS_MS)
    expect(await a.cache.getOrLoad('k', never)).toBe('new')
    expect(a.caches.stats()).toMatchObject({ localHits: 0, remoteHits: 1 })
  })

  it.each([
    ['is gone there', false],
    ['was evicted softly there', true],
  ])('does not stand when its write %s', async (_, soft) => {
    const [a, b] = [startNode({ ttl: '1h' }), startNode({ ttl: '1h' })]
    await a.cache.getOrLoad('k', counting())
    await settle()
    a.store.disconnect({ only: 'messages', silently: true })
    a.store.faults.fail({ on: 'changesSince' })
    await b.cache.evict('k', { soft })
    await clock.advanceAsync(MAX_STALENESS_MS)
    expect(await a.cache.getOrLoad('k', async () => 'new')).toBe('new')
    await settle()
    expect(await b.cache.get('k')).toBe('new')
  })

  it('may stand in for a failed load only with staleIfError', async () => {
    for (const [policy, expected] of [
      [{ staleIfError: '1h' }, 'v1'],
      [{}, 'down'],
    ] as const) {
      const { cache, store } = startNode({ ttl: '1h', ...policy })
      const key = `k${expected}`
      await cache.getOrLoad(key, async () => 'v1')
      await settle()
      store.faults.fail()
      await clock.advanceAsync(MAX_STALENESS_MS * 2)
      const read = cache.getOrLoad(key, down).catch((error: Error) => error.message)
      await clock.advanceAsync(1_000)
      expect(await read).toBe(expected)
    }
  })

  it('does not come back when it is evicted while it is compared', async () => {
    const { cache, store } = startNode({ ttl: '1h' })
    await cache.getOrLoad('k', counting())
    await doubt()
    store.faults.delay(20, { on: 'readHeaders' })
    const reading = cache.getOrLoad('k', async () => 'new')
    await settle()
    await cache.evict('k')
    await clock.advanceAsync(20)
    expect(await reading).toBe('new')
    expect(await cache.getOrLoad('k', async () => 'newer')).not.toBe('v1')
  })

  it('is loaded anew when its fill may not have reached the store', async () => {
    const { cache, store } = startNode({ ttl: '1h' })
    const load = counting()
    store.faults.fail({ on: 'fill', times: 1 })
    await cache.getOrLoad('k', load)
    await settle()
    expect(await cache.getOrLoad('k', load)).toBe('v1')
    await doubt()
    const headers = store.faults.calls('readHeaders')
    const reading = cache.getOrLoad('k', load)
    await clock.advanceAsync(5_000)
    expect([await reading, store.faults.calls('readHeaders')]).toEqual(['v2', headers])
  })

  it('and stale is revalidated as any other', async () => {
    const { cache } = startNode({ ttl: '5s', staleWhileRevalidate: '1h' })
    await cache.getOrLoad('k', counting())
    await doubt()
    await clock.advanceAsync(5_000)
    loseHistory()
    await clock.advanceAsync(MAX_STALENESS_MS)
    const gate = deferred<string>()
    expect(await cache.getOrLoad('k', () => gate.promise)).toBe('v1')
    gate.resolve('v2')
    await settle()
    expect(await cache.getOrLoad('k', never)).toBe('v2')
  })
})

describe('what the store holds', () => {
  it('of a kind of its own keeps it', async () => {
    const [a, b] = [
      startNode({ negativeTtl: '1m', cacheErrors: () => '1m' }),
      startNode({ negativeTtl: '1m' }),
    ]
    const error = Object.assign(new Error('gone'), { code: 410 })
    await a.cache.getOrLoad('n', async () => undefined)
    await expect(a.cache.getOrLoad('e', () => Promise.reject(error))).rejects.toBe(error)
    await settle()
    for (const read of [1, 2]) {
      expect(await b.cache.getOrLoad('n', never)).toBeUndefined()
      const found = await b.cache.getOrLoad('e', never).catch((reason: Error) => reason)
      expect([read, (found as Error).message, Object.isFrozen(found)]).toEqual([
        read,
        'gone',
        false,
      ])
    }
  })

  it('that is no entry is reported, and loaded anew', async () => {
    const [a, b] = [startNode(), startNode()]
    await a.cache.set('k', 'v')
    const undecodable = b.seen('undecodable')
    b.store.faults.corrupt(garble, { on: 'read', times: 1 })
    b.store.faults.corrupt(garble, { on: 'claim', times: 1 })
    expect(await b.cache.getOrLoad('k', never)).toBe('v')
    expect(undecodable).toHaveLength(2)
    expect(undecodable[0]).toEqual({
      cache: 'c',
      key: 'c:k',
      reason: 'format',
      count: 1,
      error: expect.stringMatching(/format/),
    })
  })

  it('and is unusable time and again is given up on', async () => {
    const [a, b] = [startNode(), startNode()]
    await a.cache.set('k', 'v')
    await b.cache.get('other')
    b.store.faults.corrupt(garble)
    expect(await b.cache.getOrLoad('k', async () => 'own')).toBe('own')
    expect([b.store.faults.calls('claim'), b.store.faults.calls('fill')]).toEqual([4, 0])
  })

  it('but does not decode is reported, and loaded anew for all', async () => {
    const [a, b] = [startNode(), startNode()]
    await a.cache.set('k', 'x'.repeat(1_000))
    const undecodable = b.seen('undecodable')
    b.store.faults.corrupt(truncate, { on: 'read', times: 1 })
    expect(await b.cache.getOrLoad('k', async () => 'new')).toBe('new')
    const error = expect.any(Error)
    expect(undecodable).toEqual([{ cache: 'c', key: 'c:k', reason: 'value', error, count: 1 }])
    await settle()
    expect(await a.cache.get('k')).not.toBe('new')
  })

  it('by a codec step is read by it, and is a miss without it', async () => {
    const flip = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0x55)
    let isBroken = false
    const plugin: Plugin = {
      name: 'flip',
      codecSteps: [
        {
          id: 77,
          name: 'flip',
          encode: async (bytes) => flip(bytes),
          decode: async (bytes) => {
            if (isBroken) throw new Error('broken')
            return flip(bytes)
          },
        },
      ],
    }
    const [a, b] = [startNode({}, { plugins: [plugin] }), startNode({}, { plugins: [plugin] })]
    const plain = startNode()
    const undecodable = [b.seen('undecodable'), plain.seen('undecodable')]
    await a.cache.getOrLoad('k', async () => ({ a: [1] }))
    await a.cache.set('l', 'v')
    await settle()
    const found = (await b.cache.getOrLoad('k', never)) as { a: number[] }
    expect([found, Object.isFrozen(found.a), await b.cache.get('l')]).toEqual([
      { a: [1] },
      true,
      'v',
    ])
    isBroken = true
    const late = startNode({}, { plugins: [plugin] })
    expect(await late.cache.get('l')).toBeUndefined()
    expect(await late.cache.getOrLoad('l', async () => 'late')).toBe('late')
    await settle()
    expect(await plain.cache.getOrLoad('l', async () => 'plain')).toBe('plain')
    expect(undecodable[0]).toEqual([])
    const error = expect.any(Error)
    expect(undecodable[1]).toEqual([
      { cache: 'c', key: 'c:l', reason: 'unknown-step', error, count: 1 },
    ])
  })

  it('stale is served while one refresh runs, on a node that has never seen it', async () => {
    const policy = { staleWhileRevalidate: '10s' } as const
    const [a, b] = [startNode(policy), startNode(policy)]
    await a.cache.getOrLoad('k', counting())
    await clock.advanceAsync(11_000)
    const gate = deferred<string>()
    expect(await b.cache.getOrLoad('k', () => gate.promise)).toBe('v1')
    expect(b.caches.stats()).toMatchObject({ staleHits: 1, misses: 0, remoteHits: 0 })
    gate.resolve('v2')
    await settle()
    expect([await a.cache.get('k'), await b.cache.get('k')]).toContain('v2')
  })

  it('past that is only for when loads fail, and a load is told of it', async () => {
    const policy = { staleIfError: '1h' } as const
    const [a, b, c] = [startNode(policy), startNode(policy), startNode(policy)]
    await a.cache.getOrLoad('k', counting())
    await clock.advanceAsync(11_000)
    expect(await b.cache.getOrLoad('k', down)).toBe('v1')
    let previous: unknown
    const read = c.cache.getOrLoad('k', async (context) => {
      previous = context.previous
      return 'v2'
    })
    expect([await read, previous]).toEqual(['v2', 'v1'])
  })

  it('negative or an error is no fallback, and nothing that a load could start from', async () => {
    const policy = { negativeTtl: '1s', staleIfError: '1h' } as const
    const { cache } = startNode({ ...policy, cacheErrors: () => '1s' })
    await cache.getOrLoad('n', async () => null)
    await settle()
    await clock.advanceAsync(500)
    await cache.evict('n', { soft: true })
    await expect(cache.getOrLoad('n', down)).rejects.toThrow('down')
    let previous: unknown = 'unset'
    await settle()
    await clock.advanceAsync(1_500)
    await cache.getOrLoad('n', async (context) => {
      previous = context.previous
      return 1
    })
    expect(previous).toBeUndefined()
  })
})

describe('a run of misses', () => {
  const missing = async (node: ReturnType<typeof startNode>, count: number) => {
    for (let n = 0; n < count; n++)
      await node.cache.getOrLoad(`missing ${clock.now()} ${n}`, counting())
    await settle()
    return [node.store.faults.calls('read'), node.store.faults.calls('claim')]
  }

  it('is followed by claims without a look before them, until something is found', async () => {
    const [node, other] = [startNode(), startNode()]
    await other.cache.set('there', 'there')
    expect(await missing(node, 8)).toEqual([8, 8])
    await clock.advanceAsync(1)
    expect(await missing(node, 2)).toEqual([8, 10])
    expect(await node.cache.getOrLoad('there', never)).toBe('there')
    await clock.advanceAsync(1)
    expect(await missing(node, 1)).toEqual([9, 12])
    expect(node.caches.stats()).toMatchObject({ remoteHits: 1, misses: 11, loads: 11 })
  })

  it('does not count what came before something that was found', async () => {
    const [node, other] = [startNode(), startNode()]
    await other.cache.set('there', 'there')
    await missing(node, 7)
    await node.cache.getOrLoad('there', never)
    await clock.advanceAsync(1)
    expect(await missing(node, 8)).toEqual([16, 15])
  })

  it.each([{ staleWhileRevalidate: '1m' }, { staleIfError: '1m' }] as const)(
    'is looked behind all the same where something stale might be found (%j)',
    async (policy) => {
      expect(await missing(startNode(policy), 10)).toEqual([10, 10])
    },
  )

  it('does not keep an entry in doubt from being compared, nor a refresh from looking', async () => {
    const { cache, store, readAs } = startNode({ ttl: '1h' })
    await cache.getOrLoad('k', counting())
    for (let n = 0; n < 8; n++) await cache.getOrLoad(`missing ${n}`, counting())
    await doubt()
    const before = [store.faults.calls('readHeaders'), store.faults.calls('read')]
    expect(await cache.getOrLoad('k', never)).toBe('v1')
    expect(await readAs('refresh', async () => 'v2')).toBe('v2')
    expect([store.faults.calls('readHeaders'), store.faults.calls('read')]).toEqual(
      before.map((calls) => calls + 1),
    )
  })
})

describe('a batch', () => {
  it('loads what is missing at once, whatever the rest is waiting for', async () => {
    const policy = { ttl: '1h', negativeTtl: '1h', staleWhileRevalidate: '1h' } as const
    const [a, b] = [startNode(policy), startNode(policy)]
    await a.cache.set('fresh', 'fresh')
    await a.cache.set('stale', 'stale', { ttl: '1s' })
    await a.cache.getOrLoad('doubted', async () => 'doubted')
    await a.cache.set('none', null)
    await b.cache.set('there', 'there')
    await b.cache.set('stale there', 'stale there', { ttl: '1s' })
    await doubt('doubted')
    const [joined, theirs] = [deferred<string>(), deferred<string>()]
    const own = a.cache.getOrLoad('joined', () => joined.promise)
    const other = b.cache.getOrLoad('theirs', () => theirs.promise)
    await settle()
    const load = vi.fn(async (missing: readonly unknown[]) => missing.map((key) => `new ${key}`))
    const keys = [
      ...['fresh', 'stale', 'doubted', 'none', 'there', 'stale there', 'joined', 'theirs'],
      ...['missing', 'missing, too'],
    ]
    const reading = a.cache.getManyOrLoad(keys, load)
    await settle()
    expect(load.mock.calls.map(([missing]) => new Set(missing))).toEqual([
      new Set(['missing', 'missing, too', 'stale', 'stale there']),
    ])
    joined.resolve('joined')
    theirs.resolve('theirs')
    await clock.advanceAsync(1_000)
    expect(await reading).toEqual([
      ...['fresh', 'stale', 'doubted', null, 'there', 'stale there', 'joined', 'theirs'],
      ...['new missing', 'new missing, too'],
    ])
    expect([await own, await other]).toEqual(['joined', 'theirs'])
  })
})
