/** What the simulation found, each as the shortest history that shows it. */

import { type CacheOptions, createCacheManager, partitionOf } from '@larder/core'
import {
  type Deliver,
  garble,
  ManualClock,
  MemoryServer,
  structuredCodec,
} from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { deferred } from '../support/eventually.ts'

const MAX_STALENESS_MS = 2_000

let clock: ManualClock
let server: MemoryServer
/** What travels and is held back. */
let held: (() => void)[]
let isHeld: (delivery: Parameters<Deliver>[1]) => boolean

beforeEach(() => {
  clock = new ManualClock()
  held = []
  isHeld = () => false
  const deliver: Deliver = (task, delivery) => {
    if (isHeld(delivery)) held.push(task)
    else queueMicrotask(task)
  }
  server = new MemoryServer({ clock, deliver })
})

it('a claim that is answered with bytes that are no entry does not keep its caller waiting', async () => {
  const [a, b] = [startNode(), startNode()]
  await after(a.read('k', 'value'))
  b.store.faults.corrupt(garble, { on: ['read', 'claim'] })
  expect(await after(b.read('k', 'value again'))).toBe('value again')
})

it('nodes that revalidate the same stale entry load it once', async () => {
  const policy = { ttl: '1s', staleWhileRevalidate: '10s' } as const
  const nodes = [startNode(policy), startNode(policy), startNode(policy)] as const
  for (const node of nodes) await after(node.read('k', 'old'))
  await clock.advanceAsync(1_500)
  const load = vi.fn(async () => 'new')
  for (const node of nodes) expect(await after(node.readBy('k', load))).toBe('old')
  await clock.advanceAsync(100)
  for (const node of nodes) expect(await after(node.readBy('k', load))).toBe('new')
  expect(load).toHaveBeenCalledTimes(1)
})

it('what cannot be judged by a recent tag clock is not served, whether the store holds it or not', async () => {
  const [a, b] = [startNode(), startNode()]
  await after(a.read('k', 'old'))
  await after(b.find('other'))
  b.store.disconnect({ only: 'messages', silently: true })
  b.store.faults.fail({ on: 'sync' })
  await after(a.manager.evictTags(['t']))
  await clock.advanceAsync(MAX_STALENESS_MS)
  expect(await after(b.find('k'))).toBeUndefined()
  expect(await after(b.read('k', 'new'))).toBe('new')
})

it('an entry read from the store is trusted no longer than the tag clock it was judged by', async () => {
  const [a, b] = [startNode(), startNode()]
  await after(a.read('k', 'old'))
  await after(b.find('other'))
  b.store.disconnect({ only: 'messages', silently: true })
  b.store.faults.fail({ on: 'sync' })
  await after(a.manager.evictTags(['t']))
  await clock.advanceAsync(MAX_STALENESS_MS * 0.5)
  expect(await after(b.read('k', 'new'))).toBe('old')
  await clock.advanceAsync(MAX_STALENESS_MS * 0.5)
  expect(await after(b.read('k', 'new'))).toBe('new')
})

it.each([
  ['is an error', 0, undefined],
  ['falls back on the entry', '1h', 'old'],
] as const)(
  'a failed load of a node that can verify nothing %s with staleIfError %s',
  async (_, staleIfError, expected) => {
    const [a, b] = [startNode({ staleIfError }), startNode({ staleIfError })]
    await after(b.read('k', 'old'))
    b.store.disconnect()
    await after(a.cache.evict('k'))
    await clock.advanceAsync(MAX_STALENESS_MS)
    const read = after(b.readBy('k', () => Promise.reject(new Error('no source'))))
    if (expected === undefined) await expect(read).rejects.toThrow('no source')
    else expect(await read).toBe(expected)
  },
)

it('nobody joins a load that could not be told of an eviction for maxStaleness', async () => {
  const [a, b] = [startNode(), startNode()]
  await after(b.find('other'))
  const slow = deferred<string>()
  const first = b.readBy('k', () => slow.promise)
  await clock.advanceAsync(0)
  b.store.disconnect()
  await after(a.cache.evict('k'))
  await clock.advanceAsync(MAX_STALENESS_MS)
  const second = b.read('k', 'new')
  await clock.advanceAsync(0)
  slow.resolve('old')
  expect(await after(first)).toBe('old')
  expect(await after(second)).toBe('new')
  expect(await after(b.read('k', 'newer'))).toBe('new')
})

it('a load that a refresh has overtaken is not kept', async () => {
  const a = startNode({ remote: false })
  await after(a.find('other'))
  const slow = deferred<string>()
  const first = a.readBy('k', () => slow.promise)
  await clock.advanceAsync(0)
  const refresh = { mode: 'refresh', tags: [] } as const
  await after(a.method.getOrLoad('k', async () => 'refreshed', refresh))
  await after(a.cache.evict('k'))
  slow.resolve('old')
  expect(await after(first)).toBe('old')
  expect(await after(a.read('k', 'new'))).toBe('new')
})

