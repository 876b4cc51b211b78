/**
 * The default key: a canonical, collision-free text of a call's arguments.
 *
 * Every kind of value has its own first character, strings are escaped, every item ends with a comma and every container
 * is closed. So the text can be read back in exactly one way, and two different argument lists never share a key. Object
 * properties, Map entries and Set members are sorted, so that their order does not matter.
 *
 * Treated as equal: `-0` and `0` (as in a Map), a hole and `undefined` in an array, plain objects with and without
 * `Object.prototype`. Treated as different: `f()` and `f(undefined)`, `{}` and `{ a: undefined }` (a spread over defaults
 * distinguishes them), a Buffer and a Uint8Array. Ignored: non-enumerable properties, and named properties of arrays and Maps.
 */

import { types } from 'node:util'
import { KeyError } from '../errors/key-error.ts'
import { classNameOf } from '../errors/option-error.ts'
import { fitKey } from './key-text.ts'

/** A class implements this to take part in default keys. */
export interface CacheKeyed {
  /** Returns a text that distinguishes this instance from other instances of a class of the same name. */
  toCacheKey(): string
}

/** A container on the way to the value being encoded, innermost first; only errors and the cycle check read the outer ones. */
interface Frame {
  readonly value: unknown
  readonly above: Frame | undefined
  readonly depth: number
  readonly kind: 'arguments' | 'items' | 'properties' | 'keys' | 'members'
  /** Which item is being encoded now. */
  step: string | number
}

const MAX_DEPTH = 64
/** Characters that end or nest something, and the escape itself. */
const NEEDS_ESCAPE = /[\\,[\]{}()]/
const ESCAPED = /[\\,[\]{}()]/g

/**
 * Returns the key text of an argument list. Long ones are shortened by a digest.
 *
 * @throws KeyError naming the argument and the path inside it for functions, symbols, cycles, promises, nesting deeper than
 *   64 levels, and instances of classes without `toCacheKey`.
 * @example encodeArguments(['42', { page: 2 }]) // "('42,{'page,2,},"
 */
export function encodeArguments(args: readonly unknown[]): string {
  if (args.length === 1) {
    const only = args[0]
    // By far the most common calls, on the local-hit path. A string with nothing after it needs no escapes.
    if (typeof only === 'string') return fitKey(`'${only}`)
    if (typeof only === 'number') return `(${only},`
  }
  return fitKey(`(${encodeItems(args, undefined, 'arguments')}`)
}

function encodeItems(
  items: readonly unknown[],
  above: Frame | undefined,
  kind: Frame['kind'],
): string {
  const frame = enter(items, above, kind)
  let text = ''
  for (let i = 0; i < items.length; i++) {
    frame.step = i
    text += `${encodeValue(items[i], frame)},`
  }
  return text
}

function encodeValue(value: unknown, frame: Frame): string {
  switch (typeof value) {
    case 'string':
      return `'${NEEDS_ESCAPE.test(value) ? value.replace(ESCAPED, '\\$&') : value}`
    case 'number':
      return String(value)
    case 'bigint':
      return `${value}n`
    case 'boolean':
      return value ? 'T' : 'F'
    case 'undefined':
      return 'U'
    case 'object':
      return value === null ? 'L' : encodeObject(value, frame)
    default:
      throw refusal(frame, `a ${typeof value}`)
  }
}

function encodeObject(value: object, above: Frame): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (isPlainPrototype(prototype)) return `{${encodeProperties(value, above)}}`
  if (isBuiltIn(value, prototype)) return encodeBuiltIn(value, above)
  return encodeInstance(value, above)
}

/** Own or another realm's `Object.prototype` (`vm`, test runners), or none. */
function isPlainPrototype(prototype: unknown): boolean {
  if (prototype === Object.prototype || prototype === null) return true
  return (
    Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
  )
}

type BuiltIn =
  | unknown[]
  | Date
  | Map<unknown, unknown>
  | Set<unknown>
  | ArrayBuffer
  | NodeJS.ArrayBufferView

