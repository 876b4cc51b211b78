/** What is under way when a manager closes, over a store that never answers: it ends, long before its deadline. */

import { expect, it } from 'vitest'
import { counting, MemoryWorld } from './memory-world.ts'

const world = new MemoryWorld('closing')

it('whatever waits for a store that hangs is told when the manager closes', async () => {
  const { caches, cache, store } = world.startNode({}, { storeTimeout: '1m' })
  await cache.set('known', 'v')
  store.faults.hang()
  const calls = {
    get: cache.get('k'),
    getMany: cache.getMany(['k', 'l']),
    getOrLoad: cache.getOrLoad('k', counting()),
    getManyOrLoad: cache.getManyOrLoad(['m', 'n'], async (keys) => keys.map(String)),
    refresh: cache.refresh('k', counting()),
    set: cache.set('k', 'v'),
    update: cache.update('known', () => 'w'),
    evict: cache.evict('known'),
    evictMany: cache.evictMany(['a', 'b']),
    evictTags: caches.evictTags(['t']),
    clear: cache.clear(),
    getEntry: cache.getEntry('k'),
    warm: cache.warm([['w', 'v']]),
  }
  const open = new Set(Object.keys(calls))
  for (const [name, call] of Object.entries(calls)) {
    const end = (): boolean => open.delete(name)
    call.then(end, end)
  }
  await world.clock.advanceAsync(100)
  const closing = caches.close()
  await world.clock.advanceAsync(5_000)
  await closing
  await world.clock.advanceAsync(0)
  expect([...open]).toEqual([])
})