it('an eviction whose repetition after a failover fails is repeated again', async () => {
  const [a, b] = [startNode(), startNode()]
  await after(a.read('k', 'old'))
  const replica = server.snapshot()
  await after(a.cache.evict('k'))
  server.restore(replica)
  a.store.faults.fail({ on: 'evict', times: 1 })
  await clock.advanceAsync(MAX_STALENESS_MS)
  expect(await after(b.read('k', 'new'))).toBe('new')
})

it('an eviction that waited in the recovery queue is repeated after a failover', async () => {
  const [a, b] = [startNode(), startNode()]
  await after(a.read('k', 'old'))
  const replica = server.snapshot()
  a.store.faults.fail({ on: 'put', times: 1 })
  await after(a.cache.set('k', 'put'))
  await clock.advanceAsync(MAX_STALENESS_MS)
  server.restore(replica)
  await clock.advanceAsync(MAX_STALENESS_MS)
  expect(await after(b.read('k', 'new'))).toBe('new')
})

it('tags invalidated on a node that lags behind are invalid there at once, also if the store refuses', async () => {
  const [a, b] = [startNode(), startNode()]
  await after(b.find('other'))
  b.store.disconnect({ only: 'messages', silently: true })
  await after(a.manager.evictTags(['u']))
  await after(a.read('k', 'old'))
  expect(await after(b.read('k', 'new'))).toBe('old')
  b.store.faults.fail({ on: 'bumpTags' })
  await after(b.manager.evictTags(['t']))
  expect(await after(b.read('k', 'new'))).toBe('new')
})

it('a sync that was under way when an invalidation failed confirms nothing', async () => {
  const [a, b] = [startNode(), startNode()]
  await after(b.find('other'))
  b.store.disconnect({ only: 'messages', silently: true })
  await after(a.manager.evictTags(['u']))
  await after(a.read('k', 'old'))
  isHeld = (delivery) => delivery.kind === 'reply' && delivery.operation === 'sync'
  while (held.length < 2) await clock.advanceAsync(100)
  b.store.faults.fail({ on: 'bumpTags' })
  await after(b.manager.evictTags(['t']))
  isHeld = () => false
  for (const arrive of held) arrive()
  expect(await after(b.read('k', 'new'))).toBe('new')
})

it('tags whose invalidation a failover lost are invalid again, also if the tag clock has moved on', async () => {
  const [a, b] = [startNode(), startNode()]
  await after(a.read('k', 'old'))
  await after(b.find('other'))
  const replica = server.snapshot()
  await after(a.manager.evictTags(['t']))
  server.restore(replica)
  await after(b.manager.evictTags(['u']))
  await clock.advanceAsync(MAX_STALENESS_MS)
  const late = startNode()
  expect(await after(late.read('k', 'new'))).toBe('new')
})

it('an eviction is repeated after a failover that went back to where its node still stood', async () => {
  const [a, b] = [startNode(), startNode()]
  const [first, second] = keysOfOnePartition()
  await after(a.read(first, 'old'))
  await after(b.find(first))
  await clock.advanceAsync(MAX_STALENESS_MS)
  const replica = server.snapshot()
  // b misses the first of two changes, and the log that would tell it: it stands before both.
  b.store.disconnect({ only: 'messages', silently: true })
  await after(a.cache.evict(second))
  b.store.faults.fail({ on: 'changesSince', times: 1 })
  await after(b.cache.evict(first))
  server.restore(replica)
  await clock.advanceAsync(MAX_STALENESS_MS)
  const late = startNode()
  expect(await after(late.read(first, 'new'))).toBe('new')
})

function startNode(policy: CacheOptions = {}) {
  const store = server.store()
  const manager = createCacheManager({
    namespace: 'found',
    local: lruStore(),
    remote: store,
    codec: structuredCodec,
    clock,
    default: false,
    defaults: { ttl: '1h', jitter: 0, maxStaleness: MAX_STALENESS_MS, ...policy },
  })
  onTestFinished(async () => {
    isHeld = () => false
    const closing = manager.close()
    await clock.advanceAsync(5_000)
    await closing
  })
  const cache = manager.cache<string>('c')
  const readBy = (key: string, load: () => Promise<string>): Promise<string> =>
    cache.getOrLoad(key, load, { tags: ['t'] })
  return {
    store,
    manager,
    cache,
    method: manager.methodCache({ method: 'c', cacheName: 'c', options: policy, where: 'c' }),
    readBy,
    read: (key: string, value: string) => readBy(key, async () => value),
    find: (key: string) => cache.get(key),
  }
}

/** What comes of something that needs the event loop, but no time. */
async function after<Result>(work: Promise<Result>): Promise<Result> {
  work.catch(() => undefined)
  await clock.advanceAsync(0)
  return work
}

function keysOfOnePartition(): readonly [string, string] {
  const all = Array.from({ length: 2_000 }, (_, n) => `k${n}`)
  const [first = ''] = all
  const second = all.find(
    (key) => key !== first && partitionOf(`c:${key}`) === partitionOf(`c:${first}`),
  )
  return [first, second ?? '']
}
