/** Nobody waits for a load that will not come: what a node claimed is filled or given back, whatever goes wrong on the way. */

import {
  type FaultyRemoteStore,
  faultyRemoteStore,
  type RemoteOperation,
} from '@larder/core/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { deferred } from '../support/eventually.ts'
import { counting, MemoryWorld, never } from './memory-world.ts'

/** Well below what a lease lasts, and above what a sync takes to come. */
const SOON_MS = 2_000
const TIMEOUT_MS = 250

let world: MemoryWorld

beforeEach(() => {
  world = new MemoryWorld('left-leases', { leaseWait: '30s', maxStaleness: '2s', ttl: '1h' })
})

/** A node whose store can fail, and one beside it. */
function startPair() {
  const store: FaultyRemoteStore = faultyRemoteStore(world.server.store(), { clock: world.clock })
  const failing = world.startNode({}, { remote: store, storeTimeout: TIMEOUT_MS })
  const other = world.startNode()
  return { ...failing, faults: store.faults, other: other.cache }
}

/** Reads a key on the other node; how long it waited, and what it got. */
async function readElsewhere(cache: ReturnType<typeof startPair>['other'], key: string) {
  const at = world.clock.now()
  let value: unknown
  void cache.getOrLoad(key, async () => 'loaded elsewhere').then((found) => (value = found))
  for (let ms = 0; ms < 30_000 && value === undefined; ms += 10) await world.clock.advanceAsync(10)
  return { value, waitedMs: world.clock.now() - at }
}

async function warm(...caches: ReturnType<typeof startPair>['other'][]): Promise<void> {
  for (const cache of caches) await cache.getOrLoad('warm', async () => 'warm')
  await world.clock.advanceAsync(SOON_MS)
}

describe('another node’s read does not wait', () => {
  it.each<[string, (faults: FaultyRemoteStore['faults']) => void]>([
    ['the claim was granted, and its reply lost', (f) => f.loseReply({ on: 'claim', times: 1 })],
    ['the fill was done, and its reply lost', (f) => f.loseReply({ on: 'fill', times: 1 })],
    ['the fill failed', (f) => f.fail({ on: 'fill', times: 1 })],
    ['fill and release failed', (f) => f.fail({ on: ['fill', 'release'], times: 2 })],
    ['the claim came too late', (f) => f.delay(TIMEOUT_MS + 100, { on: 'claim', times: 1 })],
    ['the fill came too late', (f) => f.delay(TIMEOUT_MS + 100, { on: 'fill', times: 1 })],
    [
      'the claim hung until the store was well again, long after the value was handed out',
      (f) => f.hang({ on: 'claim', times: 1 }),
    ],
  ])('when %s', async (_, break_) => {
    const { cache, faults, other } = startPair()
    await warm(cache, other)
    break_(faults)
    const reading = cache.getOrLoad('k', async () => 'v')
    await world.clock.advanceAsync(TIMEOUT_MS + 50)
    expect(await reading).toBe('v')
    faults.heal()
    await world.clock.advanceAsync(SOON_MS)
    const { value, waitedMs } = await readElsewhere(other, 'k')
    expect(waitedMs).toBeLessThan(SOON_MS)
    expect(['v', 'loaded elsewhere']).toContain(value)
  })

  it('and loads it, when only the reply of the claim was lost', async () => {
    const { cache, faults, other } = startPair()
    await warm(cache, other)
    faults.loseReply({ on: 'claim', times: 1 })
    expect(await cache.getOrLoad('k', async () => 'v')).toBe('v')
    await world.clock.advanceAsync(0)
    // Not the value that the claim might have been for: it could have been granted after an eviction.
    expect(await readElsewhere(other, 'k')).toMatchObject({ value: 'loaded elsewhere' })
  })

  it('when a loader failed, and the release too', async () => {
    const { cache, faults, other } = startPair()
    await warm(cache, other)
    faults.fail({ on: 'release', times: 1 })
    await cache.getOrLoad('k', () => Promise.reject(new Error('x'))).catch(() => undefined)
    await world.clock.advanceAsync(SOON_MS)
    expect(await readElsewhere(other, 'k')).toEqual({ value: 'loaded elsewhere', waitedMs: 10 })
  })

  it('when the store is away while the load runs, and back a while later', async () => {
    const { cache, faults, other } = startPair()
    await warm(cache, other)
    const source = deferred<string>()
    const reading = cache.getOrLoad('k', () => source.promise)
    await world.clock.advanceAsync(10)
    faults.fail()
    source.resolve('v')
    expect(await reading).toBe('v')
    await world.clock.advanceAsync(1_000)
    faults.heal()
    await world.clock.advanceAsync(5_000)
    const { waitedMs } = await readElsewhere(other, 'k')
    expect(waitedMs).toBeLessThan(100)
  })

  it.each<RemoteOperation>(['claim', 'fill'])(
    'when many are loaded together and one %s of them fails',
    async (on) => {
      const { cache, faults, other } = startPair()
      await warm(cache, other)
      faults.loseReply({ on, times: 1 })
      await cache.getManyOrLoad(['a', 'b', 'c'], async (keys) => keys)
      await world.clock.advanceAsync(SOON_MS)
      for (const key of ['a', 'b', 'c']) {
        const { waitedMs } = await readElsewhere(other, key)
        expect(waitedMs).toBeLessThan(100)
      }
    },
  )
})

describe('a manager that closes', () => {
  it('gives back the leases of loads that do not heed their signal', async () => {
    const { caches, cache, other } = startPair()
    await warm(cache, other)
    const late = deferred<string>()
    const reading = cache.getOrLoad('k', () => late.promise)
    await world.clock.advanceAsync(10)
    const closing = caches.close()
    await world.clock.advanceAsync(SOON_MS + 10)
    await closing
    expect(await readElsewhere(other, 'k')).toEqual({ value: 'loaded elsewhere', waitedMs: 10 })
    late.resolve('v')
    expect(await reading).toBe('v')
    await world.clock.advanceAsync(10)
    expect(await other.getOrLoad('k', never)).toBe('loaded elsewhere')
  })

  it('loads nothing that it is granted only then', async () => {
    const { caches, cache, faults, other } = startPair()
    await warm(cache, other)
    faults.delay(100, { on: 'claim' })
    const load = counting()
    const reading = expect(cache.getOrLoad('k', load)).rejects.toThrow('closed')
    await world.clock.advanceAsync(10)
    const closing = caches.close()
    await world.clock.advanceAsync(SOON_MS)
    await closing
    await reading
    expect(load).not.toHaveBeenCalled()
    expect(await readElsewhere(other, 'k')).toEqual({ value: 'loaded elsewhere', waitedMs: 10 })
  })

  it('lets a fill that is under way reach the store', async () => {
    const { caches, cache, faults, other } = startPair()
    await warm(cache, other)
    faults.delay(100, { on: 'fill' })
    expect(await cache.getOrLoad('k', async () => 'v')).toBe('v')
    const closing = caches.close()
    await world.clock.advanceAsync(SOON_MS)
    await closing
    expect(await other.getOrLoad('k', never)).toBe('v')
  })
})
