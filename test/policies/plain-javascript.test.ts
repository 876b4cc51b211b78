/** Arguments as JavaScript gives them: what no type stops is refused by name, and never half done. */

import {
  type CacheManagerOptions,
  createCacheManager,
  InvalidOptionError,
  RecoveryQueueError,
} from '@larder/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MemoryWorld } from './memory-world.ts'

// What the types would refuse.
type Loose = Record<string, (...args: readonly unknown[]) => unknown>

function startLoose(options: Partial<CacheManagerOptions> = {}) {
  const caches = createCacheManager({ namespace: 'loose', default: false, ...options })
  onTestFinished(() => caches.close())
  return { caches: caches as unknown as Loose, cache: caches.cache('c') as unknown as Loose }
}

describe('a text where a list belongs', () => {
  it.each<[what: string, option: string, act: (loose: ReturnType<typeof startLoose>) => unknown]>([
    ['evictTags of a manager', 'tags', ({ caches }) => caches.evictTags?.('shop:7')],
    ['evictTags of a cache', 'tags', ({ cache }) => cache.evictTags?.('shop:7')],
    ['evictMany', 'keys', ({ cache }) => cache.evictMany?.('shop:7')],
    ['getMany', 'keys', ({ cache }) => cache.getMany?.('shop:7')],
    ['getManyOrLoad', 'keys', ({ cache }) => cache.getManyOrLoad?.('shop:7', () => [])],
    ['tags of a set', 'tags', ({ cache }) => cache.set?.('k', 'v', { tags: 'shop:7' })],
    [
      'tags of a load',
      'tags',
      ({ cache }) => cache.getOrLoad?.('k', () => 'v', { tags: 'shop:7' }),
    ],
  ])('is refused: %s', async (_, option, act) => {
    const outcome = (async () => act(startLoose()))()
    await expect(outcome).rejects.toThrow(InvalidOptionError)
    await expect(outcome).rejects.toThrow(option)
  })
})

describe('warm', () => {
  it.each([0, -1, 1.5, Number.NaN, 'abc', null])('refuses a chunk of %s', async (chunk) => {
    const { cache } = startLoose()
    await expect((async () => cache.warm?.([['k', 'v']], { chunk }))()).rejects.toThrow(/chunk/)
    expect(await cache.get?.('k')).toBeUndefined()
  })

  it.each(['abc', 1, {}])('refuses a signal that is none: %s', async (signal) => {
    const { cache } = startLoose()
    await expect((async () => cache.warm?.([['k', 'v']], { signal }))()).rejects.toThrow(/signal/)
  })
})

it("evictPattern throws under 'throw' at the first chunk that did not reach the store", async () => {
  const world = new MemoryWorld('loose', { ttl: '1h' })
  const { cache, store } = world.startNode({ onRemoteFailure: 'throw' })
  await cache.set('a', 1)
  store.faults.fail({ on: 'evict' })
  const evicting = async (): Promise<void> => {
    for await (const _ of cache.evictPattern('*'));
  }
  await expect(evicting()).rejects.toBeInstanceOf(RecoveryQueueError)
  expect(await cache.get('a')).toBeUndefined()
})

describe('two who say different things of one cache', () => {
  it.each<[option: string, one: object, other: object]>([
    ['version', { version: 1 }, { version: 2 }],
    ['isolation', { isolation: 'frozen' }, { isolation: 'cloned' }],
    ['local', { local: true }, { local: false }],
    ['remote', { remote: true }, { remote: false }],
  ])('are told: %s', (option, one, other) => {
    const { caches } = startLoose()
    caches.cache?.('named', one)
    expect(() => caches.cache?.('named', other)).toThrow(InvalidOptionError)
    expect(() => caches.cache?.('named', other)).toThrow(option)
    expect(() => caches.cache?.('named', one)).not.toThrow()
    expect(() => caches.cache?.('named')).not.toThrow()
  })
})
