/** Over every kind of store: what is loaded in a settle window, on whichever node that knows of it, does not outlive it. */

import { PGlite } from '@electric-sql/pglite'
import type { CacheOptions } from '@larder/core'
import type { RemoteStore } from '@larder/core/store'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { fromKeyv } from '@larder/keyv-store'
import { redisStore } from '@larder/redis-store'
import Keyv from 'keyv'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { postgresStore } from '../../examples/custom-store/postgres-store.ts'
import { MemoryWorld } from '../policies/memory-world.ts'
import { eventually } from '../support/eventually.ts'
import { freshNamespace, startNode } from '../support/nodes.ts'

const WINDOW_MS = 1_500

let postgres: PGlite
beforeAll(async () => {
  postgres = await PGlite.create()
})
afterAll(() => postgres.close())

/** Each makes what the nodes share, and returns what makes one node's store. */
const STORES: Readonly<Record<string, () => () => RemoteStore>> = {
  'the store in memory': () => {
    const server = new MemoryServer()
    return () => server.store()
  },
  Redis: () => () => redisStore({ url: inject('redisUrl') }),
  'the PostgreSQL store of the examples': () => () => postgresStore(postgres),
  Keyv: () => {
    const map = new Map()
    return () => fromKeyv(new Keyv(map))
  },
}

const CASES: readonly { readonly soft: boolean; readonly policy: CacheOptions }[] = [
  { soft: false, policy: {} },
  { soft: true, policy: { staleIfError: '1h' } },
  { soft: false, policy: { ttl: '300ms' } },
  { soft: false, policy: { local: false } },
]

describe.each(Object.entries(STORES))('%s', (_, makeStores) => {
  it.each(CASES)('%o', async ({ soft, policy }) => {
    const makeStore = makeStores()
    const namespace = freshNamespace()
    const [a, b] = [0, 1].map(() => {
      const remote = makeStore()
      const codec = remote.codec ?? structuredCodec
      return startNode({ remote, namespace, codec, policy: { maxStaleness: '200ms', ...policy } })
    }) as [ReturnType<typeof startNode>, ReturnType<typeof startNode>]
    let row = 'old'
    const caches = [a, b].map(({ caches }) => caches.cache<string>('c'))
    const read = (key: string): Promise<string[]> =>
      Promise.all(caches.map((cache) => cache.getOrLoad(key, () => row)))
    // Nothing of it may be late: a window that has ended by then shows nothing, and another key is taken.
    const key = await eventually('a window is read in', async () => {
      const key = `k${Math.random()}`
      await read(key)
      const evictedAt = performance.now()
      await caches[0]?.evict(key, { soft, settle: WINDOW_MS })
      // Each of them the first to load it once, and often enough that a load follows on what a load has left.
      while (performance.now() - evictedAt < WINDOW_MS / 2) {
        await read(key)
        await new Promise(setImmediate)
      }
      return performance.now() - evictedAt < WINDOW_MS ? key : undefined
    })
    row = 'new'
    await eventually('all nodes read what is true', async () =>
      (await read(key)).every((value) => value === 'new'),
    )
    expect(await read(key)).toEqual(['new', 'new'])
  })
})

/** A store that can do the least there is, and knows nothing of windows: only the node that evicts does. */
function leastStore(server: MemoryServer): RemoteStore {
  const store = server.store()
  const { evict } = store
  Object.defineProperty(store, 'capabilities', {
    value: { leases: false, sequences: false, tags: false, publishes: true, scans: false },
  })
  return Object.assign(store, {
    evict: ((addresses, request) =>
      evict.call(store, addresses, { ...request, settleMs: 0 })) satisfies RemoteStore['evict'],
  })
}

describe('the node that evicts', () => {
  it.each([false, true])(
    'limits what it loads where the store does not (soft: %s)',
    async (soft) => {
      const world = new MemoryWorld('settle', { ttl: '1h', staleIfError: '2h' })
      const { cache } = world.startNode({}, { remote: leastStore(world.server) })
      let row = 'old'
      const read = () => cache.getOrLoad('k', () => row)
      await read()
      await cache.evict('k', { soft, settle: 10_000 })
      await world.clock.advanceAsync(4_000)
      expect(await read()).toBe('old')
      row = 'new'
      await world.clock.advanceAsync(5_999)
      expect(await read()).toBe('old')
      await world.clock.advanceAsync(1)
      expect(await read()).toBe('new')
    },
  )

  it('limits what it loads after what was loaded first in the window has expired', async () => {
    const world = new MemoryWorld('settle', { ttl: '6s' })
    const [{ cache }, other] = [world.startNode(), world.startNode()]
    await other.cache.get('other')
    let row = 'old'
    const read = () => cache.getOrLoad('k', () => row)
    await cache.evict('k', { settle: 10_000 })
    expect(await read()).toBe('old')
    await world.clock.advanceAsync(9_000)
    expect(await read()).toBe('old')
    row = 'new'
    // By so much more: the window in the store is the stricter one as long as it stands.
    await world.clock.advanceAsync(1_250)
    expect(await read()).toBe('new')
    expect(await other.cache.getOrLoad('k', () => row)).toBe('new')
  })
})
