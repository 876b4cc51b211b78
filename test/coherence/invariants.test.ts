/** The invariants of the coherence protocol on a real Redis; each was seen red with its mechanism removed. */

import { setTimeout as delay } from 'node:timers/promises'
import { partitionOf } from '@larder/core/store'
import { Redis } from 'ioredis'
import { describe, expect, inject, it } from 'vitest'
import { deferred, eventually } from '../support/eventually.ts'
import { startNode, startPair, untilVerified } from '../support/nodes.ts'
import { startProxy } from '../support/proxy/tcp-proxy.ts'
import { startRedis } from '../support/redis/redis-server.ts'

describe('I1: read your own eviction', () => {
  it('never returns a value loaded before an evict that has resolved, even while its loader still runs', async () => {
    const node = startNode()
    await untilVerified(node)
    const cache = node.caches.cache<string>('c')
    let source = 'old'
    const gate = deferred()
    const first = cache.getOrLoad('k', async () => {
      const read = source
      await gate.promise
      return read
    })
    await eventually('the loader runs', () => node.caches.stats().loads === 1)

    source = 'new'
    await cache.evict('k')
    const second = cache.getOrLoad('k', async () => source)
    gate.resolve()

    expect(await second).toBe('new')
    expect(await first).toBe('old')
    expect(await cache.getOrLoad('k', async () => source)).toBe('new')
  })

  it.each([
    ['tags', false],
    ['tags', true],
    ['clear', false],
    ['clear', true],
    ['namespace', false],
    ['namespace', true],
  ] as const)('holds for %s (soft: %s)', async (kind, soft) => {
    const node = startNode()
    await untilVerified(node)
    const cache = node.caches.cache<string>('c')
    let source = 'old'
    const gate = deferred()
    const options = { tags: () => ['t'] }
    const first = cache.getOrLoad(
      'k',
      async () => {
        const read = source
        await gate.promise
        return read
      },
      options,
    )
    await eventually('the loader runs', () => node.caches.stats().loads === 1)

    source = 'new'
    if (kind === 'tags') await cache.evictTags(['t'], { soft })
    else if (kind === 'clear') await cache.clear({ soft })
    else await node.caches.clear({ soft })
    const second = cache.getOrLoad('k', async () => source, options)
    gate.resolve()

    expect(await second).toBe('new')
    expect(await first).toBe('old')
    expect(await cache.getOrLoad('k', async () => source, options)).toBe('new')
  })
})

describe('I2: no stale set', () => {
  it.each([
    ['key', false],
    ['key', true],
    ['tag', false],
    ['tag', true],
    ['clear', false],
    ['clear', true],
  ] as const)(
    'a load that began before an eviction by %s (soft: %s) on another node leaves nothing readable',
    async (kind, soft) => {
      const [a, b] = await startPair()
      const onA = a.caches.cache<string>('c')
      const onB = b.caches.cache<string>('c')
      let source = 'old'
      const gate = deferred()
      const options = { tags: () => ['t'] }
      const loading = onA.getOrLoad(
        'k',
        async () => {
          const read = source
          await gate.promise
          return read
        },
        options,
      )
      await eventually('the loader runs', () => a.caches.stats().loads === 1)

      source = 'new'
      if (kind === 'key') await onB.evict('k', { soft })
      else if (kind === 'tag') await onB.evictTags(['t'], { soft })
      else await onB.clear({ soft })
      gate.resolve()
      expect(await loading).toBe('old')

      await eventually('A reads the new value', async () => {
        return (await onA.getOrLoad('k', async () => source, options)) === 'new'
      })
      expect(await onB.getOrLoad('k', async () => source, options)).toBe('new')
      expect(await onB.get('k')).toBe('new')
    },
  )

  it('a put whose key was evicted elsewhere while its method ran does not bring the old value back', async () => {
    const [a, b] = await startPair()
    const onA = a.caches.cache<string>('c')
    await onA.set('k', 'v1')
    await b.caches.cache('c').evict('k')

    expect(await b.caches.cache('c').get('k')).toBeUndefined()
    await eventually('A forgets it too', async () => (await onA.get('k')) === undefined)
  })
})

