/** Whoever waits for a load of the same process waits no longer for it than for one of another node. */

import { type CacheOptions, createCacheManager } from '@larder/core'
import { ManualClock, MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { deferred } from '../support/eventually.ts'
import { counting, never } from './memory-world.ts'

const LEASE_WAIT_MS = 3_000
const CLOSING_MS = 5_000

describe.each([['in process'], ['with a store']])('%s', { timeout: 10_000 }, (where) => {
  function start(policy: CacheOptions = {}) {
    const clock = new ManualClock()
    const server = new MemoryServer({ clock })
    const node = () => {
      const remote = where === 'in process' ? undefined : server.store()
      const caches = createCacheManager({
        namespace: 'stuck',
        clock,
        local: lruStore(),
        remote,
        codec: remote && structuredCodec,
        default: false,
        defaults: { ttl: '1h', jitter: 0, leaseWait: LEASE_WAIT_MS, ...policy },
      })
      onTestFinished(async () => {
        const closing = caches.close()
        await clock.advanceAsync(CLOSING_MS)
        await closing
      })
      return { caches, cache: caches.cache<string>('c') }
    }
    const { caches, cache } = node()
    /** A load that ends when it is told to, and one who asked for it. */
    const begin = async (key = 'k') => {
      const source = deferred<string>()
      const first = cache.getOrLoad(key, () => source.promise)
      await clock.advanceAsync(10)
      return { source, first }
    }
    return { clock, caches, cache, begin, node }
  }

  it('a load that replaces a value and asks for its own key late is not given that value', async () => {
    const { cache } = start()
    await cache.set('k', 'old')
    for (const row of ['1', '2', '3']) {
      const load = async (): Promise<string> => {
        await undefined
        return `outer ${await cache.getOrLoad('k', () => row)}`
      }
      expect(await cache.refresh('k', load)).toBe(`outer ${row}`)
      expect(await cache.get('k')).toBe(`outer ${row}`)
    }
  })

  it('one of those who wait for a stuck load loads in its place, for all of them', async () => {
    const { clock, cache, begin } = start()
    const { source, first } = await begin()
    const load = counting()
    const waiting = [1, 2, 3].map(() => cache.getOrLoad('k', load))
    await clock.advanceAsync(LEASE_WAIT_MS - 1)
    expect(load).not.toHaveBeenCalled()
    await clock.advanceAsync(1)
    expect(await Promise.all(waiting)).toEqual(['v1', 'v1', 'v1'])
    expect(await cache.getOrLoad('k', never)).toBe('v1')
    expect(load).toHaveBeenCalledTimes(1)
    source.resolve('late')
    expect(await first).toBe('late')
    await clock.advanceAsync(10)
    expect(await cache.getOrLoad('k', never)).toBe('late')
  })

  it('a load that is slow is left alone, and its result is kept', async () => {
    const { clock, cache, begin, node } = start()
    const { source, first } = await begin()
    const slow = deferred<string>()
    const waiting = cache.getOrLoad('k', () => slow.promise)
    await clock.advanceAsync(3 * LEASE_WAIT_MS)
    const later = cache.getOrLoad('k', never)
    source.resolve('slow')
    expect(await Promise.all([first, waiting, later])).toEqual(['slow', 'slow', 'slow'])
    slow.resolve('too late')
    await clock.advanceAsync(10)
    expect(await cache.getOrLoad('k', never)).toBe('slow')
    if (where === 'with a store') expect(await node().cache.getOrLoad('k', never)).toBe('slow')
  })

  it('a load that ends in time leaves nothing behind', async () => {
    const { clock, cache, begin } = start()
    const { source, first } = await begin()
    const before = clock.held
    const waiting = cache.getOrLoad('k', never)
    expect(clock.held).toBe(before + 1)
    source.resolve('v')
    expect(await Promise.all([first, waiting])).toEqual(['v', 'v'])
    await clock.advanceAsync(0)
    expect(clock.held).toBe(0)
  })

  it('nobody joins a load that is still stuck when what stood in for it is over', async () => {
    const { clock, cache, begin } = start()
    await begin()
    const waiting = cache.getOrLoad('k', async () => undefined as unknown as string)
    await clock.advanceAsync(LEASE_WAIT_MS)
    expect(await waiting).toBeUndefined()
    const again = cache.getOrLoad('k', async () => 'again')
    await clock.advanceAsync(LEASE_WAIT_MS + 10)
    expect(await again).toBe('again')
    expect(await cache.getOrLoad('k', never)).toBe('again')
  })

  it('all get the error of what stands in', async () => {
    const { clock, cache, begin } = start()
    await begin()
    const failing = (): Promise<never> => Promise.reject(new Error('no luck'))
    const waiting = [1, 2].map(() =>
      expect(cache.getOrLoad('k', failing)).rejects.toThrow('no luck'),
    )
    await clock.advanceAsync(LEASE_WAIT_MS)
    await Promise.all(waiting)
  })

  it.each<
    [
      string,
      (
        cache: { evict(k: string): Promise<void> },
        caches: ReturnType<typeof start>['caches'],
      ) => Promise<unknown>,
    ]
  >([
    ['its key', (cache) => cache.evict('k')],
    ['its tag', (_, caches) => caches.evictTags(['t'])],
  ])('what stands in is not kept past an eviction of %s', async (_, evict) => {
    const { clock, caches, cache, begin } = start()
    await begin()
    const source = deferred<string>()
    const waiting = cache.getOrLoad('k', () => source.promise, { tags: ['t'] })
    await clock.advanceAsync(LEASE_WAIT_MS)
    const evicting = evict(cache, caches)
    await clock.advanceAsync(10)
    await evicting
    source.resolve('old')
    expect(await waiting).toBe('old')
    const load = counting()
    const reading = cache.getOrLoad('k', load)
    await clock.advanceAsync(LEASE_WAIT_MS + 10)
    expect(await reading).toBe('v1')
  })

  describe('a load that asks for its own key after an await, where nobody can see it', () => {
    it('waits no longer than that, keeps its own result, and does not wait the next time', async () => {
      const { clock, cache } = start()
      const ask = (key: string) =>
        cache.getOrLoad(key, async () => {
          await clock.advanceAsync(0)
          return `outer ${await cache.getOrLoad(key, async () => `inner ${key}`)}`
        })
      const first = ask('a')
      for (let n = 0; n < 5; n++) await clock.advanceAsync(LEASE_WAIT_MS / 4)
      expect(await first).toBe('outer inner a')
      await clock.advanceAsync(10)
      expect(await cache.getOrLoad('a', never)).toBe('outer inner a')
      const at = clock.now()
      expect(await ask('b')).toBe('outer inner b')
      expect(clock.now()).toBe(at)
    })

    it('whoever else waits for it, too', async () => {
      const { clock, cache } = start()
      const ask = () =>
        cache.getOrLoad('k', async () => {
          await clock.advanceAsync(0)
          return `outer ${await cache.getOrLoad('k', async () => 'inner')}`
        })
      const all = Promise.all([ask(), ask(), ask()])
      for (let n = 0; n < 5; n++) await clock.advanceAsync(LEASE_WAIT_MS / 4)
      for (const value of await all) expect(value).toMatch(/^outer (outer )?inner$/)
    })

    it('by way of another, and of one that waits for it', async () => {
      const { clock, cache } = start()
      const started = { a: deferred(), b: deferred() }
      const load = (own: 'a' | 'b', other: 'a' | 'b') => async (): Promise<string> => {
        started[own].resolve()
        await started[other].promise
        return `${own}(${await cache.getOrLoad(other, async () => `${other} for ${own}`)})`
      }
      const all = Promise.all([
        cache.getOrLoad('a', load('a', 'b')),
        cache.getOrLoad('b', load('b', 'a')),
      ])
      for (let n = 0; n < 9; n++) await clock.advanceAsync(LEASE_WAIT_MS / 4)
      const [a, b] = await all
      expect(a).toMatch(/^a\(/)
      expect(b).toMatch(/^b\(/)
    })

    it('among many', async () => {
      const { clock, cache } = start()
      const reading = cache.getManyOrLoad(['j', 'k'], async (missing) => {
        await clock.advanceAsync(0)
        return Promise.all(
          missing.map((key) => cache.getOrLoad(String(key), async () => `one ${key}`)),
        )
      })
      for (let n = 0; n < 5; n++) await clock.advanceAsync(LEASE_WAIT_MS / 4)
      expect(await reading).toEqual(['one j', 'one k'])
    })
  })
})
