/** A bare number that was probably meant as seconds is said in development, once a cache. */

import { Cacheable, CacheConfig, CachePut, createCacheManager, RateLimited } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'

afterEach(() => vi.unstubAllEnvs())

type Manager = ReturnType<typeof createCacheManager>
type Options = Parameters<typeof createCacheManager>[0]

function open(more: Partial<Options> = {}): { readonly caches: Manager; readonly lines: string[] } {
  const lines: string[] = []
  const logger = {
    info: () => undefined,
    warn: (line: string) => void lines.push(line),
    error: () => undefined,
  }
  const caches = createCacheManager({ namespace: 'seconds', local: lruStore(), logger, ...more })
  onTestFinished(() => caches.close())
  return { caches, lines }
}

describe('a number that is probably seconds', () => {
  it('is named with what to write instead', () => {
    const { caches, lines } = open()
    caches.cache('prices', { ttl: 300 })
    expect(lines).toEqual([
      "Larder (seconds): cache(prices).ttl is 300, and a number counts milliseconds. If you meant seconds, write '300s'; if not, write '300ms'.",
    ])
  })

  it.each([1, 60, 300, 999, 1_800, 3_600, 86_400, 604_800])('may be %s', (ttl) => {
    const { caches, lines } = open()
    caches.cache('prices', { ttl })
    expect(lines).toHaveLength(1)
  })

  it.each(['300ms', '1s', 1_000, 1_500, 2_500, 60_000, 300_000, 3_600_000])('is not %s', (ttl) => {
    const { caches, lines } = open()
    caches.cache('prices', { ttl: ttl as number })
    expect(lines).toEqual([])
  })

  it.each(['negativeTtl', 'staleWhileRevalidate', 'staleIfError'])('is said of %s', (option) => {
    const { caches, lines } = open()
    caches.cache('prices', { [option]: 30 })
    expect(lines[0]).toContain(`cache(prices).${option} is 30`)
  })

  it('is not said of times to wait, nor of nothing', () => {
    const { caches, lines } = open()
    caches.cache('prices', { loadTimeout: 500, errorBackoff: 200, staleIfError: 0 })
    expect(lines).toEqual([])
  })

  it('is said once a cache, and of the defaults once', async () => {
    const { caches, lines } = open({ defaults: { ttl: 60 } })
    for (let i = 0; i < 2; i++) {
      caches.cache('one', { ttl: 300 })
      caches.cache('two', { ttl: 600 })
      caches.cache('three')
    }
    expect(lines).toHaveLength(3)
    expect(lines[0]).toContain('createCacheManager.defaults.ttl is 60')
  })

  it('is said of decorators, of classes, and of what a function answers', async () => {
    const { lines } = open()
    @CacheConfig({ ttl: 90 })
    class Prices {
      @Cacheable({ cache: 'class', key: (id: string) => id })
      async find(_id: string): Promise<number> {
        return 1
      }

      @Cacheable({ cache: 'method', ttl: 300, key: (id: string) => id })
      async findLong(_id: string): Promise<number> {
        return 1
      }

      @CachePut({ cache: 'answer', ttl: (price: number) => price, key: (id: string) => id })
      async put(_id: string): Promise<number> {
        return 45
      }
    }
    const prices = new Prices()
    await prices.find('1')
    await prices.findLong('1')
    await prices.put('1')
    expect(lines).toHaveLength(3)
    expect(lines[0]).toContain('@Cacheable(Prices.find).ttl is 90')
    expect(lines[1]).toContain('@Cacheable(Prices.findLong).ttl is 300')
  })

  it('is said of one entry that is set, and of one that a function answers for', async () => {
    const { caches, lines } = open()
    await caches.cache('set').set('1', 1, { ttl: 300 })
    await caches.cache('loaded').getOrLoad('1', () => 1, { ttl: () => 300 })
    expect(lines).toHaveLength(2)
  })

  it('is said of the window of a limit', async () => {
    const { caches, lines } = open()
    caches.limiter({ limit: 5, per: 60 })
    class Search {
      @RateLimited({ policies: [{ name: 'minute', limit: 5, per: 60 }] })
      async find(): Promise<void> {}
    }
    await new Search().find()
    await new Search().find()
    expect(lines.map((line) => line.split(',')[0])).toEqual([
      'Larder (seconds): limiter.per is 60',
      'Larder (seconds): @RateLimited(Search.find).per is 60',
    ])
  })

  it('is not said in production, nor where caching is off', () => {
    open({ enabled: false }).caches.cache('prices', { ttl: 300 })
    vi.stubEnv('NODE_ENV', 'production')
    const { caches, lines } = open()
    caches.cache('prices', { ttl: 300 })
    caches.limiter({ limit: 5, per: 60 })
    expect(lines).toEqual([])
  })
})