describe('I3: bounded staleness', () => {
  it('another node stops serving an evicted value when the message arrives', async () => {
    const [a, b] = await startPair({ policy: { maxStaleness: '1h' } })
    const onA = a.caches.cache<string>('c')
    const onB = b.caches.cache<string>('c')
    await onA.set('k', 'v1')
    expect(await onB.get('k')).toBe('v1')

    await onA.evict('k')

    await eventually('B forgets it', async () => (await onB.get('k')) === undefined)
  })

  it.each([{ keys: ['k'] }, { tags: ['t'] }])(
    'notices a lost message by itself: %o',
    async ({ keys, tags }) => {
      await using server = await startRedis()
      await using proxy = await startProxy(server.port)
      const namespace = 'lossy'
      const a = startNode({ namespace, url: server.url })
      const b = startNode({ namespace, url: proxy.url, policy: { maxStaleness: '500ms' } })
      await Promise.all([untilVerified(a), untilVerified(b)])
      const onA = a.caches.cache<string>('c')
      const onB = b.caches.cache<string>('c')
      await onA.set('k', 'v1', { tags: ['t'] })
      await eventually('B holds it locally', async () => {
        return (await onB.get('k')) === 'v1' && b.caches.stats().localHits > 0
      })

      // The subscriber's own connection stays healthy: only the push is lost.
      proxy.dropMessages(() => true)
      await (keys === undefined ? onA.evictTags(tags ?? []) : onA.evict(keys))
      // How soon is for tests on a manual clock. To have nothing is not enough: who was isolated for a moment has nothing either.
      const hasNoticed = (): boolean => b.seen('bus-gap').length > 0
      await eventually(
        'B notices',
        async () => {
          return (await onB.get('k')) === undefined && hasNoticed()
        },
        10_000,
      )
    },
  )

  it('an isolated node serves an entry for maxStaleness, then reads the source', async () => {
    await using server = await startRedis()
    await using proxy = await startProxy(server.port)
    const b = startNode({
      url: proxy.url,
      storeTimeout: '100ms',
      policy: { maxStaleness: '500ms' },
    })
    await untilVerified(b)
    const cache = b.caches.cache<string>('c')
    let source = 'v1'
    let loads = 0
    const load = async (): Promise<string> => {
      loads += 1
      return source
    }
    await cache.getOrLoad('k', load)
    proxy.blackhole(true)
    source = 'v2'
    const isolatedAt = performance.now()

    await eventually(
      'the source is read again',
      async () => (await cache.getOrLoad('k', load)) === 'v2',
    )
    expect(performance.now() - isolatedAt).toBeLessThan(2_500)

    const before = loads
    for (let i = 0; i < 100; i++) await cache.getOrLoad('k', load)
    expect(loads - before).toBeLessThanOrEqual(2)
  })
})

describe('I4: one load per key', () => {
  it('any number of callers on several nodes cause one load', async () => {
    const [a, b] = await startPair()
    let loads = 0
    const load = async (): Promise<string> => {
      loads += 1
      await delay(50)
      return 'v'
    }
    const readers = [a, b].flatMap(({ caches }) =>
      Array.from({ length: 50 }, () => caches.cache<string>('c').getOrLoad('k', load)),
    )

    expect(new Set(await Promise.all(readers))).toEqual(new Set(['v']))
    expect(loads).toBe(1)
  })

  it('a stuck loader delays other nodes by leaseWait', async () => {
    const [a, b] = await startPair({ policy: { leaseWait: '300ms' } })
    const stuck = deferred<string>()
    const first = a.caches.cache<string>('c').getOrLoad('k', () => stuck.promise)
    await eventually('A loads', () => a.caches.stats().loads === 1)
    const askedAt = performance.now()

    expect(await b.caches.cache<string>('c').getOrLoad('k', async () => 'mine')).toBe('mine')
    expect(performance.now() - askedAt).toBeLessThan(3_000)

    stuck.resolve('late')
    expect(await first).toBe('late')
    await eventually('the late fill is refused', () => a.seen('discard').length === 1)
    expect(await b.caches.cache<string>('c').get('k')).toBe('mine')
  })

  it('a failed load passes its error on and frees the lease at once', async () => {
    const [a, b] = await startPair({ policy: { leaseWait: '1h' } })
    const problem = new Error('the source is down')
    await expect(a.caches.cache('c').getOrLoad('k', () => Promise.reject(problem))).rejects.toBe(
      problem,
    )

    expect(await b.caches.cache('c').getOrLoad('k', async () => 'fine')).toBe('fine')
  })
})

