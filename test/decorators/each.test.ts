/** `each`: one entry an element; the body sees only those missing. */

import { Cacheable, CacheConfig, cached, skipCache } from '@larder/core'
import type { MethodCacheProvider } from '@larder/core/store'
import { beforeEach, describe, expect, it } from 'vitest'
import { RecordingProvider } from './support/recording-provider.ts'

let provider: RecordingProvider
const manager = (): MethodCacheProvider => provider

beforeEach(() => {
  provider = new RecordingProvider()
})

interface Item {
  readonly id: number
}

@CacheConfig({ manager, cache: 'items' })
class Items {
  bodies: unknown[][] = []
  answer: (ids: readonly number[]) => unknown = (ids) => ids.map((id) => ({ id }))

  @Cacheable({
    each: { key: (id: number, locale: string) => [id, locale], by: (item: Item) => item.id },
    tags: (item: Item | undefined, id: number, locale: string) => [`${item?.id}:${id}:${locale}`],
    ttl: (_item: Item | undefined, id: number) => id,
    unless: (_item: Item | undefined, id: number) => id === 0,
    condition: (ids: readonly number[]) => ids.length < 10,
  })
  async found(ids: readonly number[], locale: string): Promise<Item[]> {
    this.bodies.push([ids, locale])
    return this.answer(ids) as Item[]
  }

  @Cacheable({ each: { key: 'slot-{0}' } })
  async slots(ids: readonly number[]): Promise<(Item | undefined)[]> {
    this.bodies.push([ids])
    return this.answer(ids) as Item[]
  }
}

let items: Items
beforeEach(() => {
  items = new Items()
})

describe('each', () => {
  it('gives the body every missing element once, and the further arguments', async () => {
    await items.found([2], 'en')

    expect(await items.found([3, 2, 3, 1, 3], 'en')).toEqual([3, 2, 3, 1, 3].map((id) => ({ id })))
    expect(items.bodies).toEqual([
      [[2], 'en'],
      [[3, 1], 'en'],
    ])
    await items.found([3], 'fr')
    expect(items.bodies.at(-1)).toEqual([[3], 'fr'])
  })

  it('runs no body when nothing is missing, or nothing was asked for', async () => {
    await items.found([1, 2], 'en')
    await items.found([2, 1], 'en')

    expect(await items.found([], 'en')).toEqual([])
    expect(items.bodies.length).toBe(1)
  })

  it('asks tags, ttl and unless about one item, its element and the further arguments', async () => {
    items.answer = ([first]) => [{ id: first }]
    await items.found([7, 0], 'en')
    const [seven, zero] = provider.asked.find(({ what }) => what === 'load-many')?.calls ?? []

    expect(seven?.tagsOf?.({ id: 7 })).toEqual(['7:7:en'])
    expect(zero?.tagsOf?.(undefined)).toEqual(['undefined:0:en'])
    expect([seven?.ttlOf?.({ id: 7 }), zero?.ttlOf?.(undefined)]).toEqual([7, 0])
    expect([seven?.storeWhen?.({ id: 7 }), zero?.storeWhen?.(undefined)]).toEqual([true, false])
  })

  it('asks condition about the whole call', async () => {
    const many = Array.from({ length: 10 }, (_, id) => id)
    await items.found(many, 'en')
    await items.found(many, 'en')

    expect(items.bodies.length).toBe(2)
    expect(provider.asked).toEqual([])
  })

  it('with by, skips gaps in the result and items nobody asked for', async () => {
    items.answer = () => [null, { id: 9 }, undefined, { id: 1 }]
    expect(await items.found([1, 2], 'en')).toEqual([{ id: 1 }])
  })

  it('with by, two items for one element are an error: one of them would be lost', async () => {
    items.answer = () => [{ id: 1 }, { id: 1 }]
    await expect(items.found([1], 'en')).rejects.toThrow(/result of Items\.found takes at most one/)
  })

  it('without by, another number of items than asked for is an error', async () => {
    items.answer = () => [{ id: 1 }]
    await expect(items.slots([1, 2])).rejects.toThrow(/one item for each of the 2 elements/)
  })

  it('refuses what is no list, in the call and in the result', async () => {
    await expect(items.slots('secret' as never)).rejects.toThrow(
      'the first argument of Items.slots takes an array, but got a string',
    )
    items.answer = () => ({ id: 1 })
    await expect(items.found([1], 'en')).rejects.toThrow(/result of Items\.found takes an array/)
  })

  it('passes errors of the body through', async () => {
    const problem = new Error('no database')
    items.answer = () => {
      throw problem
    }
    await expect(items.found([1], 'en')).rejects.toBe(problem)
  })

  it('calls the method as it is when caches are skipped', async () => {
    items.answer = (ids) => ids.map((id) => ({ id })).reverse()
    expect(await skipCache(() => items.found([1, 1, 2], 'en'))).toEqual([
      { id: 2 },
      { id: 1 },
      { id: 1 },
    ])
    expect(provider.asked).toEqual([])
  })
})

describe('cached() of a method with each', () => {
  it('works on all elements of the list', async () => {
    const entries = cached(items, 'found')
    await entries.set([[1, 2], 'en'], [{ id: 2 }, { id: 1 }])

    expect(await entries.peek([2, 3, 1], 'en')).toEqual([{ id: 2 }, { id: 1 }])
    await entries.evict([1, 3], 'en')
    expect(await entries.peek([2, 3, 1], 'en')).toEqual([{ id: 2 }])
    expect(await entries.refresh([1, 2], 'en')).toEqual([{ id: 1 }, { id: 2 }])
  })

  it('without by, keeps gaps in their places', async () => {
    const entries = cached(items, 'slots')
    await entries.set([[1, 2, 3]], [{ id: 1 }, undefined, { id: 3 }])
    await entries.evict([1])

    expect(await entries.peek([1, 2, 3])).toEqual([undefined, undefined, { id: 3 }])
    await expect(entries.set([[1, 2]], [{ id: 1 }])).rejects.toThrow(/each of the 2 elements/)
  })

  it('has a key for one element only', () => {
    expect(cached(items, 'found').key([1], 'en')).toBe('items:1:en')
    expect(() => cached(items, 'found').key([1, 2], 'en')).toThrow(/a list of one element/)
  })
})
