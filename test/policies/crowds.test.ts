/** Thousands of keys at once: the store gets no more than it answers in time, and nobody loads what another loads. */

import type { RemoteStore } from '@larder/core/store'
import { faultyRemoteStore } from '@larder/core/testing'
import { describe, expect, it } from 'vitest'
import { counting, MemoryWorld } from './memory-world.ts'

const KEYS = Array.from({ length: 3_000 }, (_, i) => `k${i}`)

/** A store that works on one entry after the other, so many a millisecond; on `ofARead` times as many where it only reads. */
function busyStore(store: RemoteStore, world: MemoryWorld, perMs: number, ofARead = 1) {
  let freeAt = 0
  let underWay = 0
  const seen = { most: 0, ofOneCall: 0, isIdle: () => underWay === 0 }
  const served = async <Result>(entries: number, run: () => Promise<Result>): Promise<Result> => {
    underWay += entries
    seen.most = Math.max(seen.most, underWay)
    seen.ofOneCall = Math.max(seen.ofOneCall, entries)
    freeAt = Math.max(freeAt, world.clock.now()) + entries / perMs
    await new Promise<void>((resolve) => {
      world.clock.schedule(freeAt - world.clock.now(), resolve, 'caller')
    })
    underWay -= entries
    return run()
  }
  const busy: RemoteStore = {
    ...bound(store),
    read: (all) => served(all.length / ofARead, () => store.read(all)),
    readHeaders: (all) => served(all.length / ofARead, () => store.readHeaders(all)),
    claim: (address, request) => served(1, () => store.claim(address, request)),
    fill: (...args) => served(1, () => store.fill(...args)),
    release: (...args) => served(1, () => store.release(...args)),
    renew: (...args) => served(1, () => store.renew(...args)),
    put: (...args) => served(1, () => store.put(...args)),
    evict: (addresses, request) => served(addresses.length, () => store.evict(addresses, request)),
  }
  return { busy, seen }
}

/** A store's methods and properties, as those of a plain object. */
function bound(store: RemoteStore): RemoteStore {
  const { name, capabilities, bus } = store
  return {
    name,
    capabilities,
    bus,
    open: (namespace) => store.open(namespace),
    read: (addresses) => store.read(addresses),
    readHeaders: (addresses) => store.readHeaders(addresses),
    claim: (address, request) => store.claim(address, request),
    renew: (...args) => store.renew(...args),
    release: (...args) => store.release(...args),
    fill: (...args) => store.fill(...args),
    put: (...args) => store.put(...args),
    evict: (...args) => store.evict(...args),
    sync: (partitions) => store.sync(partitions),
    changesSince: (...args) => store.changesSince(...args),
    bumpTags: (...args) => store.bumpTags(...args),
    tagsSince: (version) => store.tagsSince(version),
    scan: (prefix) => store.scan(prefix),
    close: () => store.close(),
  }
}

describe('thousands of keys at once', () => {
  /** Nodes on a store that takes seconds for so many, while each call may take a quarter of one. */
  function start(policy = {}, perMs = 4, ofARead = 1) {
    const world = new MemoryWorld('crowds', { ttl: '1h', maxStaleness: '1m', ...policy })
    const nodes = [0, 1].map(() => {
      const { busy, seen: work } = busyStore(world.server.store(), world, perMs, ofARead)
      const node = world.startNode({}, { remote: busy, storeTimeout: '250ms' })
      const { seen } = node
      return {
        ...node,
        work,
        trouble: [seen('store-error'), seen('breaker'), seen('discard')],
      }
    })
    const [first, second] = nodes
    if (first === undefined || second === undefined) throw new Error('Two nodes')
    /** Lets time pass until it is done. */
    const finish = async <Result>(work: Promise<Result>): Promise<Result> => {
      let isOver = false
      const end = work.finally(() => {
        isOver = true
      })
      while (!isOver) await world.clock.advanceAsync(10)
      return end
    }
    return { world, first, second, finish }
  }

  it('are loaded once, by one call, and stored for all nodes', async () => {
    const { world, first, second, finish } = start()
    let loads = 0
    const load = async (missing: readonly unknown[]) => {
      loads += 1
      return missing as readonly string[]
    }
    const found = await finish(first.cache.getManyOrLoad(KEYS, load))
    expect(found).toEqual(KEYS)
    expect(loads).toBe(1)
    while (!first.work.isIdle()) await world.clock.advanceAsync(10)
    expect(await finish(second.cache.getMany(KEYS))).toEqual(KEYS)
    expect([first.trouble, second.trouble]).toEqual([
      [[], [], []],
      [[], [], []],
    ])
    // Reads and what loads need, each.
    expect(first.work.most).toBeLessThanOrEqual(2 * 512)
    expect(second.work.most).toBeLessThanOrEqual(2 * 512)
  })

  it('that two nodes want are loaded by one of them each', async () => {
    const { first, second, finish } = start()
    const load = counting()
    await finish(
      Promise.all(
        [first, second].flatMap(({ cache }) => KEYS.map((key) => cache.getOrLoad(key, load))),
      ),
    )
    expect(load).toHaveBeenCalledTimes(KEYS.length)
    expect([first.trouble, second.trouble].flat(2)).toEqual([])
  })

  it.each([2, 1, 0.5])(
    'that are asked for one by one are answered by a store that does only %s of them a millisecond',
    async (perMs) => {
      const { world, first, second, finish } = start({ leaseWait: '1m' }, perMs, 50)
      for (const { cache } of [first, second]) await finish(cache.getOrLoad('warm', () => 1))
      const load = counting()
      const some = KEYS.slice(0, 2_000)
      await finish(Promise.all(some.map((key) => first.cache.getOrLoad(key, load))))
      while (!first.work.isIdle()) await world.clock.advanceAsync(10)
      const found = await finish(Promise.all(some.map((key) => second.cache.getOrLoad(key, load))))
      expect(found).toEqual(some.map((_, i) => `v${i + 1}`))
      expect(load).toHaveBeenCalledTimes(some.length)
      expect([first.trouble, second.trouble].flat(2)).toEqual([])
    },
  )

  it('can be written and evicted', async () => {
    const { first, second, finish } = start()
    const queue = first.seen('recovery-queue')
    await finish(
      first.cache.warm(
        KEYS.map((key) => [key, key] as const),
        { chunk: 10_000 },
      ),
    )
    expect(await finish(second.cache.getMany(KEYS))).toEqual(KEYS)
    await finish(first.cache.evictMany(KEYS))
    expect(await finish(second.cache.getMany(KEYS))).toEqual(KEYS.map(() => undefined))
    expect([first.trouble, second.trouble, queue].flat(2)).toEqual([])
    expect(first.work.ofOneCall).toBeLessThanOrEqual(500)
  })

  it('wait for a store that hangs no longer than one key does', async () => {
    const world = new MemoryWorld('crowds', { maxStaleness: '1m' })
    const store = faultyRemoteStore(world.server.store(), { clock: world.clock })
    const { cache } = world.startNode({}, { remote: store, storeTimeout: '250ms' })
    await cache.getOrLoad('warm', async () => 'v')
    store.faults.hang({ on: ['read', 'claim', 'fill'] })
    const load = counting()
    const reading = Promise.all(KEYS.map((key) => cache.getOrLoad(key, load)))
    let isOver = false
    void reading.then(() => {
      isOver = true
    })
    await world.clock.advanceAsync(251)
    expect(isOver).toBe(true)
    expect(load).toHaveBeenCalledTimes(KEYS.length)
    store.faults.heal()
  })
})