describe('I5: the cache never breaks the call', () => {
  it('reads go on while Redis is absent at start, comes, hangs, and dies', async () => {
    await using server = await startRedis()
    await server.kill()
    const node = startNode({
      url: server.url,
      storeTimeout: '100ms',
      policy: { maxStaleness: '200ms' },
    })
    const cache = node.caches.cache<string>('c')
    const timed = async (): Promise<number> => {
      const at = performance.now()
      expect(await cache.getOrLoad(`k${at}`, async () => 'v')).toBe('v')
      return performance.now() - at
    }
    const slow = 1_500
    expect(await timed()).toBeLessThan(slow)

    await server.restart()
    await eventually('the node finds it', () => node.seen('coherence').at(-1)?.state === 'verified')
    expect(await timed()).toBeLessThan(slow)

    await server.pause()
    for (let i = 0; i < 5; i++) expect(await timed()).toBeLessThan(slow)
    await server.resume()

    await server.kill()
    for (let i = 0; i < 5; i++) expect(await timed()).toBeLessThan(slow)
  })

  it('foreign, damaged and unknown bytes are a miss and an event', async () => {
    const node = startNode({ policy: { local: false } })
    const cache = node.caches.cache<string>('c')
    const client = new Redis(inject('redisUrl'))
    try {
      for (const [i, bytes] of ['garbage', '\xca\x01', 'x'.repeat(200)].entries()) {
        const full = cache.key(`k${i}`)
        const redisKey = `{${node.caches.namespace}:${partitionOf(full)}}:${full}`
        await client.set(redisKey, Buffer.from(bytes, 'latin1'), 'EX', 60)
        expect(await cache.getOrLoad(`k${i}`, async () => 'loaded')).toBe('loaded')
        await eventually('it was replaced', async () => (await cache.get(`k${i}`)) === 'loaded')
      }
    } finally {
      client.disconnect()
    }
    expect(node.seen('undecodable').length).toBeGreaterThanOrEqual(3)
  })
})

