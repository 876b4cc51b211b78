/** A mistake in code must not pass for a store that is away: whoever goes on without the store says what it was. */

import { createCacheManager } from '@larder/core'
import type { RemoteStore } from '@larder/core/store'
import { faultyBus, faultyRemoteStore, MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { describe, expect, it, onTestFinished } from 'vitest'

function startStage(spoil: (store: RemoteStore) => Partial<RemoteStore>) {
  const store = new MemoryServer().store()
  const whole = faultyRemoteStore(store, { bus: faultyBus(store.bus) })
  const caches = createCacheManager({
    namespace: 'defects',
    local: lruStore(),
    remote: { ...whole, ...spoil(store) },
    codec: structuredCodec,
    default: false,
    logger: false,
    defaults: { ttl: '1h', maxStaleness: '1s' },
  })
  onTestFinished(() => caches.close())
  const errors: { task: string; error: unknown }[] = []
  caches.on('background-error', (event) => void errors.push(event))
  return { cache: caches.cache<string>('c'), errors }
}

const missing = (): never => {
  throw new TypeError('this.client.get is not a function')
}

describe('a mistake in a store', () => {
  it.each<[task: string, spoilt: Partial<RemoteStore>]>([
    ['read', { read: missing }],
    ['claim', { claim: missing }],
    ['fill', { fill: async () => missing() }],
    ['put', { put: missing }],
    ['evict', { evict: async () => missing() }],
    ['bump-tags', { bumpTags: missing }],
    ['sync', { sync: missing }],
  ])('in %s is an event, and costs nothing but what is cached', async (task, spoilt) => {
    const { cache, errors } = startStage(() => spoilt)
    expect(await cache.getOrLoad('k', () => 'loaded')).toBe('loaded')
    await cache.set('k', 'set')
    await cache.evict('k')
    await cache.evictTags(['t'])
    const found = errors.filter((each) => each.task === task).map(({ error }) => error)
    expect(found[0]).toBeInstanceOf(TypeError)
  })
})

it.each<[task: string, spoilt: (store: RemoteStore) => Partial<RemoteStore>]>([
  // Replies of another shape than the contract's: what fails is the engine that takes them in.
  [
    'sync',
    (store) => ({ sync: async () => ({ ...(await store.sync([])), heads: null as never }) }),
  ],
  ['put', () => ({ put: async () => null as never })],
  ['claim', () => ({ claim: async () => null as never })],
  ['fill', () => ({ fill: async () => null as never })],
])('a reply to %s that is none is an event', async (task, spoil) => {
  const { cache, errors } = startStage(spoil)
  expect(await cache.getOrLoad('k', () => 'loaded')).toBe('loaded')
  await cache.set('k', 'set')
  expect(errors.some((each) => each.task === task)).toBe(true)
})

it('a reply to an eviction that is none is told to its caller: nobody knows what was evicted', async () => {
  const { cache } = startStage(() => ({ evict: async () => [{ partition: 99 } as never] }))
  await expect(cache.evict('k')).rejects.toThrow(RangeError)
})

it('a store that is away is none', async () => {
  const away = async (): Promise<never> => {
    throw new Error('ECONNREFUSED')
  }
  const { cache, errors } = startStage(() => ({
    ...{ read: away, claim: away, fill: away, put: away, evict: away, bumpTags: away, sync: away },
  }))
  for (let i = 0; i < 5; i++) expect(await cache.getOrLoad(`k${i}`, () => 'loaded')).toBe('loaded')
  await cache.set('k', 'set')
  await cache.evict('k')
  await cache.evictTags(['t'])
  expect(errors).toEqual([])
})
