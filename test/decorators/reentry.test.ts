/** A load that asks for the key it is loading does not wait for itself. On the real engine, whose flights would. */

import { Cacheable, CacheConfig, cached, createCacheManager, skipCache } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let caches: ReturnType<typeof createCacheManager>

beforeEach(() => {
  caches = createCacheManager({ namespace: 'reentry', local: lruStore(), default: false })
})
afterEach(() => caches.close())

const manager = (): typeof caches => caches

interface Item {
  readonly id: string
}

@CacheConfig({ manager, cache: 'items' })
class Items {
  loads: string[] = []

  @Cacheable({ key: (id: string) => id })
  async find(id: string): Promise<Item | undefined> {
    this.loads.push(`find ${id}`)
    return { id }
  }

  @Cacheable({ each: { key: (id: string) => id, by: (item: Item) => item.id } })
  async findMany(ids: readonly string[]): Promise<Item[]> {
    this.loads.push(`findMany ${ids.join(' ')}`)
    const found = await Promise.all(ids.map((id) => this.find(id)))
    return found.filter((item) => item !== undefined)
  }

  @Cacheable({ key: (id: string) => id, shares: 'find' })
  async first(id: string): Promise<Item | undefined> {
    this.loads.push(`first ${id}`)
    const [item] = await this.findMany([id])
    return item
  }
}

class Louder extends Items {
  @Cacheable({ key: (id: string) => id })
  override async find(id: string): Promise<Item | undefined> {
    const item = await super.find(id)
    return item && { id: `${item.id}!` }
  }
}

describe('a load that asks for its own key', { timeout: 2_000 }, () => {
  it('from a method over a list runs the other method', async () => {
    const items = new Items()

    expect(await items.findMany(['a', 'b'])).toEqual([{ id: 'a' }, { id: 'b' }])
    expect(items.loads).toEqual(['findMany a b', 'find a', 'find b'])
    expect(await items.find('a')).toEqual({ id: 'a' })
    expect(items.loads.length).toBe(3)
  })

  it('through several methods, too', async () => {
    const items = new Items()

    expect(await items.first('a')).toEqual({ id: 'a' })
    expect(items.loads).toEqual(['first a', 'findMany a', 'find a'])
  })

  it('through super, with the cache of the base class', async () => {
    const items = new Louder()

    expect(await items.find('a')).toEqual({ id: 'a!' })
    expect(await items.find('a')).toEqual({ id: 'a!' })
    expect(items.loads).toEqual(['find a'])
  })

  it('when it was asked to refresh', async () => {
    const items = new Louder()
    await items.find('a')

    expect(await skipCache(() => items.find('a'), 'refresh')).toEqual({ id: 'a!' })
    expect(await cached(items, 'find').refresh('a')).toEqual({ id: 'a!' })
    expect(items.loads).toEqual(['find a', 'find a', 'find a'])
    // Also when the cached value has been a hit.
    for (const _ of [1, 2]) await items.find('a')
    expect(await skipCache(() => items.find('a'), 'refresh')).toEqual({ id: 'a!' })
    for (const _ of [1, 2]) await items.find('a')
    expect(await cached(items, 'find').refresh('a')).toEqual({ id: 'a!' })
    expect(items.loads).toHaveLength(5)
  })

  it('still shares the load of others', async () => {
    const items = new Items()
    await Promise.all([items.findMany(['a', 'b']), items.find('b'), items.findMany(['b', 'c'])])

    expect(items.loads.toSorted()).toEqual([
      'find a',
      'find b',
      'find c',
      'findMany a b',
      'findMany c',
    ])
  })
})
