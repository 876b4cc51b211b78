/** A write that was given up, evicted by its node, overtaken by another node's, and then arrives all the same. */

import { createCacheManager } from '@larder/core'
import { ManualClock, MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { expect, it, onTestFinished } from 'vitest'

it.each(['set', 'warm'] as const)(
  '%s: what arrives late does not replace what is newer',
  async (how) => {
    const clock = new ManualClock()
    const held: (() => void)[] = []
    let isHolding = false
    const server = new MemoryServer({
      clock,
      deliver: (task, delivery) => {
        const isPut = delivery.kind === 'request' && delivery.operation === 'put'
        if (isHolding && isPut) held.push(task)
        else queueMicrotask(task)
      },
    })
    const [a, b] = [0, 1].map(() => {
      const caches = createCacheManager({
        namespace: 'late',
        local: lruStore(),
        remote: server.store(),
        codec: structuredCodec,
        clock,
        default: false,
        logger: false,
        defaults: { ttl: '1h', jitter: 0 },
      })
      onTestFinished(async () => {
        const closing = caches.close()
        await clock.advanceAsync(5_000)
        await closing
      })
      return caches.cache<string>('c')
    })
    if (a === undefined || b === undefined) throw new Error('There are two nodes')
    await a.set('k', 'first')
    await b.set('other', 'x')

    isHolding = true
    const writing = how === 'set' ? a.set('k', 'late') : a.warm([['k', 'late']])
    // Its deadline passes, and the eviction that it left runs.
    await clock.advanceAsync(3_000)
    await writing
    isHolding = false
    await b.set('k', 'newer')
    expect(await a.get('k')).toBe('newer')

    expect(held).toHaveLength(1)
    for (const arrive of held) arrive()
    await clock.advanceAsync(5_000)
    for (const cache of [a, b]) expect(await cache.get('k')).not.toBe('late')
  },
)
