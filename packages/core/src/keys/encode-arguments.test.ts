import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { KeyError } from '../errors/key-error.ts'
import { encodeArguments } from './encode-arguments.ts'

class Money {
  readonly amount: number
  constructor(amount: number) {
    this.amount = amount
  }
  toCacheKey(): string {
    return String(this.amount)
  }
}

class Weight extends Money {}

class Tagged extends Map<string, number> {
  toCacheKey(): string {
    return 'same'
  }
}

const bytes = [1, 2, 3, 4, 5, 6, 7, 8]
const { buffer } = Uint8Array.from(bytes)

/** Argument lists that look alike to a careless encoding; no two of them may share a key. */
// biome-ignore format: a table
const DIFFERENT: readonly (readonly unknown[])[] = [
  [], [undefined], [null], [undefined, undefined], [[]], [[undefined]], [[[]]], [{}],
  [0], ['0'], ["'0"], [0n], ['0n'], [false], ['false'], ['F'], [''], [' '], ["'"], ["''"],
  [1], ['1'], ["'1"], [1n], ['1n'], [true], ['true'], ['T'], [[1]], [['1']], [[1n]], [1.5], ['1.5'],
  [-1], ['-1'], [1e21], ['1e21'], ['1e+21'], [10n ** 21n], [Number.MAX_SAFE_INTEGER], [2 ** 53],
  [Number.NaN], ['NaN'], [Infinity], ['Infinity'], [-Infinity], ['-Infinity'], [0.1 + 0.2], [0.3],
  ['null'], ['undefined'], ['L'], ['U'], ["'L"], ['[]'], ['{}'], ['[object Object]'],
  ['a:b', 'c'], ['a', 'b:c'], ['a:b:c'], ['a', 'b', 'c'], [['a', 'b', 'c']], [['a', 'b'], 'c'], ['a', ['b', 'c']],
  ['a,b'], ['a', 'b'], ['a\\,b'], ['a\\', 'b'], ['a\\\\', 'b'], ["a,'b"], ["a','b"], ['a', "'b"], ['a,', 'b'],
  [1, 'a', 'b'], [1, "a,'b"], [1, 'a\\', 'b'], [1, "a\\,'b"], [['a', 'b'], 1], [["a,'b"], 1], [["a,],['b"], 1],
  [{ a: 'b,', c: 'd' }], [{ a: "b,'c,'d" }], [{ "a,'b,'c": 'd' }], [new Set(["a,'b"])], [new Set(['a', 'b'])],
  ['a', ',b'], ['a', '', 'b'], ['', 'a', 'b'], ['a', 'b', ''], ['(a'], ["('a,"], ["'a"], ['a'], ['A'],
  ['á'], ['a\u0301'], ['a', undefined], ['a', null], [undefined, 'a'], [null, 'a'],
  [{ a: 1 }], [{ a: '1' }], [{ a: 1, b: 2 }], [{ a: { b: 2 } }], [{ a: undefined }], [{ a: null }], ['{a:1}'],
  [{ 'a,1': 2 }], [{ a: 1, ',2': 3 }], [{ '': 1 }], [{ ' ': 1 }], [{ '{': 1 }], [{ a: 1 }, {}], [{}, { a: 1 }],
  [{ a: [1] }], [{ 0: 'a' }], [['a']], [{ length: 1, 0: 'a' }], [{ "'a": 1 }], [JSON.parse('{"__proto__":{"a":1}}')],
  [[1, 2]], [[2, 1]], [[[1], 2]], [[1, [2]]], [[1], [2]], [1, 2], [[1, undefined]], [[1, null]], [['1,2']],
  [new Date(0)], [new Date(1)], [new Date(Number.NaN)], ['D0'], [new Date(0).toISOString()],
  [new Map()], [new Set()], [new Map([[1, 2]])], [new Map([['1', 2]])], [new Map([[2, 1]])], [new Set([1, 2])],
  [new Set([1])], [new Set(['1'])], [new Set([[1]])], [new Set([[1], [1]])], [new Map([[[1], 1], [[1], 1]])],
  [new Map([['a', undefined]])], [new Map([['a', 1], ['b', 2]])], [new Set([undefined])], [new Set([null])],
  [new Map([[{ a: 1 }, 1]])], [new Map([[1, { a: 1 }]])], [new Set(['a,', 'b'])], [new Set(['a', ',b'])],
  [Buffer.from(bytes)], [Uint8Array.from(bytes)], [Int8Array.from(bytes)], [Uint8ClampedArray.from(bytes)], [bytes],
  [buffer], [new DataView(buffer)], [new DataView(buffer, 1)], [new Uint8Array(buffer, 1)], [new Uint16Array(buffer)],
  [new BigInt64Array(buffer)], [new BigUint64Array(buffer)], [new Float64Array(buffer)], [new Uint8Array()],
  [new ArrayBuffer()], [Buffer.alloc(0)], [Buffer.from('AQID', 'base64')], ['AQIDBAUGBwg'], [Buffer.from('a'), 1],
  [new Money(1)], [new Money(2)], [new Weight(1)], ['Money(1)'], [{ amount: 1 }], [new Tagged()], ['1', new Money(1)],
  ['\ud83d'], ['\ud83e'], ['\udc00'], ['\ud83d\ud83d'], ['\ud83d\udc00'], ['\udc00\ud83d'], ['\ufffd'], ['\\ud83d'],
  ['\ud83d', 1], ['\ud83e', 1], ['\udc00', 1], ['\ufffd', 1], ['\\ud83d', 1], ['ud83d', 1], ['😀', 1], ['😀\ud83d', 1],
  ['a\u0000'], ['a'.repeat(300)], [`${'a'.repeat(299)}b`], ['a'.repeat(300), 1], ['a'.repeat(301)], [['a'.repeat(300)]],
]

