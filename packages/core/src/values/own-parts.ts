/** Finds parts of an object beside those that its kind has, which a codec would lose silently. */

import { inspect, isDeepStrictEqual, types } from 'node:util'

/** Up to so many items, asking for all keys is cheaper than anything else. */
const FEW_ITEMS = 32
const FEW_BYTES = 16

/** Shows only the length of an array and the properties beside its items; no custom inspection runs. */
const BESIDE_ITEMS = {
  depth: 0,
  maxArrayLength: 0,
  showHidden: true,
  customInspect: false,
  breakLength: Number.POSITIVE_INFINITY,
} as const

/** How Node shows an array of `FEW_ITEMS` items without other properties, split at that number. */
let partsShown: readonly string[] | undefined

/** Returns a key that a dense array has beside its items; `undefined` for none. */
export function extraKeyOfArray(value: readonly unknown[]): string | symbol | undefined {
  // Listing many keys is slow. Node lists those that are not an index separately, to show them.
  if (value.length > FEW_ITEMS && !types.isProxy(value) && isShownAlone(value)) return undefined
  const keys = Reflect.ownKeys(value)
  return keys.find((key) => key !== 'length' && !isIndex(key, value.length))
}

/** False for an array with other properties, and for one that Node shows in another way. */
function isShownAlone(value: readonly unknown[]): boolean {
  partsShown ??= inspect(Array(FEW_ITEMS).fill(0), BESIDE_ITEMS).split(String(FEW_ITEMS))
  return inspect(value, BESIDE_ITEMS) === partsShown.join(String(value.length))
}

/** Tells whether an array without holes has nothing beside its items. */
export function isDenseAlone(value: readonly unknown[]): boolean {
  if (value.length > FEW_ITEMS) return extraKeyOfArray(value) === undefined
  return Reflect.ownKeys(value).length === value.length + 1
}

/** Tells whether an array has a hole. */
export function hasHoles(value: readonly unknown[]): boolean {
  // First, because an array of a thousand million holes needs no memory, and a loop over it would hardly end.
  if (value.length > FEW_ITEMS && !(value.length - 1 in value)) return true
  for (let i = 0; i < value.length; i++) {
    if (value[i] === undefined && !(i in value)) return true
  }
  return false
}

/**
 * Returns a key of a plain object that is more than a name with a value: a symbol, a hidden property, a getter.
 * `undefined` for none.
 */
export function strangeKeyOf(value: object): string | symbol | undefined {
  for (const name of Object.getOwnPropertyNames(value)) {
    const property = Object.getOwnPropertyDescriptor(value, name)
    if (property === undefined || !property.enumerable || !('value' in property)) return name
  }
  return Object.getOwnPropertySymbols(value)[0]
}

/** Returns a property that was added to a builtin object; `undefined` for none. */
export function extraKeyOf(value: object): string | symbol | undefined {
  if (types.isTypedArray(value)) return extraKeyOfView(value)
  return Reflect.ownKeys(value).find((key) => !(key === 'lastIndex' && types.isRegExp(value)))
}

/** Every byte is a key: listing them takes a hundred times as long as copying and comparing. */
function extraKeyOfView(view: NodeJS.TypedArray): string | symbol | undefined {
  if (view.length > FEW_BYTES && isDeepStrictEqual(view, viewCopy(view))) return undefined
  return Reflect.ownKeys(view).find((key) => !isIndex(key, view.length))
}

function viewCopy(view: NodeJS.TypedArray): unknown {
  const buffer = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)
  if (Buffer.isBuffer(view)) return Buffer.from(buffer)
  return new (view.constructor as Uint8ArrayConstructor)(buffer as ArrayBuffer)
}

function isIndex(key: string | symbol, length: number): boolean {
  if (typeof key !== 'string') return false
  const index = Number(key)
  return Number.isInteger(index) && index >= 0 && index < length && String(index) === key
}
