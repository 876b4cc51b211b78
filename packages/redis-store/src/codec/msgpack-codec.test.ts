import { InvalidOptionError, ValueError, valueType } from '@larder/core'
import { Packr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { msgpackCodec } from './msgpack-codec.ts'

class Money {
  readonly cents: bigint

  constructor(cents: bigint) {
    this.cents = cents
  }
}

const money = valueType({
  name: 'money',
  class: Money,
  encode: (value) => value.cents,
  decode: (cents) => new Money(cents as bigint),
})

const codec = msgpackCodec([money])
const roundTrip = (value: unknown): unknown => codec.decode(codec.encode(value))

describe('values come back the same', () => {
  it.each([
    [0],
    [1],
    [-1],
    [127],
    [128],
    [-33],
    [65_535],
    [2 ** 31],
    [2 ** 32],
    [2 ** 53 - 1],
    [-(2 ** 53 - 1)],
    [1.5],
    [1e300],
    [Number.NaN],
    [Infinity],
    [-Infinity],
    [-0],
    [true],
    [false],
    [null],
    [undefined],
    [''],
    ['a'],
    ['ü漢😀'],
    ['\ud800'],
    ['a\udc00b'],
    ['x'.repeat(40)],
    ['x'.repeat(300)],
    ['x'.repeat(70_000)],
    [0n],
    [-1n],
    [2n ** 64n],
    [-(2n ** 200n)],
    [[]],
    [[[]]],
    [[undefined, null, 1]],
    [{}],
    [{ a: undefined }],
    [{ a: { b: [1, { c: 'd' }] } }],
    [Array.from({ length: 70_000 }, (_, i) => i)],
    [new Date(0)],
    [new Date(-1)],
    [new Date('2026-11-20T12:00:00.123Z')],
    [
      new Map<unknown, unknown>([
        [1, 'a'],
        ['1', { deep: new Map() }],
        [{ key: 1 }, undefined],
      ]),
    ],
    [new Set([1, '1', null])],
    [/a+b/giu],
    [new URL('https://example.org/a?b=c#d')],
    [Buffer.from('bytes')],
    [new Uint8Array([1, 2])],
    [new Uint8ClampedArray([255])],
    [new Int8Array([-1])],
    [new Uint16Array([65_535])],
    [new Int16Array([-1])],
    [new Uint32Array([2 ** 32 - 1])],
    [new Int32Array([-1])],
    [new Float32Array([1.5])],
    [new Float64Array([Math.PI, -0])],
    [new BigInt64Array([-1n])],
    [new BigUint64Array([1n])],
    [new DataView(new ArrayBuffer(3))],
    [new ArrayBuffer(5)],
    [Buffer.alloc(0)],
    [new Money(150n)],
    [{ prices: [new Money(1n), new Money(2n)] }],
  ])('%#', (value) => {
    expect(roundTrip(value)).toStrictEqual(value)
  })

  it('an invalid date stays one', () => {
    expect((roundTrip(new Date(Number.NaN)) as Date).getTime()).toBeNaN()
  })

  it('errors keep class, message, code and cause, and lose the stack', () => {
    const error = Object.assign(new RangeError('bad', { cause: new TypeError('why') }), {
      code: 'E1',
    })
    const found = roundTrip(error) as typeof error
    expect(found).toBeInstanceOf(RangeError)
    expect([found.name, found.message, found.code]).toEqual(['RangeError', 'bad', 'E1'])
    expect(found.cause).toBeInstanceOf(TypeError)
    expect(Buffer.from(codec.encode(error)).includes(import.meta.filename)).toBe(false)
  })

  it('an error of an unknown class comes back as an Error of that name', () => {
    class PaymentError extends Error {
      override readonly name = 'PaymentError'
    }
    const found = roundTrip(new PaymentError('no')) as Error
    expect([found.constructor, found.name, found.message]).toEqual([Error, 'PaymentError', 'no'])
  })

  it('an own __proto__ key stays an own key and pollutes nothing', () => {
    const value: unknown = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}')
    const found = roundTrip(value) as object
    expect(Object.getOwnPropertyNames(found).sort()).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it('bytes are a copy of their own, whatever buffer they were read from', () => {
    const bytes = Buffer.from(
      codec.encode({ blob: Buffer.from('abc'), wide: new Float64Array([1]) }),
    )
    const found = codec.decode(bytes) as { blob: Buffer; wide: Float64Array }
    bytes.fill(0)
    expect(found.blob.toString()).toBe('abc')
    expect(found.wide[0]).toBe(1)
  })

  it('what was encoded stays as it is when more is encoded', () => {
    const first = codec.encode({ a: 'first' })
    for (let i = 0; i < 1_000; i++) codec.encode({ a: `later ${i}` })
    expect(codec.decode(first)).toEqual({ a: 'first' })
  })
})

describe('what cannot come back the same is refused, naming the place', () => {
  class Unknown {}
  const cycle: { self?: unknown } = {}
  cycle.self = { list: [cycle] }

  it.each([
    [{ a: [new Unknown()] }, /Unknown at \$\.a\[0\].*Register Unknown/],
    [() => 1, /function at \$/],
    [{ s: Symbol('x') }, /symbol at \$\.s/],
    [cycle, /refers to itself at \$\.self\.list\[0\]/],
    [Promise.resolve(), /Promise at \$/],
    [new WeakMap(), /WeakMap at \$/],
    [new Map([['k', new Unknown()]]), /get\("k"\)/],
    [new (class extends Map {})(), /at \$/],
  ])('%#', (value, message) => {
    expect(() => codec.encode(value)).toThrow(ValueError)
    expect(() => codec.encode(value)).toThrow(message)
  })

  it('a class that was registered by the writer only is refused by the reader', () => {
    expect(() => msgpackCodec().decode(codec.encode(new Money(1n)))).toThrow(/not registered/)
  })

  it('two types of one name or class are refused', () => {
    expect(() => msgpackCodec([money, money])).toThrow(InvalidOptionError)
  })
})

const rows = Array.from({ length: 30 }, (_, i) => ({
  id: `user-${i}`,
  name: 'Gr\u00fcn \u6f22',
  tags: ['a', 'b'],
}))

describe('the form of what is written', () => {
  const formOf = (value: unknown): string => {
    const first = codec.encode(value)[0] as number
    if (first === 0xc1) return 'tagged'
    return first === 0x7b || first === 0x5b || first === 0x22 ? 'json' : 'msgpack'
  }

  it.each([
    ['many names and short texts', rows, 'json'],
    ['long texts beyond Latin-1', ['\u6f22'.repeat(2_000)], 'json'],
    ['few of them', rows.slice(0, 1), 'msgpack'],
    ['long texts', { title: 'a', body: 'x'.repeat(100_000) }, 'msgpack'],
    ['numbers', Array.from({ length: 1_000 }, (_, i) => i / 7), 'msgpack'],
    ['a number that JSON has not', [...rows, Number.NaN], 'msgpack'],
    ['a name that JSON calls', [...rows, { toJSON: 1 }], 'msgpack'],
    ['a date', [...rows, new Date(0)], 'tagged'],
    ['a name that means something to objects', [...rows, { constructor: 1 }], 'tagged'],
  ])('%s: %#', (_, value, form) => {
    expect(formOf(value)).toBe(form)
    expect(roundTrip(value)).toStrictEqual(value)
  })

  it('is not JSON where somebody gave arrays or objects a toJSON', () => {
    for (const { prototype } of [Array, Object]) {
      Object.defineProperty(prototype, 'toJSON', { value: () => 1, configurable: true })
      try {
        expect(roundTrip(rows)).toStrictEqual(rows)
      } finally {
        Reflect.deleteProperty(prototype, 'toJSON')
      }
    }
  })

  it('is not JSON where a Proxy answers with a toJSON that it does not show', () => {
    const shown: Record<string, unknown> = { id: 'shown' }
    const answering = new Proxy(shown, {
      get: (target, name: string) => (name === 'toJSON' ? () => 1 : target[name]),
    })
    expect(formOf([...rows, answering])).toBe('msgpack')
    expect(roundTrip([...rows, answering])).toStrictEqual([...rows, { id: 'shown' }])
  })

  it('entries of before are read: whole numbers, plain data and tagged trees in MessagePack', () => {
    const read = (hex: string): unknown => codec.decode(Buffer.from(hex, 'hex'))
    expect([read('7b'), read('5b'), read('22')]).toEqual([123, 91, 34])
    expect(read('82a16101a1629201c0')).toEqual({ a: 1, b: [1, null] })
    expect(read('c1920200')).toEqual(new Date(0))
  })

  it('frozen, all that is plain is frozen, and nothing else differs', () => {
    const values = [rows, { a: [{}, []], b: null }, { when: new Date(0), list: [{}] }, 'text', 1]
    for (const value of values) {
      const found = codec.decodeFrozen?.(codec.encode(value))
      expect(found).toStrictEqual(value)
      expect(thawedIn(found)).toBeUndefined()
    }
  })
})

/** A plain object or array that is not frozen. */
function thawedIn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return undefined
  if (!Object.isFrozen(value)) return value
  return Object.values(value).find((part) => thawedIn(part) !== undefined)
}

describe('hostile bytes', () => {
  const refused = (bytes: Uint8Array): void => {
    expect(() => codec.decode(bytes)).toThrow()
    expect(() => codec.decodeFrozen?.(bytes)).toThrow()
  }

  it.each([
    ['nothing', []],
    ['an array that promises four thousand million items', [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ['a map that does', [0xdf, 0xff, 0xff, 0xff, 0xff]],
    ['a text that does', [0xdb, 0xff, 0xff, 0xff, 0xff, 0x61]],
    ['a binary that does', [0xc6, 0xff, 0xff, 0xff, 0xff]],
    ['an extension', [0xd4, 0x01, 0x01]],
    ['an error that names a constructor', [0xc7, 0x03, 0x65, 0x91, 0xa1, 0x61]],
    ['a record definition', [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01]],
    ['a value and more', [0x01, 0x02]],
    ['an unknown tag', [0xc1, 0x91, 0x7f]],
    ['a tree that is no tree', [0xc1, 0x91, 0xa1, 0x61]],
    ['a binary class that is none', [0xc1, 0x93, 0x08, 0x7f, 0xc4, 0x00]],
  ])('%s', (_, bytes) => refused(Uint8Array.from(bytes)))

  it('nested a hundred thousand deep', () => {
    refused(Buffer.alloc(100_000, 0x91))
    refused(Buffer.concat([Buffer.from([0xc1]), Buffer.alloc(100_000, 0x91)]))
    refused(Buffer.from('['.repeat(100_000) + ']'.repeat(100_000)))
    refused(Buffer.from(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`))
  })

  it('JSON text that is none', () => {
    for (const text of ['{"a":1', '[1,]', '{}{}', '[1] 2', '"a', '{a:1}', '[\u0000]']) {
      refused(Buffer.from(text))
    }
    refused(Buffer.concat([Buffer.from('{"a":1}'), Buffer.from([0])]))
    refused(Buffer.concat([Buffer.from('["'), Buffer.from([0xc3, 0x28]), Buffer.from('"]')]))
    refused(Buffer.concat([Buffer.from(`["${'x'.repeat(2_000)}`), Buffer.from([0xff, 0x22, 0x5d])]))
  })

  it('JSON cut off anywhere', () => {
    const bytes = codec.encode(rows)
    for (let length = 0; length < bytes.length; length++) {
      // A single byte is a whole number.
      if (length !== 1) refused(bytes.subarray(0, length))
    }
  })

  it('cut off anywhere', () => {
    const bytes = codec.encode({ a: [1, 'text', { b: new Map([[1, 2]]) }], c: 1.5 })
    for (let length = 0; length < bytes.length; length++) refused(bytes.subarray(0, length))
  })

  it('with a __proto__ key reach no prototype', () => {
    const bytes = new Packr({ useRecords: false }).pack(
      new Map([['__proto__', { polluted: true }]]),
    )
    try {
      codec.decode(bytes)
    } catch {
      // Refusing is as good as ignoring.
    }
    for (const decode of [codec.decode, codec.decodeFrozen]) {
      const found = decode?.(Buffer.from('{"__proto__":{"polluted":true}}')) as object
      expect(Object.getPrototypeOf(found)).toBe(Object.prototype)
      expect((found as { polluted?: boolean }).polluted).toBeUndefined()
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})