describe('the default key', () => {
  it('differs for every two argument lists that differ', () => {
    const seen = new Map<string, number>()
    for (const [i, args] of DIFFERENT.entries()) {
      const key = encodeArguments(args)
      expect(seen.get(key), `lists ${seen.get(key)} and ${i} share ${key}`).toBeUndefined()
      seen.set(key, i)
    }
    expect(seen.size).toBe(DIFFERENT.length)
  })

  it('differs still once it is UTF-8', () => {
    const utf8 = DIFFERENT.map((args) => Buffer.from(encodeArguments(args)).toString('hex'))
    expect(new Set(utf8).size).toBe(DIFFERENT.length)
  })

  it('is short for any arguments', () => {
    expect(Math.max(...DIFFERENT.map((args) => encodeArguments(args).length))).toBeLessThanOrEqual(
      200,
    )
  })

  it('is readable for usual arguments', () => {
    expect(encodeArguments(['42'])).toBe("'42")
    expect(encodeArguments([42])).toBe('(42,')
    expect(encodeArguments(['de', { page: 2 }])).toBe("('de,{'page,2,},")
  })

  it('never changes from one call to the next', () => {
    for (const args of DIFFERENT) expect(encodeArguments(args)).toBe(encodeArguments(args))
  })

  it('cannot be made to equal the short form of a longer one', () => {
    const short = encodeArguments(['x'.repeat(1_000)])
    expect(short.startsWith("'")).toBe(true)
    expect(encodeArguments([short.slice(1)])).not.toBe(short)
  })
})

describe('the same key', () => {
  const foreign = (code: string): unknown => runInNewContext(code)

  // biome-ignore format: a table
  it.each<[string, readonly unknown[], readonly unknown[]]>([
    ['0 and -0', [0], [-0]],
    ['0 and -0 within', [[0]], [[-0]]],
    ['NaN and NaN', [Number.NaN], [Number('x')]],
    ['properties in any order', [{ a: 1, b: { c: 2, d: 3 } }], [{ b: { d: 3, c: 2 }, a: 1 }]],
    ['integer-like properties in any order', [{ 10: 1, 9: 2, a: 3 }], [{ a: 3, 9: 2, 10: 1 }]],
    ['an object with and without a prototype', [{ a: 1 }], [Object.assign(Object.create(null), { a: 1 })]],
    ['a hole and undefined', [new Array(2)], [[undefined, undefined]]],
    ['Map entries in any order', [new Map([['a', 1], ['b', 2]])], [new Map([['b', 2], ['a', 1]])]],
    ['Set members in any order', [new Set([{ a: 1 }, 'b'])], [new Set(['b', { a: 1 }])]],
    ['equal dates', [new Date(5)], [new Date(5)]],
    ['equal buffers', [Buffer.from('abc')], [Buffer.concat([Buffer.from('a'), Buffer.from('bc')])]],
    ['a view and its copy', [new Uint8Array(buffer, 2, 2)], [Uint8Array.of(3, 4)]],
    ['equal instances', [new Money(5)], [new Money(5)]],
    ['a plain object of another realm', [{ a: [1] }], [foreign('({ a: [1] })')]],
    ['a Map of another realm', [new Map([[1, new Date(2)]])], [foreign('new Map([[1, new Date(2)]])')]],
    ['bytes of another realm', [Uint8Array.of(1)], [foreign('Uint8Array.of(1)')]],
  ])('is made of %s', (_what, left, right) => {
    expect(encodeArguments(left)).toBe(encodeArguments(right))
  })

  it('is made of one object used twice and of two equal ones', () => {
    const shared = { a: 1 }
    expect(encodeArguments([[shared, shared], shared])).toBe(
      encodeArguments([[{ a: 1 }, { a: 1 }], { a: 1 }]),
    )
  })
})

