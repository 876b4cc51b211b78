/** Writes that arrive long after the caller was told that they did not. */

import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startNode, untilVerified } from '../support/nodes.ts'
import { startProxy } from '../support/proxy/tcp-proxy.ts'
import { startRedis } from '../support/redis/redis-server.ts'

describe('a write that is held up on its way', () => {
  it.each([
    ['set', (cache: Writable) => cache.set('k', 'late')],
    ['warm', (cache: Writable) => cache.warm([['k', 'late']])],
  ] as const)('%s does not replace what another node wrote meanwhile', async (_, write) => {
    await using server = await startRedis()
    await using proxy = await startProxy(server.port)
    const namespace = 'late'
    const a = startNode({ namespace, url: proxy.url, storeTimeout: '200ms' })
    const b = startNode({ namespace, url: server.url, storeTimeout: '10s' })
    await Promise.all([untilVerified(a), untilVerified(b)])
    const [onA, onB] = [a.caches.cache<string>('c'), b.caches.cache<string>('c')]
    await onA.set('k', 'first')

    proxy.freeze('to-server')
    await write(onA)
    await onB.set('k', 'newer')
    expect(await onB.get('k')).toBe('newer')
    const commands = proxy.bytes('to-client')
    proxy.thaw('to-server')
    await eventually('what was held up has arrived', () => proxy.bytes('to-client') > commands)
    await untilVerified(a)

    // The value that nobody wrote last is nowhere; the newer one may have gone with the eviction that A had waiting.
    for (const cache of [onA, onB]) expect(await cache.get('k')).not.toBe('late')
    expect(await onA.getOrLoad('k', async () => 'loaded')).not.toBe('late')
  })
})

type Writable = ReturnType<ReturnType<typeof startNode>['caches']['cache']>
