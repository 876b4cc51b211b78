import { describe, expect, it } from 'vitest'
import { ValueError } from '../errors/value-error.ts'
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
    [new Map([['k', new Point()]]), '$(…)'],
    [{ call: () => 1 }, '$.call'],
    [Symbol('s'), '$'],
  ])('refuses %o, saying where it is', (value, path) => {
    const encode = (): unknown => codec.encode(value)
    expect(encode).toThrow(ValueError)
    expect(encode).toThrow(` ${path} `)
  })

  it('takes cycles and shared parts', () => {
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    const back = codec.decode(codec.encode(cycle)) as typeof cycle
    expect(back.self).toBe(back)
  })

  it('throws on bytes that are no value', () => {
    expect(() => codec.decode(Buffer.from('nonsense'))).toThrow()
  })
})
