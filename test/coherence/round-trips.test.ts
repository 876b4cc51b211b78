/** What each operation costs, counted at the socket: bursts of commands that the server answered. */

import { redisStore } from '@larder/redis-store'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startNode, untilVerified } from '../support/nodes.ts'
import { startProxy } from '../support/proxy/tcp-proxy.ts'
import { startRedis } from '../support/redis/redis-server.ts'

const KEYS = Array.from({ length: 40 }, (_, i) => `k${i}`)

describe('round trips', () => {
  it('are those of the table', async () => {
    await using server = await startRedis()
    await using proxy = await startProxy(server.port)
    const node = startNode({
      remote: redisStore({ url: proxy.url, pingEvery: '1h' }),
      // No poll falls into the counting.
      policy: { maxStaleness: '1h', negativeTtl: '1h' },
    })
    await untilVerified(node)
    const cache = node.caches.cache<string>('c')
    const remoteOnly = node.caches.cache<string>('r', { local: false })
    const cost = async (work: () => Promise<unknown>): Promise<number> => {
      proxy.resetCounters()
      await work()
      return proxy.roundTrips()
    }
    // Scripts are sent whole the first time; that is not what is counted.
    await remoteOnly.getOrLoad('warm', async () => 'v')
    await remoteOnly.set('warm', 'v')
    await remoteOnly.evict('warm')
    await remoteOnly.evictTags(['warm'])

    expect(
      await cost(() => cache.getOrLoad('k', async () => 'v', { tags: ['t'] })),
    ).toBeLessThanOrEqual(3)
    await eventually('the fill is done', () => proxy.roundTrips() === 3)
    expect(await cost(() => cache.getOrLoad('k', async () => 'v', { tags: ['t'] }))).toBe(0)
    expect(await cost(() => cache.get('k'))).toBe(0)

    expect(await cost(() => remoteOnly.set('x', 'v'))).toBe(1)
    expect(await cost(() => remoteOnly.getOrLoad('x', async () => 'v'))).toBe(1)
    await Promise.all(KEYS.map((key) => remoteOnly.set(key, 'v')))
    const readAll = (): Promise<unknown> =>
      Promise.all(KEYS.map((key) => remoteOnly.getOrLoad(key, async () => 'never')))
    expect(await cost(readAll)).toBe(1)
    expect(await cost(() => remoteOnly.getMany(KEYS))).toBe(1)

    expect(await cost(() => remoteOnly.evict('x'))).toBe(1)
    expect(await cost(() => remoteOnly.evictMany(KEYS))).toBe(1)
    expect(await cost(() => remoteOnly.evictTags(['a', 'b', 'c']))).toBe(1)
    expect(await cost(() => remoteOnly.clear())).toBe(1)
    expect(await cost(() => remoteOnly.evictTags(['a', 'b', 'c'], { soft: true }))).toBe(1)
    expect(await cost(() => remoteOnly.clear({ soft: true }))).toBe(1)
  })
})
