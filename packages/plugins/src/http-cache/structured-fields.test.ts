import { describe, expect, it } from 'vitest'
import { readDictionary, readStrings, stringItem } from './structured-fields.ts'

const entries = (...lines: readonly string[]) => {
  const read = readDictionary(lines)
  return read && Object.fromEntries(read)
}

describe('a dictionary', () => {
  it('has integers, flags, and what means nothing here', () => {
    expect(
      entries(
        'max-age=60, public, a=?0, b="x;y,z", c=(1 2);q=1;w, d=:aGk=:, e=1.5, f=tok/en, g=-3',
      ),
    ).toEqual({
      'max-age': 60,
      public: true,
      a: 'other',
      b: 'other',
      c: 'other',
      d: 'other',
      e: 'other',
      f: 'other',
      g: -3,
    })
    expect(entries('a=1', 'b;x=1')).toEqual({ a: 1, b: true })
    expect(entries('a=1, a=2')).toEqual({ a: 2 })
    expect(entries('')).toEqual({})
  })

  it.each([
    'Max-Age=60',
    'a=',
    'a=1,',
    'a b',
    'a=1 b',
    'a="x',
    'a=1;',
    'a=(1',
    'a=1.',
    'a==1',
    ',a',
  ])('%s is none, as a whole', (line) => {
    expect(readDictionary([line])).toBeUndefined()
  })
})

describe('a list of Strings', () => {
  it('is read and written', () => {
    expect(readStrings(['"a", "b\\"c";x=1 ,"d"'])).toEqual(['a', 'b"c', 'd'])
    expect([stringItem('a"b\\'), stringItem('é'), stringItem('a\nb')]).toEqual([
      '"a\\"b\\\\"',
      undefined,
      undefined,
    ])
  })

  it.each(['a', '"a', '"a",', '"a" "b"', '"é"', '1'])('%s is none', (line) => {
    expect(readStrings([line])).toBeUndefined()
  })
})
