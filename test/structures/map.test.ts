/** What maps promise, on each store. */

import {
  InvalidOptionError,
  StructureFullError,
  UpdateConflictError,
  ValueError,
} from '@larder/core'
import { localStructures } from '@larder/local-store'
import { createMap, type StructureOptions } from '@larder/plugins/structures'
import { describe, expect, it } from 'vitest'
import { openStructures, PLACES } from './support/stage.ts'

interface Settings {
  readonly theme: 'dark' | 'light'
  readonly sizes: readonly number[]
  readonly seen: Date
  readonly visits: number
}

describe.each(PLACES)('a map %s', (place) => {
  const open = <Fields extends object = Settings>(options: Partial<StructureOptions> = {}) => {
    const caches = openStructures(place)
    const make = () =>
      createMap<Fields>(caches, { name: 'm', ttl: '1h', storeTimeout: '10s', ...options })
    return { caches, map: make(), other: make() }
  }

  it('gives values back as they were, each by its field', async () => {
    const { map, other } = open()
    const seen = new Date(0)
    expect(await map.set('u', { theme: 'dark', sizes: [1, 2], seen })).toEqual({
      added: 3,
      dropped: 0,
    })
    expect(await other.set('u', { theme: 'light', visits: 0 })).toEqual({ added: 1, dropped: 0 })
    expect(await other.get('u', 'seen')).toEqual(seen)
    expect(await map.get('u', 'visits')).toBe(0)
    expect(await map.get('nobody', 'visits')).toBeUndefined()
    expect(await map.getMany('u', ['theme', 'sizes', 'theme'])).toEqual({
      theme: 'light',
      sizes: [1, 2],
    })
    expect(await map.getAll('u')).toEqual({ sizes: [1, 2], seen, theme: 'light', visits: 0 })
    expect(await map.getAll('nobody')).toEqual({})
    expect(await map.count('u')).toBe(4)
  })

  it('lists fields in the order in which they were set last', async () => {
    const { map } = open<Record<string, number>>()
    await map.set('u', { a: 1, b: 2 })
    await map.set('u', { c: 3, a: 4 })
    expect(Object.keys(await map.getAll('u'))).toEqual(['b', 'c', 'a'])
  })

  it('has frozen values, so that nobody changes what others read', async () => {
    const { map } = open()
    await map.set('u', { sizes: [1] })
    for (const sizes of [await map.get('u', 'sizes'), (await map.getAll('u')).sizes])
      expect(() => (sizes as number[]).push(2)).toThrow(TypeError)
  })

  it('removes fields, and the whole map', async () => {
    const { map } = open()
    await map.set('u', { theme: 'dark', visits: 1 })
    expect(await map.delete('u', ['theme', 'seen', 'theme'])).toBe(1)
    expect(await map.delete('u', 'theme')).toBe(0)
    expect(await map.getAll('u')).toEqual({ visits: 1 })
    expect(await map.clear('u')).toBe(true)
    expect(await map.clear('u')).toBe(false)
    expect(await map.count('u')).toBe(0)
  })

  it('takes any text for fields and keys', async () => {
    const { map } = open<Record<string, number>>()
    const fields = ['__proto__', 'constructor', 'a:b', '{x}', 'a\0b', 'ü☃', ' ', 'x'.repeat(1_000)]
    for (const key of ['}', 'k:items', ...fields]) {
      await map.set(key, Object.fromEntries(fields.map((field, i) => [field, i])))
      expect(Object.keys(await map.getAll(key)).sort()).toEqual([...fields].sort())
      expect(await map.get(key, '__proto__')).toBe(0)
    }
    await map.set(7, { a: 1 })
    expect(await map.get('7', 'a')).toBe(1)
    expect(await map.get('other', 'constructor')).toBeUndefined()
  })

  it('loses no update, however many there are at once', async () => {
    const { map, other } = open<Record<string, number>>()
    await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        (i % 2 === 0 ? map : other).update('u', 'n', (n = 0) => n + 1),
      ),
    )
    expect(await map.get('u', 'n')).toBe(12)
  })

  it('an update sees that a field was removed and put anew, however fast', async () => {
    const nowMs = Date.now()
    // In process, a clock that stands: whatever is done in one millisecond.
    const standing = { structures: localStructures({ now: () => nowMs }) }
    const caches = openStructures(place, place === 'in process' ? standing : {})
    const map = createMap<Record<string, number>>(caches, { name: 'm', ttl: '1h' })
    for (const remove of [() => map.clear('u'), () => map.delete('u', 'a')]) {
      await map.set('u', { a: 1 })
      let tries = 0
      await map.update('u', 'a', async (value = 0) => {
        tries += 1
        if (tries === 1) {
          await remove()
          await map.set('u', { a: 100 })
        }
        return value + 1
      })
      expect(await map.get('u', 'a')).toBe(101)
    }
  })

  it('leaves a field that an update says nothing of, and passes errors on', async () => {
    const { map } = open()
    expect(await map.update('u', 'visits', () => undefined)).toBeUndefined()
    expect(await map.count('u')).toBe(0)
    await map.set('u', { visits: 3 })
    expect(await map.update('u', 'visits', () => undefined)).toBe(3)
    const thrown = new Error('no')
    await expect(map.update('u', 'visits', () => Promise.reject(thrown))).rejects.toBe(thrown)
    expect(await map.get('u', 'visits')).toBe(3)
  })

  it('gives an update up that others are always faster than', async () => {
    const { map } = open<Record<string, number>>()
    let tries = 0
    const update = map.update('u', 'n', async () => {
      tries += 1
      await map.set('u', { n: tries })
      return -1
    })
    await expect(update).rejects.toThrow(UpdateConflictError)
    expect(await map.get('u', 'n')).toBe(tries)
  })

  it('refuses new fields when it is full, and nothing of the call is done then', async () => {
    const { map } = open<Record<string, number>>({ most: 2 })
    await map.set('u', { a: 1, b: 1 })
    await expect(map.set('u', { a: 2, c: 1 })).rejects.toThrow(StructureFullError)
    await expect(map.set('u', { c: 1 })).rejects.toThrow(/The map m has no room.*at most 2/)
    await expect(map.update('u', 'c', () => 1)).rejects.toMatchObject({ most: 2 })
    expect(await map.getAll('u')).toEqual({ a: 1, b: 1 })
    await map.set('u', { a: 2 })
    await map.delete('u', 'b')
    expect(await map.set('u', { c: 1 })).toEqual({ added: 1, dropped: 0 })
  })

  it('or drops the one that was set first', async () => {
    const { map } = open<Record<string, number>>({ most: 2, whenFull: 'drop' })
    await map.set('u', { a: 1, b: 1 })
    await map.set('u', { a: 2 })
    expect(await map.set('u', { c: 1 })).toEqual({ added: 1, dropped: 1 })
    expect(await map.getAll('u')).toEqual({ a: 2, c: 1 })
  })

  it('refuses what cannot be kept, and keeps nothing of the call', async () => {
    const { map } = open<Record<string, unknown>>({ maxItemBytes: '1kb' })
    await expect(map.set('u', { a: 1, b: 'x'.repeat(2_000) })).rejects.toThrow(
      /map\.set\.fields.*at most 1024 bytes.*one of \d+ bytes/,
    )
    await expect(map.set('u', { a: 1, b: () => 1 })).rejects.toThrow(ValueError)
    await expect(map.set('u', { a: 1, b: undefined })).rejects.toThrow(/delete removes a field/)
    for (const fields of [null, undefined, [], 'a', new Map(), 5])
      await expect(map.set('u', fields as object)).rejects.toThrow(InvalidOptionError)
    for (const field of ['', '\ud800', {}, null, undefined, 'x'.repeat(1_001)]) {
      await expect(map.get('u', field as string)).rejects.toThrow(/map\.get\.field/)
      await expect(map.delete('u', [field as string])).rejects.toThrow(/map\.delete\.fields/)
      await expect(map.get(field as string, 'a')).rejects.toThrow(/map\.get\.key/)
    }
    await expect(map.getMany('u', 'ab' as never)).rejects.toThrow(/getMany\.fields.*an array/)
    const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`f${i}`, 1]))
    await expect(map.set('u', many)).rejects.toThrow(/fields\.length.*from 1 to 1000/)
    await expect(map.update('u', 'a', 5 as never)).rejects.toThrow(/update\.change.*a function/)
    expect(await map.count('u')).toBe(0)
    expect(await map.set('u', {})).toEqual({ added: 0, dropped: 0 })
  })

  it('keeps maps of two names apart, and from sets of the same name', async () => {
    const { map, caches } = open<Record<string, number>>()
    const other = createMap<Record<string, number>>(caches, { name: 'm.2', ttl: '1h' })
    await map.set('u', { a: 1 })
    expect(await other.count('u')).toBe(0)
  })
})
