/** How long does an eviction take to reach another node, next to a bare publish? (P7) And does a tag's size matter? (P8) */

import { type CacheManager, createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { Redis } from 'ioredis'

export interface Spread {
  readonly name: string
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Returns publish to receive, then evict to forgotten elsewhere; in turn, so that both meet the same noise. */
export async function evictionReach(url: string, times: number): Promise<readonly Spread[]> {
  const publisher = new Redis(url)
  const subscriber = new Redis(url)
  await subscriber.subscribe('bench-raw')
  const node = (): CacheManager =>
    createCacheManager({
      namespace: 'bench-evict',
      local: lruStore(),
      remote: redisStore({ url }),
      storeTimeout: '5s',
      default: false,
    })
  await using one = node()
  await using other = node()
  const [onOne, onOther] = [one.cache<string>('c'), other.cache<string>('c')]
  const raw: number[] = []
  const evicted: number[] = []
  // The first half is for the compiler.
  for (let n = -times; n < times; n++) {
    const publishedMs = await timed((done) => {
      subscriber.once('message', done)
      void publisher.publish('bench-raw', `${n}`)
    })
    // Not by a load: its fill would be under way still, and what is measured is how long an eviction takes on a line that is free.
    await onOther.set('k', `${n}`)
    const evictedMs = await timed((done) => {
      const end = other.on('invalidate', () => {
        end()
        done()
      })
      void onOne.evict('k')
    })
    if (n < 0) continue
    raw.push(publishedMs)
    evicted.push(evictedMs)
  }
  publisher.disconnect()
  subscriber.disconnect()
  return [
    spreadOf('plain publish, received', raw),
    spreadOf('Larder: evict, forgotten elsewhere', evicted),
  ]
}

export interface TagCost {
  readonly entries: number
  readonly p50Ms: number
}

/** Returns how long it takes to invalidate a tag, by the number of entries that carry it. */
export async function tagCost(
  url: string,
  sizes: readonly number[],
  times: number,
): Promise<readonly TagCost[]> {
  await using caches = createCacheManager({
    namespace: 'bench-tags',
    local: lruStore(),
    remote: redisStore({ url }),
    storeTimeout: '5s',
    default: false,
  })
  const cache = caches.cache<number>('c')
  const costs = new Map<number, number[]>(sizes.map((size) => [size, []]))
  for (const size of sizes) {
    const entries = Array.from({ length: size }, (_, i) => [`${size}:${i}`, i] as const)
    for (let from = 0; from < size; from += 500) {
      const some = entries.slice(from, from + 500)
      await Promise.all(some.map(([key, value]) => cache.set(key, value, { tags: [`t${size}`] })))
    }
  }
  for (let n = 0; n < times; n++) {
    for (const size of sizes) {
      const begun = performance.now()
      await caches.evictTags([`t${size}`])
      costs.get(size)?.push(performance.now() - begun)
    }
  }
  return sizes.map((entries) => ({ entries, p50Ms: spreadOf('', costs.get(entries) ?? []).p50Ms }))
}

function timed(run: (done: () => void) => void): Promise<number> {
  return new Promise((resolve) => {
    const begun = performance.now()
    run(() => resolve(performance.now() - begun))
  })
}

function spreadOf(name: string, ms: number[]): Spread {
  const sorted = ms.sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
  return { name, p50Ms: at(0.5), p99Ms: at(0.99) }
}
