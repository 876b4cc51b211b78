/** Times of years, on a real Redis: above the 24.8 days that a timer of Node takes, and the 49.7 that fit into four bytes. */

import { partitionOf } from '@larder/core/store'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest'
import { deferred, eventually } from '../support/eventually.ts'
import { freshNamespace, startNode, startPair, untilVerified } from '../support/nodes.ts'

const DAY_MS = 86_400_000
/** What the options allow. */
const LONGEST_MS = 3_650 * DAY_MS
const TIMES = [25 * DAY_MS, 50 * DAY_MS, LONGEST_MS]
const down = (): Promise<never> => Promise.reject(new Error('down'))

const warnings: Error[] = []
const note = (warning: Error): void => void warnings.push(warning)
beforeEach(() => {
  warnings.length = 0
  process.on('warning', note)
})
afterEach(() => {
  process.off('warning', note)
  // Node says so where a timer is given more than it takes, and runs it at once.
  expect(warnings.filter(({ name }) => name.startsWith('Timeout'))).toEqual([])
})

/** How long Redis keeps an entry of the cache `c`, ms. */
async function lifeOf(namespace: string, key: string): Promise<number> {
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())
  return redis.pttl(`{${namespace}:${partitionOf(`c:${key}`)}}:c:${key}`)
}

describe.each(TIMES)('%d ms', (ms) => {
  it('is the life of what is loaded and put, on each node', async () => {
    const namespace = freshNamespace()
    const [a, b] = await startPair({ namespace, policy: { ttl: ms } })
    const [ofA, ofB] = [a, b].map(({ caches }) => caches.cache<string>('c'))
    await ofA?.getOrLoad('loaded', async () => 'value')
    await ofA?.set('put', 'value')
    await eventually('both are stored', async () => {
      const found = await ofB?.getMany(['loaded', 'put'])
      return found?.every((value) => value === 'value')
    })
    expect(await ofA?.getMany(['loaded', 'put'])).toEqual(['value', 'value'])
    for (const key of ['loaded', 'put']) {
      const left = await lifeOf(namespace, key)
      expect([key, left > ms - DAY_MS && left <= ms]).toEqual([key, true])
    }
    await ofA?.evict('put')
    await a.caches.clear()
    expect(await ofA?.getMany(['loaded', 'put'])).toEqual([undefined, undefined])
  })

  it('is how long an absence, an error, and what is stale are kept', async () => {
    const namespace = freshNamespace()
    const times = { ttl: ms, staleWhileRevalidate: ms, staleIfError: ms, errorBackoff: ms }
    const policy = { ...times, negativeTtl: ms, cacheErrors: () => ms }
    const [a, b] = await startPair({ namespace, policy })
    const [ofA, ofB] = [a.caches.cache<string | null>('c'), b.caches.cache<string | null>('c')]
    await ofA.getOrLoad('absent', async () => null)
    await ofA.getOrLoad('k', async () => 'old')
    await expect(ofA.getOrLoad('failing', down)).rejects.toThrow('down')
    expect(await ofB.getOrLoad('absent', down)).toBe(null)
    await expect(ofB.getOrLoad('failing', async () => 'unused')).rejects.toThrow('down')
    await ofA.evict('k', { soft: true })
    for (const cache of [ofA, ofB]) expect(await cache.getOrLoad('k', down)).toBe('old')
    const left = await lifeOf(namespace, 'k')
    expect(left > 3 * ms - DAY_MS && left <= 3 * ms).toBe(true)
  })

  it('is how long a settle window lasts, and a caller waits for a load', async () => {
    const namespace = freshNamespace()
    const waits = { softTimeout: ms, hardTimeout: ms, loadTimeout: ms }
    const [a, b] = await startPair({ namespace, policy: { ...waits, ttl: ms } })
    const [ofA, ofB] = [a, b].map(({ caches }) => caches.cache<string>('c'))
    await ofA?.evict('k', { settle: ms })
    const gate = deferred<string>()
    const loading = ofA?.getOrLoad('k', () => gate.promise)
    gate.resolve('value')
    expect(await loading).toBe('value')
    expect(await ofB?.getOrLoad('k', down)).toBe('value')
    const left = await lifeOf(namespace, 'k')
    expect(left > ms - DAY_MS && left <= ms).toBe(true)
  })

  it('is the life of what stays in the process, early refreshes included', async () => {
    const node = startNode({ policy: { ttl: ms, remote: false, refreshAhead: 4 } })
    await untilVerified(node)
    const cache = node.caches.cache<string>('c')
    await cache.getOrLoad('k', async () => 'value')
    for (let i = 0; i < 100; i++) expect(await cache.getOrLoad('k', down)).toBe('value')
    expect(node.caches.stats().loads).toBe(1)
  })
})