describe('I6: losing cache memory loses hits, never correctness', () => {
  it('recognises a flush: evictions before and after it hold', async () => {
    await using server = await startRedis()
    const [a, b] = await startPair({ url: server.url, policy: { maxStaleness: '300ms' } })
    const onA = a.caches.cache<string>('c')
    const onB = b.caches.cache<string>('c')
    await onA.set('k', 'v1', { tags: ['t'] })
    await onA.set('other', 'v1')
    expect(await onB.get('k')).toBe('v1')

    await server.command('flushall')
    await onA.evictTags(['t'])
    await onA.evict('other')
    const evictedAt = performance.now()

    await eventually('B forgets both', async () => {
      return (await onB.get('k')) === undefined && (await onB.get('other')) === undefined
    })
    expect(performance.now() - evictedAt).toBeLessThan(2_500)
  })

  it('notices what was evicted although both the message and the log of it are lost', async () => {
    await using server = await startRedis()
    await using proxy = await startProxy(server.port)
    const namespace = 'forgetful'
    const policy = { maxStaleness: '500ms' } as const
    const a = startNode({ namespace, url: server.url })
    const b = startNode({ namespace, url: proxy.url, policy })
    await Promise.all([untilVerified(a), untilVerified(b)])
    const onA = a.caches.cache<string>('c')
    const onB = b.caches.cache<string>('c')
    await onA.set('k', 'v1')
    await eventually('B holds it locally', async () => {
      return (await onB.get('k')) === 'v1' && b.caches.stats().localHits > 0
    })

    proxy.dropMessages(() => true)
    await onA.evict('k')
    // Gone, so that it cannot assert its eviction again.
    await a.caches.close()
    await server.command('del', `{${namespace}:${partitionOf(onA.key('k'))}}`)

    await eventually('B forgets it', async () => (await onB.get('k')) === undefined, 10_000)
    await eventually('B says that history was lost', () =>
      b.seen('bus-gap').some(({ reason }) => reason === 'history-lost'),
    )
  })

  it.each([false, true])(
    'an evicted tag (soft: %s) stays evicted when the tag clock is lost',
    async (soft) => {
      await using server = await startRedis()
      const namespace = 'lost'
      const a = startNode({ namespace, url: server.url, policy: { maxStaleness: '200ms' } })
      await untilVerified(a)
      await a.caches.cache('c').set('k', 'v1', { tags: ['t'] })
      await a.caches.evictTags(['t'], { soft })

      await server.command('del', `{${namespace}:tags}`)
      const fresh = startNode({ namespace, url: server.url, policy: { maxStaleness: '200ms' } })
      await untilVerified(fresh)

      expect(await fresh.caches.cache('c').get('k')).toBeUndefined()
    },
  )

  it('evictions made while Redis is away are run before it is trusted again', async () => {
    await using server = await startRedis()
    await using proxy = await startProxy(server.port)
    const namespace = 'queue'
    const a = startNode({
      namespace,
      url: proxy.url,
      storeTimeout: '200ms',
      policy: { maxStaleness: '300ms' },
    })
    const b = startNode({ namespace, url: server.url, policy: { maxStaleness: '300ms' } })
    await Promise.all([untilVerified(a), untilVerified(b)])
    const onA = a.caches.cache<string>('c')
    const onB = b.caches.cache<string>('c')
    await onA.set('k', 'v1')
    await onA.set('tagged', 'v1', { tags: ['t'] })

    proxy.blackhole(true)
    await onA.evict('k')
    await onA.evictTags(['t'])
    expect(await onA.getOrLoad('k', async () => 'v2')).toBe('v2')
    expect(await onA.getOrLoad('tagged', async () => 'v2', { tags: ['t'] })).toBe('v2')
    proxy.blackhole(false)
    proxy.cut()

    await eventually('B forgets both', async () => {
      return (await onB.get('k')) === undefined && (await onB.get('tagged')) === undefined
    })
    expect(await onA.getOrLoad('k', async () => 'v2')).toBe('v2')
  })
})

describe('I7: nothing grows', () => {
  it('every entry has a life, the logs and tags are bounded', async () => {
    await using server = await startRedis()
    const node = startNode({ namespace: 'bounded', url: server.url, policy: { ttl: '1m' } })
    await untilVerified(node)
    const cache = node.caches.cache<number>('c')
    await cache.warm(Array.from({ length: 300 }, (_, i) => [`w${i}`, i] as const))
    await cache.clear()
    await cache.evictMany(Array.from({ length: 300 }, (_, i) => `w${i}`))
    // More than a log holds, all in one partition.
    const crowded: string[] = []
    for (let i = 0; crowded.length < 700; i++) {
      if (partitionOf(cache.key(`k${i}`)) === 5) crowded.push(`k${i}`)
    }
    await cache.evictMany(crowded)
    await cache.set('kept', 1)

    const all = (await server.command('keys', '*')) as string[]
    const entries = all.filter((key) => key.includes('}:'))
    expect(entries.length).toBe(1)
    expect(await server.command('pttl', entries[0] ?? '')).toBeGreaterThan(0)
    // Logs, their heads once more, the tag clock, the name of the store, and the entry.
    expect(all.length).toBeLessThanOrEqual(64 + 4)
    for (const log of all.filter((key) => /:\d+\}$/.test(key))) {
      expect(await server.command('zcard', log)).toBeLessThanOrEqual(512 + 2)
    }
  })
})
