/** What statistics and events say of reads and loads; on a manual clock and an in-memory store. */

import type { ManualClock } from '@larder/core/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { deferred } from '../support/eventually.ts'
import { counting, down, MemoryWorld, never } from './memory-world.ts'

const MAX_STALENESS_MS = 2_000

let world: MemoryWorld
let clock: ManualClock

beforeEach(() => {
  world = new MemoryWorld('statistics', { maxStaleness: MAX_STALENESS_MS })
  clock = world.clock
})

const startNode: MemoryWorld['startNode'] = (policy, options) => world.startNode(policy, options)

/** Lets everything that is ready happen; time stands still. */
const settle = (): Promise<void> => clock.advanceAsync(0)

describe('statistics and events', () => {
  it('say from where a value came', async () => {
    const [a, b] = [startNode({ negativeTtl: '1m' }), startNode({ negativeTtl: '1m' })]
    const [hits, misses] = [b.seen('hit'), b.seen('miss')]
    await a.cache.getOrLoad('k', counting())
    await a.cache.getOrLoad('n', async () => null)
    await settle()
    for (const key of ['k', 'k', 'n', 'n']) await b.cache.getOrLoad(key, never)
    await Promise.all([1, 2].map(() => b.cache.getOrLoad('other', counting())))
    expect(hits).toEqual([
      { cache: 'c', key: 'c:k', tier: 'remote', negative: false },
      { cache: 'c', key: 'c:k', tier: 'local', negative: false },
      { cache: 'c', key: 'c:n', tier: 'remote', negative: true },
      { cache: 'c', key: 'c:n', tier: 'local', negative: true },
    ])
    expect(misses).toEqual([{ cache: 'c', key: 'c:other', reason: 'absent' }])
    expect(b.caches.stats()).toMatchObject({
      localHits: 2,
      remoteHits: 2,
      negativeHits: 2,
      staleHits: 0,
      misses: 1,
      joined: 1,
      loads: 1,
      loadErrors: 0,
    })
  })

  it('count the same with nobody listening', async () => {
    const [a, b] = [startNode(), startNode()]
    await a.cache.getOrLoad('k', counting())
    await settle()
    await b.cache.get('k')
    await b.cache.get('k')
    await b.cache.get('other')
    expect(b.caches.stats()).toMatchObject({ localHits: 1, remoteHits: 1, misses: 1, loads: 0 })
  })

  it('say how a load ended, why it ran and how long it took', async () => {
    const { cache, seen, caches } = startNode()
    const loads = seen('load')
    const after = (ms: number, end: () => Promise<unknown>) => () =>
      new Promise((resolve) => clock.schedule(ms, () => resolve(undefined), 'caller')).then(end)
    const reading = cache.getOrLoad(
      'k',
      after(30, async () => 'v'),
    )
    await clock.advanceAsync(30)
    await reading
    const failing = expect(cache.getOrLoad('e', after(10, down))).rejects.toThrow('down')
    await clock.advanceAsync(10)
    await failing
    await cache.getOrLoad('n', async () => null)
    expect(loads).toEqual([
      { cache: 'c', key: 'c:k', durationMs: 30, outcome: 'value', reason: 'miss' },
      { cache: 'c', key: 'c:e', durationMs: 10, outcome: 'error', reason: 'miss' },
      { cache: 'c', key: 'c:n', durationMs: 0, outcome: 'negative', reason: 'miss' },
    ])
    const { loads: count, loadErrors, misses, loadLatency } = caches.stats()
    expect([count, loadErrors, misses]).toEqual([3, 1, 3])
    expect([loadLatency.count, Math.round(loadLatency.meanMs * 3)]).toEqual([3, 40])
  })

  it('take the load behind a stale value of the store for a refresh', async () => {
    const policy = { staleWhileRevalidate: '10s' } as const
    const [a, b] = [startNode(policy), startNode(policy)]
    const [loads, misses] = [b.seen('load'), b.seen('miss')]
    await a.cache.getOrLoad('k', counting())
    await clock.advanceAsync(11_000)
    await b.cache.getOrLoad('k', async () => 'v2')
    await settle()
    expect(loads).toEqual([
      { cache: 'c', key: 'c:k', durationMs: 0, outcome: 'value', reason: 'refresh' },
    ])
    expect([misses, b.caches.stats().misses]).toEqual([[], 0])
  })

  it('time reads of the store', async () => {
    const { cache, caches, store } = startNode()
    await clock.advanceAsync(1_000)
    await cache.get('other')
    store.faults.delay(40, { on: 'read' })
    const reading = cache.getOrLoad('k', counting())
    await clock.advanceAsync(40)
    await reading
    const { remoteReadLatency } = caches.stats()
    expect([remoteReadLatency.count, remoteReadLatency.meanMs]).toEqual([1, 40])
  })

  it('say of a stale value why it was served', async () => {
    const { cache, seen, caches } = startNode({ staleWhileRevalidate: '5s', staleIfError: '1h' })
    const stale = seen('stale')
    await cache.getOrLoad('k', counting())
    await clock.advanceAsync(12_000)
    const gate = deferred<string>()
    await cache.getOrLoad('k', () => gate.promise)
    gate.resolve('v2')
    await settle()
    await clock.advanceAsync(20_000)
    expect(await cache.getOrLoad('k', down)).toBe('v2')
    expect(stale).toEqual([
      { cache: 'c', key: 'c:k', reason: 'revalidating' },
      { cache: 'c', key: 'c:k', reason: 'error' },
    ])
    expect(caches.stats().staleHits).toBe(2)
  })
})