/** True for a built-in itself, false for an instance of a derived class, which may hold more than its kind shows. */
function isBuiltIn(value: object, prototype: unknown): value is BuiltIn {
  if (Buffer.isBuffer(value)) return true
  const parent: unknown = Object.getPrototypeOf(prototype)
  // Typed arrays have one more prototype in common.
  if (types.isTypedArray(value) && parent !== null)
    return isPlainPrototype(Object.getPrototypeOf(parent))
  const isDirect = isPlainPrototype(parent)
  return (
    isDirect &&
    (Array.isArray(value) ||
      types.isDate(value) ||
      types.isMap(value) ||
      types.isSet(value) ||
      types.isArrayBuffer(value) ||
      types.isDataView(value))
  )
}

function encodeBuiltIn(value: BuiltIn, above: Frame): string {
  if (Array.isArray(value)) return `[${encodeItems(value, above, 'items')}]`
  if (types.isDate(value)) return `D${value.getTime()}`
  if (types.isMap(value)) return `M{${encodeEntries(value, above)}}`
  if (types.isSet(value)) return `S{${encodeMembers(value, above)}}`
  const bytes = ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(value)
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  return `B${Buffer.isBuffer(value) ? 'Buffer' : tag}(${bytes.toString('base64url')})`
}

function encodeProperties(value: object, above: Frame): string {
  const frame = enter(value, above, 'properties')
  let text = ''
  for (const name of Object.keys(value).sort()) {
    frame.step = name
    const item = encodeValue((value as Record<string, unknown>)[name], frame)
    text += `${encodeValue(name, frame)},${item},`
  }
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    if (!Object.prototype.propertyIsEnumerable.call(value, symbol)) continue
    throw refusal(above, 'an object with symbol properties')
  }
  return text
}

function encodeEntries(map: ReadonlyMap<unknown, unknown>, above: Frame): string {
  const frame = enter(map, above, 'keys')
  const items: string[] = []
  for (const [key, item] of map) {
    frame.step = items.length
    items.push(`${encodeValue(key, frame)},${encodeValue(item, frame)},`)
  }
  return items.sort().join('')
}

function encodeMembers(set: ReadonlySet<unknown>, above: Frame): string {
  const frame = enter(set, above, 'members')
  const items: string[] = []
  for (const item of set) {
    frame.step = items.length
    items.push(`${encodeValue(item, frame)},`)
  }
  return items.sort().join('')
}

function encodeInstance(value: object, frame: Frame): string {
  if (types.isPromise(value)) throw refusal(frame, 'a promise (is an await missing?)')
  const { toCacheKey } = value as Partial<CacheKeyed>
  const what = `an instance of ${classNameOf(value)}`
  if (typeof toCacheKey !== 'function') throw refusal(frame, `${what}, which has no toCacheKey()`)
  const own: unknown = toCacheKey.call(value)
  if (typeof own !== 'string')
    throw refusal(frame, `${what}, whose toCacheKey() returned no string`)
  return `C${encodeValue(classNameOf(value), frame)}(${encodeValue(own, frame)})`
}

function enter(value: object, above: Frame | undefined, kind: Frame['kind']): Frame {
  const depth = above === undefined ? 0 : above.depth + 1
  if (above !== undefined && depth > MAX_DEPTH)
    throw refusal(above, `nested deeper than ${MAX_DEPTH} levels`)
  for (let frame = above; frame !== undefined; frame = frame.above) {
    if (frame.value === value && above !== undefined)
      throw refusal(above, 'a reference back to what contains it')
  }
  return { value, above, depth, kind, step: '' }
}

function refusal(frame: Frame, what: string): KeyError {
  let path = ''
  let at: Frame = frame
  for (; at.above !== undefined; at = at.above) path = stepText(at) + path
  const where = path === '' ? '' : `, at ${path},`
  return new KeyError(
    `Argument ${at.step}${where} is ${what}, so it cannot be part of a default key. Give the decorator a key function.`,
  )
}

function stepText({ kind, step }: Frame): string {
  if (kind === 'items') return `[${step}]`
  if (kind === 'properties')
    return /^[\w$]{1,40}$/.test(String(step))
      ? `.${step}`
      : `[${JSON.stringify(String(step).slice(0, 40))}]`
  return `.${kind}[${step}]`
}
