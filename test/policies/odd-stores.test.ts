/** Stores that are odd in ways no healthy one is: clocks that jump, answers that can never be used. */

import type { ClaimReply } from '@larder/core/store'
import { garble, truncate } from '@larder/core/testing'
import { describe, expect, it } from 'vitest'
import { counting, MemoryWorld, never } from './memory-world.ts'

const HOUR_MS = 3_600_000
const TTL_MS = 10_000

describe('an entry from ahead of the clock lives no longer than its ttl', () => {
  it('when the store was set forward since this node last asked it', async () => {
    const world = new MemoryWorld('odd', { ttl: TTL_MS, maxStaleness: '1m' })
    const [a, b] = [world.startNode(), world.startNode()]
    await b.cache.get('other')
    world.server.shiftTime(HOUR_MS)
    await a.cache.getOrLoad('k', async () => 'v1')
    await world.clock.advanceAsync(0)
    expect(await b.cache.getOrLoad('k', never)).toBe('v1')
    await world.clock.advanceAsync(TTL_MS - 1)
    expect(await b.cache.getOrLoad('k', never)).toBe('v1')
    // By a little more than that: the store counts from when it was filled.
    await world.clock.advanceAsync(10)
    expect(await b.cache.getOrLoad('k', async () => 'v2')).toBe('v2')
  })

  it('when it was written before the store was set back', async () => {
    const world = new MemoryWorld('odd', { ttl: TTL_MS })
    const [a, b] = [world.startNode(), world.startNode()]
    await a.cache.getOrLoad('k', async () => 'v1')
    await world.clock.advanceAsync(0)
    world.server.shiftTime(-HOUR_MS)
    await b.cache.get('k')
    await world.clock.advanceAsync(TTL_MS - 1)
    expect(await b.cache.get('k')).toBe('v1')
    await world.clock.advanceAsync(1)
    b.store.disconnect()
    expect(await b.cache.get('k')).toBeUndefined()
  })
})

/** After so many claims the test has failed, and must end. */
const ENDLESS = 100

describe('a store that says "filled" and never has anything usable', () => {
  const bytesOf = async (): Promise<Uint8Array> => {
    const world = new MemoryWorld('odd')
    const { cache, store } = world.startNode()
    await cache.getOrLoad('k', async () => 'v')
    await world.clock.advanceAsync(0)
    const [bytes] = await store.read([{ partition: 0, key: 'c:k' }])
    return bytes ?? Buffer.alloc(0)
  }

  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['nothing', () => Buffer.alloc(0)],
    ['noise', garble],
    ['half of it', truncate],
    [
      'a value that does not decode',
      (bytes) => Buffer.concat([bytes.subarray(0, -4), Buffer.of(193, 193, 193, 193)]),
    ],
  ])('(%s) does not hang a read', async (_, damage) => {
    const bytes = damage(await bytesOf())
    const world = new MemoryWorld('odd')
    const { cache, store } = world.startNode()
    let claims = 0
    const claim = store.claim.bind(store)
    store.claim = (address, request): Promise<ClaimReply> => {
      claims += 1
      if (claims > ENDLESS) return claim(address, request)
      return Promise.resolve({ kind: 'filled', bytes, nowMs: world.server.now() })
    }
    const load = counting()
    expect(await cache.getOrLoad('k', load)).toBe('v1')
    expect(await cache.getOrLoad('k', load)).toBe('v1')
    expect(claims).toBeLessThan(10)
  })
})
