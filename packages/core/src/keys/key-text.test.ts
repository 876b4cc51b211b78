import { describe, expect, it } from 'vitest'
import { KeyError } from '../errors/key-error.ts'
import { fitKey, keyText } from './key-text.ts'

describe('a key that is one value', () => {
  it.each([
    '42',
    ' ',
    'a b',
    'user:42',
    '{0}',
    '#',
    '#42',
    'a\\b',
    'ключ',
    '😀',
    '\u0000',
    'x'.repeat(200),
  ])('is the string itself: %j', (key) => {
    expect(keyText(key)).toBe(key)
  })

  it.each<[unknown, string]>([
    [1, '1'],
    [-1.5, '-1.5'],
    [-0, '0'],
    [1e21, '1e+21'],
    [7n, '7'],
    [true, 'true'],
  ])('is the same as the text of %s', (key, text) => {
    expect(keyText(key)).toBe(text)
    expect(keyText(text)).toBe(text)
  })

  it.each<[unknown, string]>([
    ['', 'A key is empty'],
    [
      Number.NaN,
      'A key is NaN (number); it must be a string, number, bigint or boolean, or an array of those.',
    ],
    [undefined, 'A key is undefined'],
    [null, 'A key is null'],
    [Symbol('k'), 'A key is a symbol'],
    [() => 'k', 'A key is a function'],
    [{ id: 1 }, 'A key is an object of class Object'],
    [new Date(0), 'A key is an object of class Date'],
    [Object('k'), 'A key is an object of class String'],
    [Promise.resolve('k'), 'A key is an object of class Promise'],
  ])('is not %s', (key, message) => {
    expect(() => keyText(key)).toThrow(KeyError)
    expect(() => keyText(key)).toThrow(message)
  })
})

describe('a key of several parts', () => {
  it('is its parts with colons between', () => {
    expect(keyText(['shop', 7, 8n, false])).toBe('shop:7:8:false')
    expect(keyText(['shop', 7])).toBe(keyText('shop:7'))
  })

  it('differs for every two arrays that differ', () => {
    // biome-ignore format: a table
    const arrays = [
      ['a:b', 'c'], ['a', 'b:c'], ['a', 'b', 'c'], ['a:b:c'], ['a\\:b', 'c'], ['a\\', 'b:c'], ['a\\', ':b', 'c'],
      ['a', '', 'b'], ['a', ':b'], ['a:', 'b'], ['a', 'b'], ['', 'a', 'b'], ['a', 'b', ''], ['a'], ['a', ''], ['', 'a'],
      ['\\'], ['\\\\'], ['\\', ''], ['', '\\'], [':'], ['', ''], ['\\:'], ['\\', ':'], [':', '\\'],
    ]
    expect(new Set(arrays.map((parts) => keyText(parts))).size).toBe(arrays.length)
  })

  it.each<[readonly unknown[], string]>([
    [[], 'A key is an empty array'],
    [[''], 'A key is empty'],
    [
      ['a', undefined],
      'Part 1 of a key is undefined; it must be a string, number, bigint or boolean.',
    ],
    [['a', null], 'Part 1 of a key is null'],
    [[Number.NaN], 'Part 0 of a key is NaN'],
    [[['a']], 'Part 0 of a key is an array of 1'],
    [[{}], 'Part 0 of a key is an object of class Object'],
    [new Array(1), 'Part 0 of a key is undefined'],
  ])('is not %j', (parts, message) => {
    expect(() => keyText(parts)).toThrow(KeyError)
    expect(() => keyText(parts)).toThrow(message)
  })
})

const long = 'user:'.padEnd(1_000, 'x')

describe('a key that fits', () => {
  it.each([
    '',
    'a',
    '#',
    'a#b',
    `${'x'.repeat(199)}#`,
    'x'.repeat(200),
    '😀'.repeat(100),
    '#'.repeat(43),
  ])('is kept: %j', (key) => {
    expect(fitKey(key)).toBe(key)
  })
})

describe('a key that does not fit', () => {
  it('becomes its first 100 characters, a mark and a digest', () => {
    expect(fitKey(long)).toMatch(/^user:x{95}#[\w-]{43}$/)
  })

  it('always becomes the same: nodes of all releases must agree', () => {
    expect(fitKey('x'.repeat(201))).toBe(
      `${'x'.repeat(100)}#w8U0FJamV-uilXzqemLjiv_4ZDjVsx-x94UFMxwIHP0`,
    )
  })

  it('differs from every other, whatever they share', () => {
    const keys = [
      long,
      `${long}y`,
      `${long.slice(0, -1)}y`,
      `y${long}`,
      'x'.repeat(201),
      'x'.repeat(202),
    ]
    expect(new Set(keys.map(fitKey)).size).toBe(keys.length)
  })

  it('never meets a key that was written to look like its short form', () => {
    const short = fitKey(long)
    const twice = fitKey(short)
    expect(twice).not.toBe(short)
    expect(fitKey(twice)).not.toBe(twice)
    expect(fitKey(`x#${'A'.repeat(43)}`)).not.toMatch(/A{43}$/)
  })

  it('is well-formed even where it was cut or broken', () => {
    for (const key of ['\ud83d', `${'x'.repeat(99)}${'😀'.repeat(100)}`, '\udc00'.repeat(300)]) {
      expect(fitKey(key).isWellFormed()).toBe(true)
      expect(fitKey(key).length).toBeLessThanOrEqual(144)
    }
  })

  it('keeps lone surrogates apart, which UTF-8 would not', () => {
    const keys = ['a\ud83d', 'a\ud83e', 'a\udc00', 'a\ufffd', '\ud83da']
    expect(new Set(keys.map((key) => Buffer.from(fitKey(key)).toString('hex'))).size).toBe(
      keys.length,
    )
  })
})
