/** Values of every kind, and what becomes of each: it comes back the same from any tier, or it is refused at a place. */

import * as namespace from 'node:path'
import { runInNewContext } from 'node:vm'
import { valueType } from '@larder/core'

export interface ValueCase {
  readonly name: string
  make(): unknown
  /** Where a shared tier refuses it; absent when it comes back the same. */
  readonly refusedAt?: string
  /** In place of deep equality, for what that cannot tell. */
  isSame?(found: unknown): boolean
}

export class Money {
  readonly cents: bigint

  constructor(cents: bigint) {
    this.cents = cents
  }
}

class Pounds extends Money {}

export const money = valueType({
  name: 'money',
  class: Money,
  encode: (value) => value.cents,
  decode: (cents) => new Money(cents as bigint),
})

class Entity {
  id = 1
}

class AppError extends Error {}

class Refusing extends Error {
  override readonly name = 'Refusing'
}

const refuse = (): never => {
  throw new Refusing('no')
}

/** A Proxy whose every trap throws. */
function refusingProxy(target: object): object {
  const traps = [
    'getPrototypeOf',
    'ownKeys',
    'get',
    'getOwnPropertyDescriptor',
    'preventExtensions',
  ]
  return new Proxy(target, Object.fromEntries(traps.map((trap) => [trap, refuse])))
}

function with_<Value extends object>(value: Value, extras: object): Value {
  return Object.assign(value, extras)
}

function holed(): unknown[] {
  const list = [1, 2, 3]
  Reflect.deleteProperty(list, 1)
  return list
}

const rows = (): object[] =>
  Array.from({ length: 40 }, (_, i) => ({ id: `user-${i}`, name: 'Grün 漢', tags: [{}, 'b'] }))

const shared = (): unknown => {
  const part = { deep: [1] }
  return { list: [part, part], again: part }
}

type Row = [string, () => unknown, (string | undefined)?, ValueCase['isSame']?]

