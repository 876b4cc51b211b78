/** What sets promise, on each store. */

import { InvalidOptionError, StructureFullError, ValueError } from '@larder/core'
import { createMap, createSet, type StructureOptions } from '@larder/plugins/structures'
import { describe, expect, it } from 'vitest'
import { openStructures, PLACES } from './support/stage.ts'

describe.each(PLACES)('a set %s', (place) => {
  const open = <Member = unknown>(options: Partial<StructureOptions> = {}) => {
    const caches = openStructures(place)
    const set = createSet<Member>(caches, {
      name: 's',
      ttl: '1h',
      storeTimeout: '10s',
      ...options,
    })
    return { caches, set }
  }

  it('has each member once, in the order in which they were added last', async () => {
    const { set } = open<string>()
    expect(await set.add('k', 'a')).toBe(true)
    expect(await set.add('k', 'a')).toBe(false)
    expect(await set.addMany('k', ['b', 'c', 'b', 'a'])).toBe(2)
    expect(await set.members('k')).toEqual(['b', 'c', 'a'])
    expect(await set.count('k')).toBe(3)
    expect(await set.has('k', 'b')).toBe(true)
    expect(await set.hasMany('k', ['x', 'c', 'x'])).toEqual([false, true, false])
    expect(await set.has('other', 'a')).toBe(false)
    expect(await set.remove('k', 'b')).toBe(true)
    expect(await set.remove('k', 'b')).toBe(false)
    expect(await set.removeMany('k', ['a', 'x', 'c'])).toBe(2)
    expect(await set.members('k')).toEqual([])
    await set.add('k', 'a')
    expect(await set.clear('k')).toBe(true)
    expect(await set.clear('k')).toBe(false)
  })

  it.each([
    ['objects with parts in another order', { a: 1, b: [2] }, { b: [2], a: 1 }],
    ['dates of one instant', new Date(5), new Date(5)],
    ['arrays of equal items', ['shop', 7], ['shop', 7]],
    ['zeros with and without a sign', 0, -0],
  ])('takes %s for the same', async (_, one, other) => {
    const { set } = open()
    expect(await set.add('k', one)).toBe(true)
    expect(await set.has('k', other)).toBe(true)
    expect(await set.add('k', other)).toBe(false)
    expect(await set.members('k')).toHaveLength(1)
  })

  it('tells apart what only looks the same', async () => {
    const { set } = open()
    const members = ['1', 1, true, 'true', [1], ['1'], { a: 1 }, { a: '1' }, { a: 1, b: null }, '']
    expect(await set.addMany('k', members)).toBe(members.length)
    expect(await set.members('k')).toEqual(members)
  })

  it('refuses what cannot be compared, and what would not come back', async () => {
    const { set } = open()
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = cyclic
    class Point {}
    for (const member of [undefined, null, () => 1, Symbol('a'), cyclic, new Point()]) {
      const refusal = /set\.add\.member (?!.*default key)/
      await expect(set.add('k', member)).rejects.toThrow(refusal)
      await expect(set.add('k', member)).rejects.toThrow(InvalidOptionError)
      await expect(set.has('k', member)).rejects.toThrow(/set\.has\.member/)
      await expect(set.remove('k', member)).rejects.toThrow(/set\.remove\.member/)
    }
    await expect(set.addMany('k', [1, undefined])).rejects.toThrow(/addMany\.members/)
    await expect(set.addMany('k', 'abc' as never)).rejects.toThrow(/addMany\.members.*an array/)
    class Money {
      toCacheKey(): string {
        return '5 EUR'
      }
    }
    await expect(set.add('k', new Money())).rejects.toThrow(ValueError)
    expect(await set.count('k')).toBe(0)
  })

  it('is bounded, and refuses or drops', async () => {
    const { set } = open<number>({ most: 2 })
    await set.addMany('k', [1, 2])
    await expect(set.add('k', 3)).rejects.toThrow(StructureFullError)
    expect(await set.add('k', 2)).toBe(false)
    const dropping = open<number>({ most: 2, whenFull: 'drop' })
    await dropping.set.addMany('k', [1, 2])
    await dropping.set.add('k', 1)
    await dropping.set.add('k', 3)
    expect(await dropping.set.members('k')).toEqual([1, 3])
  })

  it('is another one than a map of the same name', async () => {
    const { set, caches } = open<string>()
    const map = createMap<Record<string, number>>(caches, { name: 's', ttl: '1h' })
    await set.add('k', 'a')
    expect(await map.count('k')).toBe(0)
  })
})
