/**
 * What an object is, by its exact class: an instance of a subclass would be restored as an instance of the base class.
 *
 * Builtin classes of every realm count: test runners that use contexts (Jest) mix the objects of two realms.
 */

import { types } from 'node:util'

/** `foreign`: anything that a codec could not restore unchanged. */
export type ValueKind =
  | 'array'
  | 'object'
  | 'null-object'
  | 'map'
  | 'set'
  | 'date'
  | 'regexp'
  | 'url'
  | 'error'
  | 'bytes'
  | 'foreign'

/** Binary classes by index. Part of the wire format: append only. */
export const BINARY_CLASSES = [
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

/** The classes of restored errors. */
export const ERROR_CLASSES: ReadonlyMap<string, ErrorConstructor> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((each) => [
    each.name,
    each,
  ]),
)

/** Tells what an object is. Throws what a Proxy throws when it is read. */
export function kindOf(value: object): ValueKind {
  const prototype = Object.getPrototypeOf(value) as object | null
  if (Array.isArray(value)) return isArrayPrototype(prototype) ? 'array' : 'foreign'
  if (prototype === null) return isExotic(value) ? 'foreign' : 'null-object'
  if (isObjectPrototype(prototype)) return isExotic(value) ? 'foreign' : 'object'
  if (types.isNativeError(value)) return 'error'
  if (types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)) return bytesOrForeign(value)
  // A builtin class is one step below `Object`; a subclass of it is two.
  if (!isObjectPrototype(Object.getPrototypeOf(prototype) as object | null)) return 'foreign'
  if (types.isDate(value)) return 'date'
  if (types.isMap(value)) return 'map'
  if (types.isSet(value)) return 'set'
  if (types.isRegExp(value)) return 'regexp'
  return prototype === URL.prototype && value instanceof URL ? 'url' : 'foreign'
}

/** True for plain objects (also without a prototype) and arrays; false for objects that cannot be read. */
export function isPlainContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  try {
    const kind = kindOf(value)
    return kind === 'array' || kind === 'object' || kind === 'null-object'
  } catch {
    return false
  }
}

/** The index of a binary object's class; -1 for an unknown class. */
export function binaryClassOf(value: ArrayBufferLike | ArrayBufferView): number {
  const prototype: unknown = Object.getPrototypeOf(value)
  return BINARY_CLASSES.findIndex((each) => prototype === each.prototype)
}

/** The name of an error's class if it is a builtin one, else `undefined`. */
export function errorClassOf(error: Error): string | undefined {
  const { constructor: made } = Object.getPrototypeOf(error) as { readonly constructor: unknown }
  const name = typeof made === 'function' ? made.name : ''
  const known = ERROR_CLASSES.get(name)
  if (known === undefined || made === known) return known?.name
  // The same class in another realm is as far from `Object` as ours.
  return depthOf(error) === depthOf(known.prototype) + 1 ? name : undefined
}

function depthOf(value: object): number {
  let depth = 0
  for (let at: unknown = value; at !== null; at = Object.getPrototypeOf(at)) depth += 1
  return depth
}

function isArrayPrototype(prototype: object | null): boolean {
  if (prototype === Array.prototype) return true
  return (
    Array.isArray(prototype) && isObjectPrototype(Object.getPrototypeOf(prototype) as object | null)
  )
}

function isObjectPrototype(prototype: object | null): boolean {
  if (prototype === Object.prototype) return true
  return (
    prototype !== null &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'isPrototypeOf')
  )
}

/** Objects of the host that look plain but are not: modules, `Math`, the environment, arguments. */
function isExotic(value: object): boolean {
  if (Object.hasOwn(value, Symbol.toStringTag)) return true
  return value === process.env || types.isArgumentsObject(value) || value === globalThis
}

function bytesOrForeign(value: ArrayBufferLike | ArrayBufferView): ValueKind {
  const buffer = ArrayBuffer.isView(value) ? value.buffer : value
  // Shared memory is not a value: a write elsewhere must be visible here.
  if (types.isSharedArrayBuffer(buffer)) return 'foreign'
  return binaryClassOf(value) >= 0 ? 'bytes' : 'foreign'
}
