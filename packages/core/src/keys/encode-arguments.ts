/**
 * The default key: a canonical, collision-free text of a call's arguments.
 *
 * Every kind of value has its own first character, strings are escaped, and containers are closed, so the text can be
 * read back in exactly one way; that is what makes two different argument lists never share a key. Object keys, Map keys
 * and Set members are sorted by their text, so that insertion order does not matter.
 *
 * `-0` is `0` (as in Map keys); a property that is `undefined` counts as absent (as in JSON); a hole in an array is
 * `undefined`.
 */

import { KeyError } from '../errors/key-error.ts'
import { classNameOf } from '../errors/option-error.ts'
import { shortenKey } from './key-digest.ts'

/** What a class may offer to take part in default keys. */
export interface CacheKeyed {
  toCacheKey(): string
}

const MAX_DEPTH = 64
const MAX_LENGTH = 200
/** Characters that would end or nest something, the escape itself, and everything that could be a lone surrogate. */
const NEEDS_ESCAPE = /[\\,[\]{}()\ud800-\udfff]/
const ESCAPED = /[\\,[\]{}()]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/**
 * Returns the key text of an argument list. Long ones are shortened by a digest.
 *
 * @throws KeyError naming the argument and path for functions, symbols, cycles, promises and class instances without
 *   `toCacheKey`.
 */
export function encodeArguments(args: readonly unknown[]): string {
  const [only] = args
  // The most common call by far, on the local-hit path: one short plain string.
  if (args.length === 1 && typeof only === 'string' && only.length < MAX_LENGTH && !NEEDS_ESCAPE.test(only)) {
    return `'${only}`
  }
  // One leading character a list, so that `()` has a key too and `(undefined)` another one.
  let text = '('
  for (let i = 0; i < args.length; i++) {
    text += `${encodeValue(args[i], { argument: i, path: '', above: [] })},`
  }
  return text.length <= MAX_LENGTH ? text : shortenKey(text)
}

interface Place {
  readonly argument: number
  readonly path: string
  readonly above: readonly object[]
}

function encodeValue(value: unknown, place: Place): string {
  switch (typeof value) {
    case 'string':
      return `'${NEEDS_ESCAPE.test(value) ? value.replace(ESCAPED, escapeChar) : value}`
    case 'number':
      return Object.is(value, -0) ? '0' : String(value)
    case 'bigint':
      return `${value}n`
    case 'boolean':
      return value ? 'T' : 'F'
    case 'undefined':
      return 'U'
    case 'object':
      return value === null ? 'L' : encodeObject(value, place)
    default:
      throw refuse(place, `a ${typeof value}`)
  }
}

function escapeChar(char: string): string {
  return char.length === 1 && char >= '\ud800' ? `\\u${char.charCodeAt(0).toString(16)}` : `\\${char}`
}

function encodeObject(value: object, place: Place): string {
  if (place.above.includes(value)) throw refuse(place, 'a cycle')
  if (place.above.length >= MAX_DEPTH) throw refuse(place, `nested deeper than ${MAX_DEPTH} levels`)
  const within = (path: string): Place => ({
    argument: place.argument,
    path: place.path + path,
    above: [...place.above, value],
  })
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item, i) => `${encodeValue(item, within(`[${i}]`))},`).join('')}]`
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return encodePlain(value, within)
  if (value instanceof Date) return `D${value.getTime()}`
  if (value instanceof Map) {
    const items = Array.from(value, ([key, item]) => {
      return `${encodeValue(key, within('.key'))},${encodeValue(item, within('.value'))},`
    })
    return `M{${items.sort().join('')}}`
  }
  if (value instanceof Set) {
    const items = Array.from(value, (item) => `${encodeValue(item, within('.member'))},`)
    return `S{${items.sort().join('')}}`
  }
  return encodeSpecial(value, place)
}

function encodePlain(value: object, within: (path: string) => Place): string {
  const items: string[] = []
  for (const name of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[name]
    if (item === undefined) continue
    items.push(`${encodeValue(name, within(''))},${encodeValue(item, within(`.${name}`))},`)
  }
  return `{${items.sort().join('')}}`
}

function encodeSpecial(value: object, place: Place): string {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    const bytes = ArrayBuffer.isView(value)
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      : Buffer.from(value)
    return `B${classNameOf(value)}(${bytes.toString('base64url')})`
  }
  const { toCacheKey } = value as Partial<CacheKeyed>
  if (typeof toCacheKey === 'function') {
    const own: unknown = toCacheKey.call(value)
    if (typeof own !== 'string') throw refuse(place, `an instance of ${classNameOf(value)} whose toCacheKey() returned no string`)
    return `C${encodeValue(classNameOf(value), place)}(${encodeValue(own, place)})`
  }
  throw refuse(place, `an instance of ${classNameOf(value)} without toCacheKey()`)
}

function refuse(place: Place, what: string): KeyError {
  const where = place.path === '' ? '' : ` at ${place.path}`
  return new KeyError(
    `Argument ${place.argument}${where} is ${what}, so it cannot be part of a default key. Give the decorator a key function.`,
  )
}
