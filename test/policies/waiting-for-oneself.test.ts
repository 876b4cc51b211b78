/** A load that asks for what it is loading, itself or by way of others, does not wait for itself. */

import { AsyncLocalStorage } from 'node:async_hooks'
import {
  Cacheable,
  CacheConfig,
  type CacheManagerOptions,
  cached,
  createCacheManager,
} from '@larder/core'
import { ManualClock, MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { deferred } from '../support/eventually.ts'
import { counting } from './memory-world.ts'

/** What a process with tenants, traces or transactions has; without one, older Nodes know less of a load. */
const storage = new AsyncLocalStorage<string>()
beforeEach(() => storage.enterWith('a request'))

const aTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe.each([['in process'], ['with a store']])('%s, a load', { timeout: 5_000 }, (where) => {
  function start(options: Pick<CacheManagerOptions, 'clock' | 'defaults'> = {}) {
    const remote = where === 'in process' ? undefined : new MemoryServer(options).store()
    const caches = createCacheManager({
      namespace: 'oneself',
      local: lruStore(),
      remote,
      codec: remote && structuredCodec,
      ...options,
      defaults: { ttl: '1h', leaseWait: '1h', cacheErrors: () => false, ...options.defaults },
    })
    onTestFinished(() => caches.close())
    return { caches, cache: caches.cache<string>('c') }
  }

  const INNER: readonly (readonly [string, () => Promise<void>])[] = [
    ['at once', () => Promise.resolve()],
    ['later', aTurn],
  ]

  describe.each(INNER)('that asks %s', (_, wait) => {
    it('for its own key runs the inner loader, and keeps the outer result', async () => {
      const { cache } = start()
      const value = await cache.getOrLoad('k', async () => {
        await wait()
        return `outer ${await cache.getOrLoad('k', async () => 'inner')}`
      })
      expect(value).toBe('outer inner')
      await aTurn()
      expect(await cache.get('k')).toBe('outer inner')
    })

    it('for its own key while it replaces a value is not given that value', async () => {
      const { cache } = start()
      let row = 0
      const load = async (): Promise<string> => {
        await wait()
        return `outer ${await cache.getOrLoad('k', async () => `inner ${row}`)}`
      }
      const many = async (): Promise<readonly string[]> => {
        await wait()
        return [`many ${(await cache.getManyOrLoad(['k'], async () => [`inner ${row}`])).join()}`]
      }
      for (row = 1; row <= 3; row++) {
        expect(await cache.refresh('k', load)).toBe(`outer inner ${row}`)
        await aTurn()
        expect(await cache.get('k')).toBe(`outer inner ${row}`)
      }
      expect(await cache.refresh('k', async () => (await many()).join())).toBe(`many inner ${row}`)
    })

    it('for its own key behind a stale value, by way of super, loads what is new', async () => {
      const clock = new ManualClock()
      const { caches } = start({ clock, defaults: { ttl: '1s', staleWhileRevalidate: '1h' } })
      const manager = () => caches
      let row = 0

      @CacheConfig({ manager, cache: 'rows' })
      class Rows {
        @Cacheable({ key: (id: string) => id })
        async find(id: string): Promise<string> {
          return `${id}${row}`
        }
      }

      class LoudRows extends Rows {
        @Cacheable({ key: (id: string) => id })
        override async find(id: string): Promise<string> {
          await wait()
          return `${await super.find(id)}!`
        }
      }

      const rows = new LoudRows()
      expect(await rows.find('a')).toBe('a0!')
      for (row = 1; row <= 3; row++) {
        await clock.advanceAsync(2_000)
        expect(await rows.find('a')).toBe(`a${row - 1}!`)
        for (let turn = 0; turn < 5; turn++) await aTurn()
        expect(await rows.find('a')).toBe(`a${row}!`)
      }
    })

    it('for a key whose load asks for its own', async () => {
      const { cache } = start()
      const a = (depth = 0): Promise<string> =>
        cache.getOrLoad('a', async () => {
          await wait()
          return depth === 0 ? `a(${await b()})` : 'a'
        })
      const b = (): Promise<string> =>
        cache.getOrLoad('b', async () => {
          await wait()
          return `b(${await a(1)})`
        })
      expect(await a()).toBe('a(b(a))')
      expect([await cache.get('a'), await cache.get('b')]).toEqual(['a(b(a))', 'b(a)'])
    })

    it('for its own key among many', async () => {
      const { cache } = start()
      const value = await cache.getOrLoad('k', async () => {
        await wait()
        const many = await cache.getManyOrLoad(['j', 'k'], async (missing) => missing.map(String))
        return many.join(' ')
      })
      expect(value).toBe('j k')
    })

    it('of many, for one of them', async () => {
      const { cache } = start()
      const values = await cache.getManyOrLoad(['j', 'k'], async (missing) => {
        await wait()
        return Promise.all(missing.map((key) => cache.getOrLoad(key, async () => `one ${key}`)))
      })
      expect(values).toEqual(['one j', 'one k'])
    })

    it('what is cached under its key is told that nothing is', async () => {
      const { cache } = start()
      const value = await cache.getOrLoad('k', async () => {
        await wait()
        return `${await cache.get('k')} ${await cache.getMany(['k'])}`
      })
      expect(value).toBe('undefined ')
    })

    it('by a method, by way of a cache and of other methods', async () => {
      const { caches } = start()
      const shop = caches.cache<string>('shop')

      @CacheConfig({ cache: 'shop' })
      class Shop {
        loads = 0

        @Cacheable({ key: (id: string) => id })
        async find(id: string): Promise<string> {
          await wait()
          return `found ${await this.again(id)}`
        }

        async again(id: string): Promise<string> {
          return shop.getOrLoad(id, () => this.viaHandle(id))
        }

        async viaHandle(id: string): Promise<string> {
          if (++this.loads > 3) return 'enough'
          return cached(this as Shop, 'find').refresh(id)
        }
      }
      expect(await new Shop().find('1')).toMatch(/^found .*enough$/)
    })
  })

  it('that waits for another, which waits for it, lets one of them go on', async () => {
    const { cache } = start()
    const started = { a: deferred(), b: deferred() }
    const load = (own: 'a' | 'b', other: 'a' | 'b') => async (): Promise<string> => {
      started[own].resolve()
      await started[other].promise
      return `${own}(${await cache.getOrLoad(other, async () => `${other} for ${own}`)})`
    }
    const [a, b] = await Promise.all([
      cache.getOrLoad('a', load('a', 'b')),
      cache.getOrLoad('b', load('b', 'a')),
    ])
    expect([a, b]).toEqual(['a(b(a for b))', 'b(a for b)'])
  })

  it('shares the loads of others as before, and what it started and left behind is no part of it', async () => {
    const { cache } = start()
    const slow = deferred<string>()
    const load = counting()
    const first = cache.getOrLoad('shared', () => slow.promise)
    const second = cache.getOrLoad('k', () => cache.getOrLoad('shared', load))
    const leftBehind = deferred<Promise<string>>()
    const go = deferred()
    await cache.getOrLoad('left', async () => {
      void go.promise.then(() => leftBehind.resolve(cache.getOrLoad('left', load)))
      return 'value'
    })
    slow.resolve('one')
    expect([await first, await second]).toEqual(['one', 'one'])
    go.resolve()
    expect(await leftBehind.promise).toBe('value')
    expect(load).not.toHaveBeenCalled()
  })
})
