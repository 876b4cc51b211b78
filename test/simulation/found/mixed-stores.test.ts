/** Two stores of one namespace on one bus that does not tell them apart, as after a server was copied. */

import { createCacheManager } from '@larder/core'
import {
  ManualClock,
  type MemoryRemoteStore,
  MemoryServer,
  structuredCodec,
} from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { expect, it, onTestFinished } from 'vitest'

const NAMESPACE = 'mixed'
const A_MINUTE_MS = 60_000
/** A few at first, then at the pace of a fuse. */
const MOST_REPETITIONS = 20
const MOST_CALLS = 200

it.each([
  ['evictTags', 'bumpTags'],
  ['evict', 'evict'],
] as const)('one %s does not keep both busy', async (change, operation) => {
  const clock = new ManualClock()
  const stores = [
    new MemoryServer({ clock }),
    new MemoryServer({ clock, startsAt: 1_000_000 }),
  ].map((server) => ({ server, store: server.store() }))
  for (const { store } of stores) hangAfter(store, operation)
  forwardAll(stores.map(({ server }) => server))
  const nodes = stores.map(({ store }) => startNode(store, clock))
  for (const { cache } of nodes) {
    void cache.getOrLoad('k', () => 'value', { tags: ['t'] })
    await clock.advanceAsync(0)
  }
  const calls = (): number =>
    stores.reduce((sum, { store }) => sum + store.faults.calls(operation), 0)
  for (const { cache } of nodes) {
    void (change === 'evict' ? cache.evict('k') : cache.evictTags(['t']))
    await clock.advanceAsync(0)
  }
  await clock.advanceAsync(A_MINUTE_MS)
  expect(calls()).toBeLessThan(MOST_REPETITIONS)
})

/** Ends what has no end: a loop of replies would never let a test fail. */
function hangAfter(store: MemoryRemoteStore, operation: 'bumpTags' | 'evict'): void {
  const { faults } = store
  const { calls } = faults
  faults.calls = (of) => {
    const count = calls.call(faults, of)
    if (of === operation && count > MOST_CALLS) faults.hang()
    return count
  }
}

function startNode(remote: MemoryRemoteStore, clock: ManualClock) {
  const caches = createCacheManager({
    namespace: NAMESPACE,
    local: lruStore(),
    remote,
    codec: structuredCodec,
    clock,
    default: false,
    logger: false,
  })
  onTestFinished(async () => {
    const closing = caches.close()
    await clock.advanceAsync(A_MINUTE_MS)
    await closing
  })
  return { caches, cache: caches.cache<string>('c', { ttl: '1h', jitter: 0 }) }
}

function forwardAll(servers: readonly MemoryServer[]): void {
  const forwarded = new WeakSet<object>()
  const nothing = (): void => undefined
  for (const from of servers) {
    const probe = from.store()
    probe.open(NAMESPACE)
    probe.bus.subscribe(NAMESPACE, {
      onMessage: (message) => {
        if (forwarded.has(message)) return
        forwarded.add(message)
        for (const to of servers) if (to !== from) to.publish(NAMESPACE, message)
      },
      onUp: nothing,
      onDoubt: nothing,
      onDown: nothing,
      onGarbage: nothing,
    })
  }
}
