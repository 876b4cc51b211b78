/** What leaves a node was born at the tag clock that the store has confirmed, however far ahead the node's own is. */

import { createCacheManager } from '@larder/core'
import { decodeHeader } from '@larder/core/store'
import { ManualClock, MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { expect, it, onTestFinished } from 'vitest'

it('what is put while invalidations wait is born no later than the clock of the store', async () => {
  const clock = new ManualClock()
  const store = new MemoryServer({ clock }).store()
  const births: number[] = []
  const { put, bumpTags } = store
  let isRefusing = true
  Object.assign(store, {
    put: (...[address, request]: Parameters<typeof put>) => {
      births.push(decodeHeader(request.bytes)?.birth ?? Number.NaN)
      return put.call(store, address, request)
    },
    bumpTags: (...args: Parameters<typeof bumpTags>) =>
      isRefusing ? Promise.reject(new Error('READONLY')) : bumpTags.apply(store, args),
  })
  const caches = createCacheManager({
    namespace: 'births',
    local: lruStore(),
    remote: store,
    codec: structuredCodec,
    clock,
    default: false,
    logger: false,
    defaults: { ttl: '1h', jitter: 0 },
  })
  onTestFinished(async () => {
    isRefusing = false
    const closing = caches.close()
    await clock.advanceAsync(60_000)
    await closing
  })
  const cache = caches.cache<string>('c')
  await cache.set('k', 'first')
  const version = (await store.sync([])).tags?.version ?? 0
  for (let i = 0; i < 20; i++) {
    const evicting = caches.evictTags([`t${i}`])
    await clock.advanceAsync(10)
    await evicting
  }
  for (let i = 0; i < 200 && births.length < 2; i++) {
    // Each of another key: one that has once failed waits in the queue with its key.
    const setting = cache.set(`k${i}`, `${i}`)
    await clock.advanceAsync(50)
    await setting
  }
  expect(births.length).toBeGreaterThan(1)
  expect(Math.max(...births)).toBeLessThanOrEqual(version)
})
