import { describe, expect, it } from 'vitest'
import { KeyError } from '../errors/key-error.ts'
import { keyText } from './key-text.ts'

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
