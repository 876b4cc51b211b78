/**
 * Any supported value as plain data: every array begins with a tag that says what it stands for.
 *
 * An array `[x]` becomes `[0, x]`, a Date `[2, ms]`, a Map `[4, key, value, …]`, and so on. As *every* array is tagged, no
 * data can be mistaken for a tag. Objects stay objects, unless their keys would not survive.
 */

import { classNameOf, InvalidOptionError, ValueError, type ValueType } from '@larder/core'

/** What the first item of an array stands for. On the wire: never renumber. */
const TAG = {
  array: 0,
  undefined: 1,
  date: 2,
  bigint: 3,
  map: 4,
  set: 5,
  /** A string with lone surrogates, as UTF-16 bytes. */
  rawString: 6,
  negativeZero: 7,
  /** Bytes with the index of their class in `VIEWS`. */
  view: 8,
  error: 9,
  regexp: 10,
  /** An object whose keys would not survive as map keys: names and values in turn. */
  object: 11,
  /** A registered class: its name and its encoded data. */
  type: 12,
  url: 13,
} as const

/** Binary classes by index. On the wire: append only. */
const VIEWS = [
  Buffer,
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
  ArrayBuffer,
] as const

/** Classes an error comes back as; any other keeps its name on a plain Error. Never looked up by name elsewhere. */
const ERRORS: ReadonlyMap<string, ErrorConstructor> = new Map(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((each) => [
    each.name,
    each,
  ]),
)

const MAX_DEPTH = 1_000

export interface TaggedTree {
  /** @throws ValueError naming the path of what cannot come back the same. */
  tag(value: unknown): unknown
  /** Undoes `tag`; throws on anything `tag` does not produce. */
  untag(tree: unknown): unknown
}

export function createTaggedTree(types: readonly ValueType[]): TaggedTree {
  const byName = new Map<string, ValueType>()
  const byClass = new Map<unknown, ValueType>()
  for (const type of types) {
    if (byName.has(type.name) || byClass.has(type.class)) {
      throw new InvalidOptionError({
        option: 'types',
        expected: 'value types with distinct names and classes',
        received: type.name,
      })
    }
    byName.set(type.name, type)
    byClass.set(type.class, type)
  }
  return {
    tag: (value) => new Tagger(byClass).tag(value, '$'),
    untag: (tree) => untag(tree, byName, 0),
  }
}

class Tagger {
  readonly #types: ReadonlyMap<unknown, ValueType>
  readonly #above: object[] = []

  constructor(types: ReadonlyMap<unknown, ValueType>) {
    this.#types = types
  }

  tag(value: unknown, path: string): unknown {
    switch (typeof value) {
      case 'string':
        return value.isWellFormed() ? value : [TAG.rawString, Buffer.from(value, 'utf16le')]
      case 'number':
        return Object.is(value, -0) ? [TAG.negativeZero] : value
      case 'boolean':
        return value
      case 'undefined':
        return [TAG.undefined]
      case 'bigint':
        return [TAG.bigint, value.toString(16)]
      case 'object':
        return value === null ? null : this.#tagObject(value, path)
      default:
        throw new ValueError(`A ${typeof value} at ${path} cannot be cached.`, path)
    }
  }

  #tagObject(value: object, path: string): unknown {
    if (this.#above.includes(value))
      throw new ValueError(`The value refers to itself at ${path}.`, path)
    if (this.#above.length >= MAX_DEPTH)
      throw new ValueError(`The value is nested too deeply at ${path}.`, path)
    this.#above.push(value)
    const tagged = this.#tagContents(value, path)
    this.#above.pop()
    return tagged
  }

  #tagContents(value: object, path: string): unknown {
    const type = this.#types.get(value.constructor)
    if (type !== undefined) {
      return [TAG.type, type.name, this.tag(type.encode(value), `${path}<${type.name}>`)]
    }
    // By exact class: an instance of a subclass would come back as one of the base class.
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Array.prototype && Array.isArray(value)) {
      return [TAG.array, ...Array.from(value, (item, i) => this.tag(item, `${path}[${i}]`))]
    }
    if (prototype === Object.prototype || prototype === null) return this.#tagPlain(value, path)
    if (prototype === Map.prototype && value instanceof Map) {
      const items = Array.from(value, ([key, item]) => [
        this.tag(key, `${path}.key`),
        this.tag(item, `${path}.get(${describeKey(key)})`),
      ])
      return [TAG.map, ...items.flat()]
    }
    if (prototype === Set.prototype && value instanceof Set) {
      return [TAG.set, ...Array.from(value, (item) => this.tag(item, `${path}.member`))]
    }
    return this.#tagLeaf(value, prototype, path)
  }

  #tagLeaf(value: object, prototype: unknown, path: string): unknown {
    if (prototype === Date.prototype) return [TAG.date, (value as Date).getTime()]
    if (prototype === RegExp.prototype) {
      const { source, flags } = value as RegExp
      return [TAG.regexp, source, flags]
    }
    if (value instanceof URL) return [TAG.url, value.href]
    if (value instanceof Error) return this.#tagError(value, path)
    // A shared Buffer pool must not be kept or sent whole: only the view's own bytes.
    const index = VIEWS.findIndex((View) => prototype === View.prototype)
    if (index >= 0) return [TAG.view, index, bytesOf(value as ArrayBuffer | ArrayBufferView)]
    const name = classNameOf(value)
    throw new ValueError(
      `An instance of ${name} at ${path} cannot be cached: it would come back as something else. Register ${name} as a value type, or return plain data.`,
      path,
    )
  }

  #tagPlain(value: object, path: string): unknown {
    const names = Object.keys(value)
    const read = (name: string): unknown =>
      this.tag((value as Record<string, unknown>)[name], `${path}.${name}`)
    const isSafe = names.every((name) => name !== '__proto__' && name.isWellFormed())
    if (isSafe) return Object.fromEntries(names.map((name) => [name, read(name)]))
    return [TAG.object, ...names.flatMap((name) => [this.tag(name, path), read(name)])]
  }

  /** Name, message, own code and cause; no stack, which tells about the machine that made it. */
  #tagError(error: Error, path: string): unknown {
    const { code } = error as { code?: unknown }
    const hasCode = typeof code === 'string' || typeof code === 'number'
    const cause = error.cause instanceof Error ? this.tag(error.cause, `${path}.cause`) : null
    return [TAG.error, error.name, error.message, hasCode ? code : null, cause]
  }
}

