/** What lists promise, on each store. */

import { InvalidOptionError } from '@larder/core'
import { createList, type ListOptions } from '@larder/plugins/structures'
import { describe, expect, it } from 'vitest'
import { openStructures, PLACES } from './support/stage.ts'

const valuesOf = <Item>(items: readonly { readonly value: Item }[]): readonly Item[] =>
  items.map(({ value }) => value)

describe.each(PLACES)('a list %s', (place) => {
  const open = <Item = string>(options: Partial<ListOptions> = {}) =>
    createList<Item>(openStructures(place), {
      name: 'l',
      ttl: '1h',
      storeTimeout: '10s',
      ...options,
    })

  it('has the newest item first, or the oldest, in pages', async () => {
    const list = open()
    await list.push('k', 'a')
    await list.pushMany('k', ['b', 'c', 'b'])
    expect(valuesOf(await list.items('k'))).toEqual(['b', 'c', 'b', 'a'])
    expect(valuesOf(await list.items('k', { from: 'oldest' }))).toEqual(['a', 'b', 'c', 'b'])
    expect(valuesOf(await list.items('k', { skip: 1, take: 2 }))).toEqual(['c', 'b'])
    expect(valuesOf(await list.items('k', { from: 'oldest', skip: 3, take: 9 }))).toEqual(['b'])
    expect(await list.items('k', { take: 0 })).toEqual([])
    expect(await list.items('nobody')).toEqual([])
    expect(await list.count('k')).toBe(4)
  })

  it('drops the oldest when it is full, in the same step', async () => {
    const list = open<number>({ most: 3 })
    for (let n = 0; n < 5; n++) await list.push('k', n)
    expect(valuesOf(await list.items('k'))).toEqual([4, 3, 2])
    await list.pushMany(
      'k',
      Array.from({ length: 1_000 }, (_, n) => n),
    )
    expect(valuesOf(await list.items('k'))).toEqual([999, 998, 997])
    await Promise.all(Array.from({ length: 30 }, (_, n) => list.push('k', n)))
    expect(await list.count('k')).toBe(3)
  })

  it('has an item that is pushed again under its id once, as the newest', async () => {
    const list = open<{ readonly title: string }>({ most: 3 })
    for (const id of [1, 2, 3, 1]) await list.push('k', { title: `t${id}` }, { id })
    await list.push('k', { title: 'new' }, { id: '2' })
    expect(await list.items('k')).toEqual([
      { id: '2', value: { title: 'new' } },
      { id: '1', value: { title: 't1' } },
      { id: '3', value: { title: 't3' } },
    ])
    expect(await list.remove('k', 1)).toBe(true)
    expect(await list.remove('k', 1)).toBe(false)
    expect(await list.count('k')).toBe(2)
  })

  it('gives each item an id, by which it is removed', async () => {
    const list = open()
    const one = await list.push('k', 'a')
    const [two = '', three = ''] = await list.pushMany('k', ['b', 'c'])
    expect(new Set([one, two, three]).size).toBe(3)
    expect(await list.remove('k', two)).toBe(true)
    expect((await list.items('k')).map(({ id }) => id)).toEqual([three, one])
    expect(await list.clear('k')).toBe(true)
    expect(await list.clear('k')).toBe(false)
  })

  it('refuses what it does not know', async () => {
    const list = open()
    const calls = [
      () => list.items('k', { skip: -1 }),
      () => list.items('k', { take: 10_001 }),
      () => list.items('k', { from: 'top' as never }),
      () => list.items('k', { limit: 5 } as never),
      () => list.push('k', 'a', { ID: 5 } as never),
      () => list.push('k', 'a', { id: '' }),
      () => list.push('', 'a'),
      () => list.pushMany('k', 'ab' as never),
      () =>
        list.pushMany(
          'k',
          Array.from({ length: 1_001 }, () => 'a'),
        ),
    ]
    for (const call of calls) await expect(call()).rejects.toThrow(InvalidOptionError)
    expect(await list.pushMany('k', [])).toEqual([])
    expect(await list.count('k')).toBe(0)
  })
})
