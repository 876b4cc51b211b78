/** The guide "Test your service's caching": its code, run. Every block of the guide stands in this file as it is. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Cacheable, CacheConfig, type CacheManager, cached, createCacheManager } from '@larder/core'
import {
  localStoreCases,
  lockCases,
  ManualClock,
  MemoryServer,
  runCases,
  structuredCodec,
} from '@larder/core/testing'
import { localLocks, lruStore } from '@larder/local-store'
import { describe, expect, it, test } from 'vitest'

// A service like any other; `prices` is what it reads from.
const prices = new Map([['42', 10]])
let reads = 0

@CacheConfig({ cache: 'prices', ttl: '1m' })
class PriceService {
  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<number | undefined> {
    reads += 1
    return prices.get(id)
  }
}

// A node: a manager as in production, on a clock that stands still and a server in memory.
const clock = new ManualClock()
const server = new MemoryServer({ clock })
const startNode = (): CacheManager =>
  createCacheManager({
    namespace: 'test',
    clock,
    local: lruStore(),
    remote: server.store(),
    codec: structuredCodec,
    defaults: { jitter: 0 },
  })

it('keeps a price for a minute', async () => {
  await using _caches = startNode()
  const service = new PriceService()
  reads = 0
  await service.find('42')
  await clock.advanceAsync(59_000)
  await service.find('42')
  expect(reads).toBe(1)
  await clock.advanceAsync(2_000)
  await service.find('42')
  expect(reads).toBe(2)
})

it('shows a new price once the old one is evicted', async () => {
  await using _caches = startNode()
  const service = new PriceService()
  prices.set('7', 1)
  await service.find('7')
  prices.set('7', 2)
  await cached(service, 'find').evict('7')
  expect(await service.find('7')).toBe(2)
})

it('goes on without the shared store', async () => {
  const store = server.store()
  await using caches = createCacheManager({
    namespace: 'test',
    clock,
    remote: store,
    codec: structuredCodec,
  })
  store.faults.fail()
  const cache = caches.cache<number>('rates')
  expect(await cache.getOrLoad('eur', async () => 1.1)).toBe(1.1)
})

describe('our own stores', () => {
  runCases(
    localStoreCases((bounds) => lruStore(bounds)),
    { test },
  )
  runCases(
    lockCases(() => {
      const locks = localLocks()
      return { locks: [locks, locks], namespace: 'test' }
    }),
    { test },
  )
})

it('is what the guide says', () => {
  const root = join(import.meta.dirname, '..', '..')
  const guide = readFileSync(join(root, 'docs/guides/testing.md'), 'utf8')
  const here = squeezed(readFileSync(join(root, 'test/guides/testing.test.ts'), 'utf8'))
  const blocks = Array.from(guide.matchAll(/^```ts\n(.*?)^```/gms), ([, code]) => code ?? '')
  expect(blocks.length).toBeGreaterThan(3)
  for (const block of blocks) {
    const code = block.replace(/^import .*$/gm, '')
    expect(here, block).toContain(squeezed(code))
  }
})

/** Indentation and empty lines are the page's own. */
function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