const pairs = (): Row[] => [
  ['many rows', () => rows()],
  ['many rows, one with a Date', () => [...rows(), { created: new Date(5) }]],
  ['many rows, one with a function', () => [...rows(), { run: () => 1 }], '$[40].run'],
  ['long texts', () => ['x'.repeat(9_000), '漢'.repeat(9_000)]],
  ['-0', () => -0],
  ['-0 in an object', () => ({ a: -0 })],
  ['NaN', () => [Number.NaN]],
  ['bigint', () => 2n ** 80n],
  ['undefined in a list', () => [undefined, null]],
  ['undefined in an object', () => ({ a: undefined })],
  ['a lone surrogate as a name', () => ({ '\ud800': 1 })],
  ['an own __proto__', () => JSON.parse('{"__proto__": {"a": 1}}') as unknown],
  ['an own constructor', () => ({ constructor: { name: 'x' }, toJSON: 1, __defineGetter__: 2 })],
  ['a null prototype', () => with_(Object.create(null) as object, { a: 1, constructor: 2 })],
  ['a null prototype in a list', () => [with_(Object.create(null) as object, { a: [] })]],
  ['a match', () => 'abc'.match(/b/)],
  ['a match with groups', () => /(?<x>b)/.exec('abc')],
  [
    'a long array with a property',
    () =>
      with_(
        Array.from({ length: 99 }, (_, i) => i),
        { x: 1 },
      ),
  ],
  [
    'an array with __proto__ beside its items',
    () => Object.defineProperty([1], '__proto__', { value: 2, enumerable: true }),
  ],
  ['a hole', () => holed(), '$'],
  ['a hole at the end', () => new Array(40).fill(0, 0, 39), '$'],
  ['a thousand million holes', () => ({ a: new Array(1e9) }), '$.a'],
  ['an array with a symbol', () => with_([1], { [Symbol('s')]: 1 }), '$[Symbol(s)]'],
  ['an array with a hidden property', () => Object.defineProperty([1], 'x', { value: 1 }), '$.x'],
  [
    'a long array with a hidden property',
    () => Object.defineProperty(new Array(99).fill(0), 'x', { value: 1 }),
    '$.x',
  ],
  [
    'a long array with a symbol',
    () => with_(new Array(99).fill(0), { [Symbol('s')]: 1 }),
    '$[Symbol(s)]',
  ],
  ['an array of a subclass', () => new (class Rows extends Array {})(), '$'],
  ['a Date', () => new Date(5)],
  [
    'an invalid Date',
    () => new Date(Number.NaN),
    undefined,
    (found) => Number.isNaN((found as Date).getTime()),
  ],
  ['a Date with a property', () => with_(new Date(5), { x: 1 }), '$.x'],
  ['a Date in name only', () => Object.create(Date.prototype), '$'],
  ['a RegExp that is under way', () => with_(/a/g, { lastIndex: 3 })],
  ['a RegExp with a property', () => ({ r: with_(/a/, { x: 1 }) }), '$.r.x'],
  [
    'a Map',
    () =>
      new Map<unknown, unknown>([
        [{ k: 1 }, new Set([1])],
        ['a', undefined],
      ]),
  ],
  ['a Map with a property', () => with_(new Map(), { x: 1 }), '$.x'],
  ['a Set with a property', () => with_(new Set(), { x: 1 }), '$.x'],
  ['a Map of a subclass', () => new (class Rows extends Map {})(), '$'],
  ['a URL', () => new URL('https://a.example/b?c#d')],
  ['a Buffer of the pool', () => Buffer.from('pooled')],
  ['a large Buffer', () => Buffer.alloc(5_000, 7)],
  ['a view into a larger buffer', () => new Uint8Array(new ArrayBuffer(64), 8, 4)],
  ['a wide view at an offset', () => new Float64Array(new ArrayBuffer(64), 8, 2)],
  [
    'a DataView',
    () => new DataView(new ArrayBuffer(8), 2, 4),
    undefined,
    (found) => found instanceof DataView && found.byteLength === 4,
  ],
  ['an ArrayBuffer', () => new Uint8Array([1, 2]).buffer],
  ['a Buffer with a property', () => with_(Buffer.from('ab'), { x: 1 }), '$.x'],
  ['a large view with a property', () => with_(new Uint8Array(99), { x: 1 }), '$.x'],
  ['a SharedArrayBuffer', () => new SharedArrayBuffer(4), '$'],
  ['a view of shared memory', () => new Uint8Array(new SharedArrayBuffer(4)), '$'],
  ['a view of a subclass', () => new (class Bytes extends Uint8Array {})(2), '$'],
  ['an Error', () => new RangeError('far', { cause: new TypeError('why') })],
  [
    'an Error with properties',
    () => [with_(new Error('e'), { code: 'E1', details: { a: [new Date(1)] } })],
  ],
  ['an Error whose cause is undefined', () => [new Error('e', { cause: undefined })]],
  ['an Error without a message', () => [new TypeError()]],
  ['an Error of a class of its own', () => ({ e: new AppError('x') }), '$.e'],
  ['an Error with a function', () => ({ e: with_(new Error('x'), { f: () => 1 }) }), '$.e.f'],
  ['a boxed number', () => ({ n: Object(1) as unknown }), '$.n'],
  ['a boxed string', () => Object('a') as unknown, '$'],
  ['a symbol', () => ({ s: Symbol('x') }), '$.s'],
  ['a symbol as a key', () => ({ [Symbol('x')]: 1 }), '$[Symbol(x)]'],
  [
    'a getter',
    () => ({
      a: {
        get b() {
          return 1
        },
      },
    }),
    '$.a.b',
  ],
  ['a hidden property', () => Object.defineProperty({ a: 1 }, 'b', { value: 2 }), '$.b'],
  ['a name that is no word', () => ({ 'a b': [() => 1] }), '$["a b"][0]'],
  ['an object on another object', () => Object.create({ a: 1 }), '$'],
  ['one object twice', shared, undefined, (found) => isShared(found)],
  [
    'one object twice, as a key',
    () => {
      const k = {}
      return { k, m: new Map([[k, 1]]) }
    },
    undefined,
    (found) =>
      (found as { m: Map<object, number>; k: object }).m.get((found as { k: object }).k) === 1,
  ],
  [
    'one Date twice',
    () => {
      const d = new Date(3)
      return [d, d]
    },
    undefined,
    (found) => (found as Date[])[0] === (found as Date[])[1],
  ],
  [
    'objects that share a lot',
    () => {
      let at: unknown = 1
      for (let i = 0; i < 60; i++) at = [at, at]
      return at
    },
    undefined,
    (found) => Array.isArray(found) && found[0] === found[1],
  ],
  [
    'a cycle',
    () => {
      const a: { b?: unknown } = {}
      a.b = [a]
      return a
    },
    '$.b[0]',
  ],
  ['a function', () => ({ f: () => 1 }), '$.f'],
  ['a class', () => ({ c: Money }), '$.c'],
  ['a Promise', () => ({ p: Promise.resolve() }), '$.p'],
  ['a WeakMap', () => ({ w: new WeakMap() }), '$.w'],
  ['a stream', () => ({ s: new ReadableStream() }), '$.s'],
  ['a Response', () => ({ r: new Response('x') }), '$.r'],
  ['a Headers', () => [new Headers()], '$[0]'],
  ['a URLSearchParams', () => new URLSearchParams('a=1'), '$'],
  ['a generator', () => ({ g: (function* () {})() }), '$.g'],
  ['a module', () => ({ m: namespace }), '$.m'],
  ['the environment', () => ({ env: process.env }), '$.env'],
  [
    'arguments',
    () =>
      (function () {
        // biome-ignore lint/complexity/noArguments: it is what is wanted here.
        return arguments
      })(),
    '$',
  ],
  ['Math', () => ({ m: Math }), '$.m'],
  ['a Proxy that shows plain data', () => new Proxy({ a: [1] }, {})],
  ['a Proxy that refuses', () => ({ p: refusingProxy({}) }), '$.p'],
  [
    'a revoked Proxy',
    () => {
      const { proxy, revoke } = Proxy.revocable([], {})
      revoke()
      return { p: proxy }
    },
    '$.p',
  ],
  ['a frozen object', () => Object.freeze({ a: Object.freeze([1]) })],
  ['a sealed object', () => Object.seal({ a: { b: 1 } })],
  [
    'an object of another realm',
    () => ({ o: runInNewContext('({ a: [1, { b: 2 }] })') as unknown }),
    undefined,
    (found) => JSON.stringify(found) === '{"o":{"a":[1,{"b":2}]}}',
  ],
  [
    'a Map of another realm',
    () => runInNewContext('new Map([[1, 2]])') as unknown,
    undefined,
    (found) => (found as Map<number, number>).get(1) === 2,
  ],
  ['an instance of a class', () => ({ list: [new Entity()] }), '$.list[0]'],
  ['an instance of a registered class', () => ({ m: new Money(5n) })],
  [
    'a registered class twice',
    () => {
      const m = new Money(5n)
      return [m, m]
    },
    undefined,
    (found) =>
      (found as Money[])[0] === (found as Money[])[1] && (found as Money[])[0]?.cents === 5n,
  ],
  ['a subclass of a registered class', () => ({ m: new Pounds(5n) }), '$.m'],
  ['an anonymous class', () => new (class {})(), '$'],
  ['an error of the application, returned', () => new AppError('no'), '$'],
  ['several errors in one, returned', () => new AggregateError([new Error('a')], 'all'), '$'],
  ['a TypeError, returned', () => new TypeError('no')],
  ['something with toJSON', () => ({ toJSON: () => 'text' }), '$.toJSON'],
]

function isShared(found: unknown): boolean {
  const { list, again } = found as { list: unknown[]; again: unknown }
  return list[0] === list[1] && list[1] === again
}

export const VALUE_CASES: readonly ValueCase[] = pairs().map(([name, make, refusedAt, isSame]) => ({
  name,
  make,
  ...(refusedAt === undefined ? {} : { refusedAt }),
  ...(isSame === undefined ? {} : { isSame }),
}))
