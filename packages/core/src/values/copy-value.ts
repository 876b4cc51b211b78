/**
 * Copies of values, for `isolation: 'cloned'`: no caller sees what another does to its copy.
 *
 * Copied is everything that a codec restores unchanged, with cycles, holes and getters, and instances of registered classes.
 * Everything else is handed out itself: a copy that is not the same would be worse than none.
 */

import { types } from 'node:util'
import type { ValueType } from '../contracts/codec.ts'
import { extraKeyOf, extraKeyOfArray, hasHoles, strangeKeyOf } from './own-parts.ts'
import { binaryClassOf, errorClassOf, kindOf } from './value-kind.ts'

/** Makes a copy of a value. Never throws. */
export type CopyValue = (value: unknown) => unknown

/** `foreignCopy` may copy classes that are not registered; it throws for those it does not know. */
export function valueCopier(
  types: ReadonlyMap<unknown, ValueType>,
  foreignCopy?: CopyValue,
): CopyValue {
  return (value) => new Copier(types, foreignCopy).copy(value)
}

/** Copies one value. */
class Copier {
  readonly #types: ReadonlyMap<unknown, ValueType>
  readonly #foreignCopy: CopyValue | undefined
  readonly #copies = new Map<object, unknown>()

  constructor(types: ReadonlyMap<unknown, ValueType>, foreignCopy: CopyValue | undefined) {
    this.#types = types
    this.#foreignCopy = foreignCopy
  }

  copy(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (this.#copies.has(value)) return this.#copies.get(value)
    try {
      return this.#copyObject(value)
    } catch {
      // It refuses to be read, or is nested too deeply.
      return this.#keep(value, value)
    }
  }

  #copyObject(value: object): unknown {
    const type = this.#types.get(Object.getPrototypeOf(value))
    if (type !== undefined) return this.#keep(value, type.decode(this.copy(type.encode(value))))
    const kind = kindOf(value)
    switch (kind) {
      case 'array':
        return this.#copyArray(value as readonly unknown[])
      case 'object':
        return this.#copyPlain(value as Readonly<Record<string, unknown>>)
      case 'null-object':
        return this.#withParts(value, this.#keep(value, Object.create(null) as object))
      case 'map':
        return this.#copyMap(value as Map<unknown, unknown>)
      case 'set':
        return this.#copySet(value as Set<unknown>)
      case 'error':
        return this.#copyError(value as Error)
      case 'foreign':
        return this.#keep(value, this.#foreignCopy === undefined ? value : this.#foreignCopy(value))
      default:
        return this.#withParts(value, this.#keep(value, copyLeaf(value as Leaf, kind)))
    }
  }

  /** Remembers the copy before its parts are copied, because they may refer back to it. */
  #keep<Copy>(value: object, copy: Copy): Copy {
    this.#copies.set(value, copy)
    return copy
  }

  /** Most arrays are dense and hold only items; property by property, copying would take ten times as long. */
  #copyArray(from: readonly unknown[]): unknown {
    const to: unknown[] = this.#keep(from, new Array(from.length))
    if (hasHoles(from) || extraKeyOfArray(from) !== undefined) return this.#withParts(from, to)
    for (let i = 0; i < from.length; i++) to[i] = this.copy(from[i])
    return to
  }

  #copyPlain(from: Readonly<Record<string, unknown>>): unknown {
    const to: Record<string, unknown> = this.#keep(from, {})
    const names = Object.keys(from)
    if (strangeKeyOf(from) !== undefined || names.includes('__proto__')) {
      return this.#withParts(from, to)
    }
    for (const name of names) to[name] = this.copy(from[name])
    return to
  }

  /** Copies own properties: values, getters as they are, symbols and hidden ones too. */
  #withParts<Copy extends object>(from: object, to: Copy): Copy {
    const isView = types.isTypedArray(from)
    if (isView && extraKeyOf(from) === undefined) return to
    for (const key of Reflect.ownKeys(from)) {
      const property = Object.getOwnPropertyDescriptor(from, key)
      if (property === undefined || (isView && key in to)) continue
      if (key === 'length' && Array.isArray(to)) continue
      if (key === 'lastIndex' && to instanceof RegExp) {
        to.lastIndex = (from as RegExp).lastIndex
        continue
      }
      if (!('value' in property)) {
        Object.defineProperty(to, key, { ...property, configurable: true })
        continue
      }
      const enumerable = property.enumerable === true
      const part = this.copy(property.value)
      // The owner of a copy may change it, even if the original was frozen.
      Object.defineProperty(to, key, {
        value: part,
        enumerable,
        configurable: true,
        writable: true,
      })
    }
    return to
  }

  #copyMap(from: Map<unknown, unknown>): unknown {
    const to = this.#keep(from, new Map<unknown, unknown>())
    for (const [key, item] of from) to.set(this.copy(key), this.copy(item))
    return this.#withParts(from, to)
  }

  #copySet(from: Set<unknown>): unknown {
    const to = this.#keep(from, new Set<unknown>())
    for (const item of from) to.add(this.copy(item))
    return this.#withParts(from, to)
  }

  /** Also copies errors of the user's classes, unless the class has behaviour that may depend on private fields. */
  #copyError(error: Error): unknown {
    if (errorClassOf(error) === undefined && hasBehaviour(error)) return this.#keep(error, error)
    const copy = this.#keep(error, new Error(error.message))
    // Its own stack would say where the copy was made.
    for (const key of Reflect.ownKeys(copy)) Reflect.deleteProperty(copy, key)
    Object.setPrototypeOf(copy, Object.getPrototypeOf(error) as object)
    return this.#withParts(error, copy)
  }
}

type Leaf = Date | RegExp | URL | ArrayBuffer | ArrayBufferView

function copyLeaf(value: Leaf, kind: string): object {
  if (kind === 'date') return new Date((value as Date).getTime())
  if (kind === 'url') return new URL((value as URL).href)
  if (kind === 'regexp') return new RegExp((value as RegExp).source, (value as RegExp).flags)
  return copyBytes(value as ArrayBuffer | ArrayBufferView)
}

/** Into memory of its own, because a Buffer may be a part of a pool. */
function copyBytes(value: ArrayBuffer | ArrayBufferView): object {
  if (!ArrayBuffer.isView(value)) return value.slice(0)
  const { buffer, byteOffset, byteLength } = value
  const own = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
  if (Buffer.isBuffer(value)) return Buffer.from(own)
  const { constructor: View } = value as unknown as { constructor: Uint8ArrayConstructor }
  if (binaryClassOf(value) < 0) return value
  return new View(own)
}

/** Tells whether a class between an error and `Error` has more than a name. */
function hasBehaviour(error: Error): boolean {
  let at = Object.getPrototypeOf(error) as object
  for (
    ;
    at !== Error.prototype && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object
  ) {
    const keys = Reflect.ownKeys(at).filter((key) => key !== 'constructor')
    const isName = (key: string | symbol): boolean =>
      key === 'name' && typeof Object.getOwnPropertyDescriptor(at, key)?.value === 'string'
    if (!keys.every(isName)) return true
  }
  return false
}
