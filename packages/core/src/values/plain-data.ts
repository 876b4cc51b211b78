/** Whether JSON-like bytes alone restore a value unchanged. */

import { extraKeyOfArray } from './own-parts.ts'

const MAX_DEPTH = 200

/**
 * True for null, booleans, numbers except −0, well-formed strings, and plain objects and dense arrays that hold only such
 * values and occur once each. The quick check before any thorough one; throws what a Proxy throws when it is read.
 */
export function isPlainData(value: unknown): boolean {
  return isPlain(value, 0, new Set())
}

function isPlain(value: unknown, depth: number, seen: Set<object>): boolean {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed()
    case 'number':
      return value !== 0 || !Object.is(value, -0)
    case 'boolean':
      return true
    case 'object':
      if (value === null) return true
      if (depth >= MAX_DEPTH || seen.has(value)) return false
      seen.add(value)
      return isPlainContainer(value, depth + 1, seen)
    default:
      return false
  }
}

function isPlainContainer(value: object, depth: number, seen: Set<object>): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Array.prototype && Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      // A hole is also undefined here.
      if (!isPlain(value[i], depth, seen)) return false
    }
    return extraKeyOfArray(value) === undefined
  }
  if (prototype !== Object.prototype || Object.getOwnPropertySymbols(value).length > 0) return false
  for (const name of Object.getOwnPropertyNames(value)) {
    if (!isSafeName(name)) return false
    const property = Object.getOwnPropertyDescriptor(value, name)
    if (property === undefined || !property.enumerable || !('value' in property)) return false
    if (!isPlain(property.value, depth, seen)) return false
  }
  return true
}

/** Names that every codec keeps as names of a map: the others have a meaning for objects, or are not valid text. */
export function isSafeName(name: string): boolean {
  return name !== '__proto__' && name !== 'constructor' && name.isWellFormed()
}
