/** With `isolation: 'cloned'`, nobody sees what another does to a value: not the loader, not a caller, not a writer. */

import type { CacheManagerOptions } from '@larder/core'
import { createCacheManager } from '@larder/core'
import { ManualClock, MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { describe, expect, it, onTestFinished } from 'vitest'

interface Row {
  n: number
  list: number[]
  blob: Buffer
}

const row = (): Row => ({ n: 1, list: [1], blob: Buffer.from('a') })

/** Changes everything that can be changed. */
function spoil(value: Row | undefined): void {
  if (value === undefined) throw new Error('there is no value')
  value.n = 99
  value.list.push(99)
  value.blob.fill(0)
}

const TIERS: Readonly<Record<string, (clock: ManualClock) => Partial<CacheManagerOptions>>> = {
  'in process': () => ({}),
  'with a shared tier': (clock) => ({
    remote: new MemoryServer({ clock }).store(),
    codec: structuredCodec,
  }),
}

describe.each(Object.entries(TIERS))("'cloned', %s", (_, tiers) => {
  function setUp() {
    const clock = new ManualClock()
    const caches = createCacheManager({
      namespace: 'isolation',
      local: lruStore(),
      clock,
      default: false,
      defaults: { ttl: '10s', jitter: 0, isolation: 'cloned' },
      ...tiers(clock),
    })
    onTestFinished(async () => {
      const closing = caches.close()
      await clock.advanceAsync(5_000)
      await closing
    })
    return {
      clock,
      cache: caches.cache<Row>('c', { staleWhileRevalidate: '1h', staleIfError: '1h' }),
      caches,
    }
  }

  it('keeps nothing that a loader, a writer or an earlier caller still holds', async () => {
    const { cache } = setUp()
    const loaded = row()
    spoil(await cache.getOrLoad('k', () => loaded))
    spoil(loaded)
    spoil(await cache.get('k'))
    const [many] = await cache.getManyOrLoad(['k'], never)
    spoil(many)
    expect(await cache.get('k')).toEqual(row())

    const written = row()
    await cache.set('k', written)
    spoil(written)
    expect(await cache.get('k')).toEqual(row())
  })

  it('gives callers who wait for one load a copy each', async () => {
    const { cache } = setUp()
    const found = await Promise.all([1, 2, 3].map(() => cache.getOrLoad('k', async () => row())))
    spoil(found[0])
    expect(found.slice(1)).toEqual([row(), row()])
    spoil(found[1])
    expect(await cache.get('k')).toEqual(row())
  })

  it('gives a loader a copy of the value it is to replace, and a caller one of a stale value', async () => {
    const { cache, clock } = setUp()
    await cache.set('k', row())
    await clock.advanceAsync(10_001)
    const failing = async ({ previous }: { readonly previous: Row | undefined }): Promise<Row> => {
      spoil(previous)
      throw new Error('down')
    }
    const stale = await cache.getOrLoad('k', failing)
    expect(stale).toEqual(row())
    spoil(stale)
    await clock.advanceAsync(0)
    expect(await cache.getOrLoad('k', failing)).toEqual(row())
  })

  it('gives each caller a remembered error of its own, of the class it had', async () => {
    class NotFound extends Error {}
    const { caches } = setUp()
    const cache = caches.cache<Row>('errors', { cacheErrors: () => '1m' })
    const thrown = Object.assign(new NotFound('gone'), { tags: ['a'] })
    const errors: unknown[] = []
    const keep = (error: unknown): void => {
      errors.push(error)
      ;(error as typeof thrown).tags.push('spoilt')
    }
    await cache.getOrLoad('k', () => Promise.reject(thrown)).catch(keep)
    for (let i = 0; i < 2; i++) await cache.getOrLoad('k', never).catch(keep)
    expect(errors[0]).toBe(thrown)
    for (const error of errors.slice(1)) {
      expect(error).toBeInstanceOf(NotFound)
      expect(error).toMatchObject({ message: 'gone', tags: ['a', 'spoilt'], stack: thrown.stack })
    }
  })
})

describe("'frozen' and 'shared'", () => {
  it('never fail a call because its result refuses to be frozen', async () => {
    const refusing = new Proxy(
      {},
      {
        preventExtensions: () => {
          throw new Error('no')
        },
      },
    )
    const { proxy: revoked, revoke } = Proxy.revocable({}, {})
    revoke()
    const results = [refusing, { deep: [revoked] }, process.env, Math, new Uint8Array(2), [process]]
    const caches = createCacheManager({
      namespace: 'foreign',
      local: lruStore(),
      default: false,
      strictValues: false,
    })
    onTestFinished(() => caches.close())
    for (const [i, result] of results.entries()) {
      expect(await caches.cache('c').getOrLoad(String(i), () => result)).toBe(result)
    }
    expect([process.env, Math, process].some((each) => Object.isFrozen(each))).toBe(false)
    expect(Object.isExtensible(process.env)).toBe(true)
  })

  it('freeze what is inside a part that was frozen before', async () => {
    const caches = createCacheManager({ namespace: 'deep', local: lruStore(), default: false })
    onTestFinished(() => caches.close())
    const inner = { list: [1] }
    await caches.cache('c').set('k', Object.freeze({ inner }))
    expect(Object.isFrozen(inner.list)).toBe(true)
  })
})

const never = (): never => {
  throw new Error('must not load')
}
