/** Times of years, in process and on a manual clock: each ends when it should, and not before. */

import type { CacheOptions } from '@larder/core'
import { describe, expect, it } from 'vitest'
import { down, MemoryWorld, never } from './memory-world.ts'

const DAY_MS = 86_400_000
const TIMES = [25 * DAY_MS, 50 * DAY_MS, 3_650 * DAY_MS]
const IN_PROCESS = { remote: undefined, codec: undefined } as const

describe.each(TIMES)('%d ms', (ms) => {
  const start = (policy: CacheOptions) => {
    const world = new MemoryWorld('long-times', { ttl: ms, refreshAhead: false })
    return { world, ...world.startNode(policy, IN_PROCESS) }
  }

  it.each([
    ['a value', {}, async (): Promise<string | null> => 'value'],
    ['an absence', { negativeTtl: ms, ttl: '1m' }, async (): Promise<string | null> => null],
  ] as const)('is how long %s is kept', async (_, policy, load) => {
    const { world, cache } = start(policy)
    const first = await cache.getOrLoad('k', load)
    await world.clock.advanceAsync(ms - 1)
    expect(await cache.getOrLoad('k', never)).toBe(first)
    await world.clock.advanceAsync(1)
    expect(await cache.getOrLoad('k', async () => 'later')).toBe('later')
  })

  it('is how long an error is remembered', async () => {
    const { world, cache } = start({ cacheErrors: () => ms })
    await expect(cache.getOrLoad('k', down)).rejects.toThrow('down')
    await world.clock.advanceAsync(ms - 1)
    await expect(cache.getOrLoad('k', async () => 'value')).rejects.toThrow('down')
    await world.clock.advanceAsync(1)
    expect(await cache.getOrLoad('k', async () => 'value')).toBe('value')
  })

  it('is how long a value stays for when loads fail, and a failure is not tried again', async () => {
    const { world, cache } = start({ ttl: 1, staleIfError: ms, errorBackoff: ms / 2 })
    await cache.getOrLoad('k', async () => 'old')
    await world.clock.advanceAsync(1)
    expect(await cache.getOrLoad('k', down)).toBe('old')
    await world.clock.advanceAsync(ms / 2 - 1)
    expect(await cache.getOrLoad('k', never)).toBe('old')
    await world.clock.advanceAsync(1)
    expect(await cache.getOrLoad('k', async () => 'new')).toBe('new')
  })

  it('is how long a stale value is served behind a reload', async () => {
    const { world, cache } = start({ ttl: 1, staleWhileRevalidate: ms })
    await cache.getOrLoad('k', async () => 'old')
    await world.clock.advanceAsync(ms)
    expect(await cache.getOrLoad('k', async () => 'new')).toBe('old')
    await world.clock.advanceAsync(0)
    expect(await cache.getOrLoad('k', async () => 'newest')).toBe('new')
  })

  it('is how long a settle window lasts', async () => {
    const { world, cache } = start({ ttl: 3_650 * DAY_MS })
    await cache.evict('k', { settle: ms })
    await cache.getOrLoad('k', async () => 'maybe old')
    await world.clock.advanceAsync(ms - 1)
    expect(await cache.getOrLoad('k', never)).toBe('maybe old')
    await world.clock.advanceAsync(1)
    expect(await cache.getOrLoad('k', async () => 'new')).toBe('new')
  })
})
