/** `enabled: false` runs everything plain: methods, locks and limits. */

import {
  Cacheable,
  CacheConfig,
  CacheEvict,
  CachePut,
  cached,
  createCacheManager,
  RateLimited,
  WithLock,
} from '@larder/core'
import { faultyRemoteStore, MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { expect, it, onTestFinished } from 'vitest'

@CacheConfig({ cache: 'things' })
class Things {
  runs: string[] = []

  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<() => string> {
    this.runs.push(`find ${id}`)
    return () => id
  }

  @Cacheable({ cache: 'many', each: { key: (id: string) => id } })
  async findMany(ids: readonly string[]): Promise<string[]> {
    this.runs.push(`many ${ids.join()}`)
    return [...ids]
  }

  @CachePut({ cache: 'many', key: (id: string) => id })
  async save(id: string): Promise<string> {
    return id
  }

  @CacheEvict({ key: (id: string) => id })
  async remove(id: string): Promise<void> {
    this.runs.push(`remove ${id}`)
  }

  @WithLock({ key: () => 'one' })
  async alone(run: () => Promise<void>): Promise<void> {
    await run()
  }

  @RateLimited({ limit: 1, per: '1h' })
  async hit(): Promise<string> {
    return 'hit'
  }
}

it('runs every method, excludes nobody, admits everybody, and touches no store', async () => {
  const store = faultyRemoteStore(new MemoryServer().store())
  store.faults.fail()
  const caches = createCacheManager({
    namespace: 'off',
    enabled: false,
    local: lruStore(),
    remote: store,
    codec: structuredCodec,
  })
  onTestFinished(() => caches.close())
  const troubles: unknown[] = []
  caches.on('store-error', (event) => troubles.push(event))
  const things = new Things()

  const found = await Promise.all([things.find('1'), things.find('1')])
  found.push(await things.find('1'))
  expect(found.map((each) => each())).toEqual(['1', '1', '1'])
  expect(await things.findMany(['a', 'b'])).toEqual(['a', 'b'])
  expect(await things.save('a')).toBe('a')
  expect(await things.findMany(['a'])).toEqual(['a'])
  await things.remove('1')
  await cached(things, 'find').evict('1')
  expect(things.runs).toEqual(['find 1', 'find 1', 'find 1', 'many a,b', 'many a', 'remove 1'])

  let inside = 0
  const enter = async (): Promise<void> => {
    inside += 1
  }
  await things.alone(() => things.alone(enter))
  const lease = { lease: '10s' } as const
  await caches.locks.run('x', lease, () => caches.locks.run('x', lease, enter))
  expect(inside).toBe(2)
  for (let i = 0; i < 3; i++) expect(await things.hit()).toBe('hit')
  const { allowed } = await caches.limiter({ limit: 1, per: '1m' }).consume('a')
  expect(allowed).toBe(true)
  await caches.clear()
  expect(troubles).toEqual([])
})

it('takes true and false and nothing else', () => {
  expect(() => createCacheManager({ namespace: 'off', enabled: 'no' as never })).toThrow(
    'createCacheManager.enabled',
  )
})