function describeKey(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key.slice(0, 20)) : typeof key
}

function bytesOf(value: ArrayBuffer | ArrayBufferView): Buffer {
  return ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(value)
}

type ByName = ReadonlyMap<string, ValueType>

function untag(tree: unknown, types: ByName, depth: number): unknown {
  if (typeof tree !== 'object' || tree === null) return tree
  if (depth > MAX_DEPTH) throw new Error('The tree is nested too deeply')
  const inner = (item: unknown): unknown => untag(item, types, depth + 1)
  if (!Array.isArray(tree)) {
    return Object.fromEntries(Object.entries(tree).map(([name, item]) => [name, inner(item)]))
  }
  const [tag, ...items] = tree as unknown[]
  switch (tag) {
    case TAG.array:
      return items.map(inner)
    case TAG.undefined:
      return undefined
    case TAG.negativeZero:
      return -0
    case TAG.map:
      return new Map(pairs(items.map(inner)))
    case TAG.set:
      return new Set(items.map(inner))
    case TAG.object:
      return objectOf(pairs(items.map(inner)))
    case TAG.type:
      return typed(types, items[0], inner(items[1]))
    case TAG.error:
      return errorOf(items, inner)
    default:
      return leaf(tag, items)
  }
}

function leaf(tag: unknown, [first, second]: readonly unknown[]): unknown {
  switch (tag) {
    case TAG.date:
      return new Date(number(first))
    case TAG.bigint:
      return text(first).startsWith('-')
        ? -BigInt(`0x${text(first).slice(1)}`)
        : BigInt(`0x${text(first)}`)
    case TAG.rawString:
      return bytes(first).toString('utf16le')
    case TAG.regexp:
      return new RegExp(text(first), text(second))
    case TAG.url:
      return new URL(text(first))
    case TAG.view:
      return viewOf(number(first), bytes(second))
    default:
      throw new Error('The tree has an unknown tag')
  }
}

function viewOf(index: number, source: Buffer): unknown {
  const View = VIEWS[index]
  if (View === undefined) throw new Error('The tree has an unknown binary class')
  // A copy of its own: aligned for wide elements, and not a view into a socket's buffer.
  const buffer = new ArrayBuffer(source.length)
  Buffer.from(buffer).set(source)
  if (View === ArrayBuffer) return buffer
  if (View === Buffer) return Buffer.from(buffer)
  return new (View as Uint8ArrayConstructor)(buffer)
}

function errorOf(items: readonly unknown[], inner: (item: unknown) => unknown): Error {
  const [name, message, code, cause] = items
  const ErrorClass = ERRORS.get(text(name)) ?? Error
  const error = new ErrorClass(text(message), cause === null ? undefined : { cause: inner(cause) })
  Object.defineProperty(error, 'name', { value: text(name), configurable: true, writable: true })
  if (typeof code === 'string' || typeof code === 'number') Object.assign(error, { code })
  return error
}

function typed(types: ByName, name: unknown, data: unknown): unknown {
  const type = types.get(text(name))
  if (type === undefined) throw new Error('The tree holds a class that is not registered here')
  return type.decode(data)
}

function pairs(items: readonly unknown[]): [unknown, unknown][] {
  if (items.length % 2 !== 0) throw new Error('The tree has a name without a value')
  return Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i], items[2 * i + 1]])
}

/** Defines properties rather than assigning them: `__proto__` becomes an own property and nothing else. */
function objectOf(entries: readonly [unknown, unknown][]): object {
  const object = {}
  for (const [name, value] of entries) {
    Object.defineProperty(object, text(name), {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return object
}

function text(item: unknown): string {
  if (typeof item === 'string') return item
  throw new Error('The tree has something other than a text where one belongs')
}

function number(item: unknown): number {
  if (typeof item === 'number') return item
  throw new Error('The tree has something other than a number where one belongs')
}

function bytes(item: unknown): Buffer {
  if (Buffer.isBuffer(item)) return item
  if (item instanceof Uint8Array) return Buffer.from(item.buffer, item.byteOffset, item.byteLength)
  throw new Error('The tree has something other than bytes where they belong')
}
