import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../errors/option-error.ts'
import { parseSize, type Size } from './size.ts'

const parse = (value: unknown, min?: number) => parseSize(value as Size, 'lruStore.maxBytes', min)

describe('a size', () => {
  it.each<[Size, number]>([
    ['64b', 64],
    ['2kb', 2_048],
    ['64mb', 67_108_864],
    ['1gb', 1_073_741_824],
    ['1024gb', 1_024 ** 4],
    ['1.5kb', 1_536],
    ['0.1kb', 103],
    [4_096, 4_096],
    [0.5, 1],
  ])('%s is %d bytes', (value, bytes) => {
    expect(parse(value)).toBe(bytes)
  })

  it.each([
    [''],
    ['64'],
    ['64 mb'],
    ['64MB'],
    ['64mib'],
    ['-1kb'],
    ['1e3kb'],
    ['1tb'],
    ['1024.000001gb'],
    ['0b'],
    [0],
    [-1],
    [-0.5],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [64n],
    [null],
    [undefined],
    [{}],
    [['1kb']],
  ])('refuses %s', (value) => {
    expect(() => parse(value)).toThrow(InvalidOptionError)
  })

  it('may be nothing where the least is nothing', () => {
    expect(Object.is(parse(-0, 0), 0)).toBe(true)
    expect(parse('0b', 0)).toBe(0)
    expect(() => parse(-0.5, 0)).toThrow(InvalidOptionError)
  })

  it.each([
    ['64 MB', '64mb'],
    ['64MiB', '64mb'],
    ['64m', '64mb'],
    ['10 bytes', '10b'],
  ])('suggests for %s what it means', (text, meant) => {
    expect(() => parse(text)).toThrow(`Did you mean '${meant}'?`)
  })

  it('says which option, what it takes and what it got', () => {
    expect(() => parse('2048gb')).toThrow(
      "lruStore.maxBytes takes a size such as '64b', '2kb', '64mb', '1gb', or bytes, from 1 to 1024gb, but got \"2048gb\" (string).",
    )
  })

  it('is checked by the type system', () => {
    // @ts-expect-error no such unit
    const terabytes: Size = '1tb'
    expect(() => parse(terabytes)).toThrow(InvalidOptionError)
  })
})