describe('an argument that cannot be in a key', () => {
  const cycle: Record<string, unknown> = { a: {} }
  ;(cycle['a'] as Record<string, unknown>)['back'] = cycle
  const list: unknown[] = [1]
  list.push(list)
  class Plain {
    readonly id = 7
  }
  class Names extends Array<string> {}
  class Bytes extends Uint8Array {}
  class Bad {
    toCacheKey(): number {
      return 7
    }
  }

  it.each<[string, readonly unknown[], string]>([
    ['function', [() => 1], 'Argument 0 is a function'],
    [
      'function within',
      ['a', { filter: { by: [() => 1] } }],
      'Argument 1, at .filter.by[0], is a function',
    ],
    ['symbol', [1, Symbol('x')], 'Argument 1 is a symbol'],
    ['promise', [Promise.resolve(1)], 'Argument 0 is a promise (is an await missing?)'],
    [
      'instance',
      [{ owner: new Plain() }],
      'Argument 0, at .owner, is an instance of Plain, which has no toCacheKey()',
    ],
    ['instance without a class name', [new (class {})()], 'is an instance of anonymous'],
    ['derived array', [Names.of('a')], 'is an instance of Names'],
    ['derived bytes', [Bytes.of(1)], 'is an instance of Bytes'],
    ['derived Map', [new (class Bag extends Map {})()], 'is an instance of Bag'],
    ['derived Date', [new (class Day extends Date {})()], 'is an instance of Day'],
    ['boxed primitive', [Object('a')], 'is an instance of String'],
    ['WeakMap', [new WeakMap()], 'is an instance of WeakMap'],
    ['RegExp', [/a/], 'is an instance of RegExp'],
    ['Error', [new Error('no')], 'is an instance of Error'],
    ['generator', [(function* () {})()], 'Argument 0 is an instance of'],
    ['inherited properties', [Object.create({ a: 1 })], 'is an instance of Object'],
    [
      'bare inherited properties',
      [Object.create(Object.assign(Object.create(null), { a: 1 }))],
      'is an instance of anonymous',
    ],
    [
      'symbol property',
      [{ a: { [Symbol('s')]: 1 } }],
      'Argument 0, at .a, is an object with symbol properties',
    ],
    ['bad toCacheKey', [new Bad()], 'is an instance of Bad, whose toCacheKey() returned no string'],
    ['cycle', ['a', cycle], 'Argument 1, at .a.back, is a reference back to what contains it'],
    ['cycle of arrays', [list], 'Argument 0, at [1], is a reference back'],
    ['Map key', [new Map([[() => 1, 1]])], 'Argument 0, at .keys[0], is a function'],
    ['Set member', [new Set([1, () => 1])], 'Argument 0, at .members[1], is a function'],
    ['odd name', [{ 'a b': () => 1 }], 'Argument 0, at ["a b"], is a function'],
    ['SharedArrayBuffer', [new SharedArrayBuffer(1)], 'is an instance of SharedArrayBuffer'],
  ])('%s: is refused by position, path and kind', (_what, args, message) => {
    expect(() => encodeArguments(args)).toThrow(KeyError)
    expect(() => encodeArguments(args)).toThrow(message)
  })

  it('may be nested 64 levels deep and no deeper, however deep it is', () => {
    const nested = (levels: number): unknown => {
      let value: unknown = 1
      for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value }
      return value
    }
    expect(encodeArguments([nested(64)])).toMatch(/#.{43}$/)
    expect(() => encodeArguments([nested(65)])).toThrow('is nested deeper than 64 levels')
    expect(() => encodeArguments([nested(100_000)])).toThrow(KeyError)
  })

  it('is described without its values', () => {
    const secret = { card: '4111111111111111', pay: () => 1 }
    expect(() => encodeArguments([secret])).toThrow(
      'Argument 0, at .pay, is a function, so it cannot be part of a default key. Give the decorator a key function.',
    )
  })

  it('throws what its toCacheKey throws', () => {
    const failure = new RangeError('mine')
    class Moody {
      toCacheKey(): string {
        throw failure
      }
    }
    expect(() => encodeArguments([new Moody()])).toThrow(failure)
  })
})
