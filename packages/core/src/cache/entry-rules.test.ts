/** What users write of a result, in the engine's terms; one piece for named caches and decorated methods. */

import { describe, expect, it } from 'vitest'
import { type EntryPlace, tagNames, tagsFrom, ttlAlways, ttlFrom } from './entry-rules.ts'

const shown: unknown[] = []
const place: EntryPlace = {
  where: 'cache(products)',
  onTtl: (ttl, option) => shown.push([ttl, option]),
}

describe('tags', () => {
  it('become names of the table, given at once or by a function', () => {
    expect(tagNames(['a', '*'], place)).toEqual(['a', '\\*'])
    expect(tagsFrom(() => ['a', '*'], place)(1)).toEqual(['a', '\\*'])
    expect([tagNames(undefined, place), tagNames([], place)]).toEqual([[], []])
  })

  it.each([
    ['no list', undefined],
    ['a tag that is no text', [1]],
    ['a promise', Promise.resolve(['a'])],
  ])('%s from a function is refused', (_, answer) => {
    expect(() => tagsFrom(() => answer, place)(1)).toThrow(/takes/)
  })
})

describe('a ttl', () => {
  it('is milliseconds, and is shown with its option', () => {
    expect(ttlAlways('2s', place)()).toBe(2_000)
    expect(ttlFrom(() => 300, place)(1)).toBe(300)
    expect(shown).toEqual([
      ['2s', 'cache(products).ttl'],
      [300, 'cache(products).ttl'],
    ])
  })

  it('that a function leaves open is the usual one', () => {
    expect(ttlFrom(() => undefined, place)(1)).toBeUndefined()
  })

  it('that is wrong is refused: at once, or when the function gives it', () => {
    expect(() => ttlAlways('soon' as never, place)).toThrow(/cache\(products\)\.ttl/)
    expect(() => ttlFrom(() => -1, place)(1)).toThrow(/cache\(products\)\.ttl/)
    expect(() => ttlFrom(() => Promise.resolve(1), place)(1)).toThrow(/at once/)
  })
})
