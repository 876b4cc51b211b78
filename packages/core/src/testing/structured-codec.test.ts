import { describe, expect, it } from 'vitest'
import { ValueError } from '../errors/value-error.ts'
import { valueType } from '../options/value-type.ts'
import { structuredCodec } from './structured-codec.ts'

const codec = structuredCodec([])

class Point {
  x = 1
}

describe('structuredCodec', () => {
  it.each([
    [null],
    [undefined],
    [10n ** 30n],
    [new Date(5)],
    [new Map([['k', new Set([1, { deep: [undefined] }])]])],
    [new Uint16Array([1, 2, 3])],
    [{ list: [1, 'two', null], nested: { at: new Date(0) } }],
    [new RangeError('too far')],
  ])('brings %o back the same', (value) => {
    expect(codec.decode(codec.encode(value))).toEqual(value)
  })

  it.each([
    [new Point(), '$'],
    [{ points: [new Point()] }, '$.points[0]'],
    [new Map([['k', new Point()]]), '$.get("k")'],
    [{ call: () => 1 }, '$.call'],
    [Symbol('s'), '$'],
  ])('refuses %o, saying where it is', (value, path) => {
    const encode = (): unknown => codec.encode(value)
    expect(encode).toThrow(ValueError)
    expect(encode).toThrow(` ${path} `)
  })

  it('brings instances of registered classes back', () => {
    const known = structuredCodec([
      valueType({ name: 'point', class: Point, encode: ({ x }) => x, decode: () => new Point() }),
    ])
    expect(known.decode(known.encode({ at: new Point() }))).toEqual({ at: new Point() })
  })

  it('decodes into memory of its own', () => {
    const bytes = codec.encode({ blob: Buffer.from('abc') })
    const { blob } = codec.decode(bytes) as { blob: Buffer }
    blob.fill(0)
    expect((codec.decode(bytes) as { blob: Buffer }).blob.toString()).toBe('abc')
  })

  it('throws on bytes that are no value', () => {
    expect(() => codec.decode(Buffer.from('nonsense'))).toThrow()
  })
})
