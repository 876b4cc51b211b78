/** Whether JSON-like bytes alone restore a value unchanged, and what it is made of. */

import { types } from 'node:util'
import { isDenseAlone } from './own-parts.ts'

const MAX_DEPTH = 200

/** Texts of more characters than this are long. */
const SHORT_TEXT = 160
/** Answers at once where V8 holds a text as Latin-1. */
const BEYOND_LATIN = /[\u0100-\uffff]/

/** What plain data is made of: what a codec needs to choose how to write it. */
export interface PlainParts {
  /** True when JSON text, too, brings it back the same: every number is finite, and nothing has a `toJSON`. */
  readonly isJson: boolean
  /** Properties of objects. */
  readonly names: number
  /** Those of them that the object before, as deep in the value, had not. */
  readonly newNames: number
  /** Texts of at most 160 characters. */
  readonly shortTexts: number
  /** Characters of all longer texts that have none beyond Latin-1. */
  readonly longCharacters: number
  /** Characters of the other longer texts. */
  readonly wideCharacters: number
  readonly wholeNumbers: number
  readonly otherNumbers: number
}

/**
 * True for null, booleans, numbers except −0, well-formed strings, and plain objects and dense arrays that hold only such
 * values and occur once each. The quick check before any thorough one; throws what a Proxy throws when it is read.
 */
export function isPlainData(value: unknown): boolean {
  return new Look().isPlain(value, 0)
}

/** Counts the parts of plain data; `undefined` for any other value. Throws what a Proxy throws that refuses it. */
export function plainPartsOf(value: unknown): PlainParts | undefined {
  const look = new Look()
  return look.isPlain(value, 0) ? look : undefined
}

/** Names that every codec keeps as names of a map: the others have a meaning for objects, or are not valid text. */
export function isSafeName(name: string): boolean {
  return name !== '__proto__' && name !== 'constructor' && name.isWellFormed()
}

/** At one value. It costs about as much as writing the value, so it does nothing twice. */
class Look implements PlainParts {
  // Old libraries give builtin classes a method of this name, which JSON.stringify would call.
  isJson = !('toJSON' in Array.prototype)
  names = 0
  newNames = 0
  shortTexts = 0
  longCharacters = 0
  wideCharacters = 0
  wholeNumbers = 0
  otherNumbers = 0
  readonly #seen = new Set<object>()
  /** The names last found at each depth: the rows of a list mostly have the same, which need not be checked again. */
  readonly #namesAt: (readonly string[])[] = []

  isPlain(value: unknown, depth: number): boolean {
    switch (typeof value) {
      case 'string':
        if (value.length <= SHORT_TEXT) this.shortTexts += 1
        else if (BEYOND_LATIN.test(value)) this.wideCharacters += value.length
        else this.longCharacters += value.length
        return value.isWellFormed()
      case 'number':
        return this.#isPlainNumber(value)
      case 'boolean':
        return true
      case 'object':
        return value === null || this.#isPlainContainer(value, depth)
      default:
        return false
    }
  }

  #isPlainNumber(value: number): boolean {
    if (Number.isSafeInteger(value)) {
      this.wholeNumbers += 1
      return value !== 0 || !Object.is(value, -0)
    }
    this.otherNumbers += 1
    if (!Number.isFinite(value)) this.isJson = false
    return true
  }

  #isPlainContainer(value: object, depth: number): boolean {
    if (depth >= MAX_DEPTH) return false
    const { size } = this.#seen
    if (this.#seen.add(value).size === size) return false
    // It may answer with a `toJSON` that it does not show.
    if (types.isProxy(value)) this.isJson = false
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Array.prototype && Array.isArray(value)) {
      return this.#isPlainArray(value, depth + 1)
    }
    return prototype === Object.prototype && this.#isPlainObject(value, depth + 1)
  }

  #isPlainName(name: string): boolean {
    this.newNames += 1
    if (name === 'toJSON') this.isJson = false
    return isSafeName(name)
  }

  #isPlainArray(value: readonly unknown[], depth: number): boolean {
    for (let i = 0; i < value.length; i++) {
      // A hole, too, is undefined here.
      if (!this.isPlain(value[i], depth)) return false
    }
    return isDenseAlone(value)
  }

  #isPlainObject(value: object, depth: number): boolean {
    if (Object.getOwnPropertySymbols(value).length > 0) return false
    const names = Object.getOwnPropertyNames(value)
    const known = this.#namesAt[depth]
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string
      if ((known === undefined || known[i] !== name) && !this.#isPlainName(name)) return false
      const property = Object.getOwnPropertyDescriptor(value, name)
      if (property === undefined || !property.enumerable || property.get !== undefined) return false
      if (property.set !== undefined || !this.isPlain(property.value, depth)) return false
    }
    this.#namesAt[depth] = names
    this.names += names.length
    return true
  }
}
