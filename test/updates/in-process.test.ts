/** Updates where there is no shared tier, where it cannot compare, and where nothing is kept. */

import { createCacheManager, InvalidOptionError, UpdateConflictError } from '@larder/core'
import { ManualClock, structuredCodec } from '@larder/core/testing'
import { fromKeyv } from '@larder/keyv-store'
import { lruStore } from '@larder/local-store'
import { describe, expect, it, onTestFinished } from 'vitest'

const increment = (old = 0): number => old + 1
/** Lets everybody else go on. */
const later = async (old = 0): Promise<number> => {
  await Promise.resolve()
  return old + 1
}

function start(options: Partial<Parameters<typeof createCacheManager>[0]> = {}) {
  const clock = new ManualClock()
  const caches = createCacheManager({
    namespace: 'alone',
    local: lruStore(),
    default: false,
    logger: false,
    clock,
    defaults: { ttl: '1h', jitter: 0 },
    ...options,
  })
  onTestFinished(() => caches.close())
  const run = async <Result>(work: Promise<Result>): Promise<Result> => {
    let isOver = false
    const end = (): void => {
      isOver = true
    }
    work.then(end, end)
    for (let i = 0; i < 5_000 && !isOver; i++) await clock.advanceAsync(1)
    return work
  }
  return { caches, cache: caches.cache<number>('c'), run }
}

describe('in one process', () => {
  it.each([
    ['at once', increment],
    ['later', later],
  ])('loses none of fifty increments by a callback that answers %s', async (_, change) => {
    const { cache, run } = start()
    const asked = Array.from({ length: 50 }, () => cache.update('k', change, { retries: 100 }))
    const results = await run(Promise.all(asked))
    expect(new Set(results).size).toBe(50)
    expect(await cache.get('k')).toBe(50)
  })

  it('calls a callback that answers at once exactly once, whatever happens beside it', async () => {
    const { cache } = start()
    let calls = 0
    const counted = (old = 0): number => {
      calls += 1
      return old + 1
    }
    const asked = Array.from({ length: 20 }, () => [
      cache.update('k', counted, { retries: 0 }),
      cache.get('k'),
    ])
    await Promise.all(asked.flat())
    expect(calls).toBe(20)
    expect(await cache.get('k')).toBe(20)
  })

  it.each([
    ['set', 101, 2],
    ['evicted', 1, 2],
    ['loaded', 8, 2],
    ['evicted by a tag', undefined, 1],
    ['cleared', undefined, 1],
  ] as const)('an entry that is %s beside is not overwritten', async (way, expected, tries) => {
    const { caches, cache } = start()
    if (way !== 'loaded') await cache.set('k', 5, { tags: ['t'] })
    const seen: unknown[] = []
    const change = async (old = 0): Promise<number> => {
      seen.push(old)
      if (seen.length > 1) return old + 1
      if (way === 'set') await cache.set('k', 100)
      else if (way === 'evicted') await cache.evict('k')
      else if (way === 'loaded') await cache.getOrLoad('k', () => 7)
      else if (way === 'cleared') await cache.clear()
      else await caches.evictTags(['t'])
      return old + 1
    }
    await cache.update('k', change, { tags: ['t'] })
    expect(seen).toHaveLength(tries)
    expect(await cache.get('k')).toBe(expected)
  })

  it('ends a load that began before it', async () => {
    const { cache } = start()
    let finish: (value: number) => void = () => {}
    const loading = cache.getOrLoad('k', () => new Promise<number>((resolve) => (finish = resolve)))
    await Promise.resolve()
    await cache.update('k', () => 2)
    finish(1)
    expect(await loading).toBe(1)
    expect(await cache.get('k')).toBe(2)
  })

  it.each(['frozen', 'cloned', 'shared'] as const)(
    'gives the callback a value of its own with isolation %s',
    async (isolation) => {
      const { caches } = start()
      const cache = caches.cache<{ list: number[] }>('lists', { isolation })
      await cache.set('k', { list: [1] })
      await cache.update('k', (old) => {
        old?.list.push(2)
        return undefined
      })
      expect(await cache.get('k')).toEqual({ list: [1] })
    },
  )

  it('gives up after its retries', async () => {
    const { cache, run } = start()
    const meddled = async (old = 0): Promise<number> => {
      await cache.set('k', old + 10)
      return old
    }
    const updating = run(cache.update('k', meddled, { retries: 4 }))
    await expect(updating).rejects.toThrow(UpdateConflictError)
    expect(await cache.get('k')).toBe(50)
  })

  it('stays in the process where the cache says so', async () => {
    const { caches } = start()
    const cache = caches.cache<number>('here', { remote: false })
    expect(await cache.update('k', increment)).toBe(1)
    expect(await cache.update('k', increment)).toBe(2)
  })

  it('leaves and evicts as it does elsewhere', async () => {
    const { caches, cache } = start()
    await cache.set('k', 1)
    expect(await cache.update('k', () => undefined)).toBe(undefined)
    expect(await cache.get('k')).toBe(1)
    await cache.update('k', increment, { ttl: 0 })
    expect(await cache.get('k')).toBe(undefined)
    await cache.set('k', 1)
    await caches.deferEvictions(async () => {
      expect(await cache.update('k', increment)).toBe(2)
      expect(await cache.update('k', increment)).toBe(1)
    })
    expect(await cache.get('k')).toBe(undefined)
  })
})

describe('elsewhere', () => {
  it('refuses a store that cannot compare, by name', async () => {
    const store = new Map<string, unknown>()
    const remote = fromKeyv(store as never)
    const { cache, run } = start({ remote, codec: structuredCodec })
    await expect(run(cache.update('k', increment))).rejects.toThrow(InvalidOptionError)
    await expect(run(cache.update('k', increment))).rejects.toThrow(/compare and replace/)
  })

  it('runs the callback with nothing, and keeps nothing, where caching is switched off', async () => {
    const { cache } = start({ enabled: false })
    expect(await cache.update('k', increment)).toBe(1)
    expect(await cache.update('k', increment)).toBe(1)
  })

  it('rejects after the manager was closed', async () => {
    const { caches, cache } = start()
    await caches.close()
    await expect(cache.update('k', increment)).rejects.toMatchObject({ code: 'LARDER_CLOSED' })
  })
})
