/** From a value to a tagged tree, or a `ValueError` that names the place of a value that could not be restored unchanged. */

import type { ValueType } from '../contracts/codec.ts'
import { classNameOf } from '../errors/option-error.ts'
import { ValueError } from '../errors/value-error.ts'
import { extraKeyOf, extraKeyOfArray, hasHoles, strangeKeyOf } from './own-parts.ts'
import { isSafeName } from './plain-data.ts'
import { MAX_DEPTH, TAG } from './tags.ts'
import { binaryClassOf, errorClassOf, kindOf } from './value-kind.ts'

/** The property of an error that is never kept: a stack tells about the machine that made it. */
const UNKEPT = 'stack'
/** What most errors have, as hidden properties. */
const HIDDEN = 0
const VISIBLE = 1

/** An index, a name, or a function that returns any other step in words. */
type PathStep = number | string | (() => string)

/** Tags one value. */
export class Tagger {
  readonly #types: ReadonlyMap<unknown, ValueType>
  /** The objects that contain the present value, outermost first. */
  readonly #above: object[] = []
  /** How to get from each of those to the next; put into words only when something is refused. */
  readonly #steps: PathStep[] = []
  /** Finished objects, by number. */
  readonly #ended = new Map<object, number>()

  constructor(types: ReadonlyMap<unknown, ValueType>) {
    this.#types = types
  }

  /** @throws ValueError */
  tag(value: unknown): unknown {
    return this.#tag(value, true)
  }

  /** `isError`: an error here is one that a load failed with, or its cause. */
  #tag(value: unknown, isError = false): unknown {
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
        return value === null ? null : this.#tagObject(value, isError)
      default:
        throw this.#refused(`A ${typeof value}`)
    }
  }

  #tagObject(value: object, isError: boolean): unknown {
    const number = this.#ended.get(value)
    if (number !== undefined) return [TAG.again, number]
    if (this.#above.includes(value)) throw this.#error('The value refers to itself')
    if (this.#above.length >= MAX_DEPTH) throw this.#error('The value is nested too deeply')
    this.#above.push(value)
    const tagged = this.#tagContents(value, isError)
    this.#above.pop()
    this.#ended.set(value, this.#ended.size)
    return tagged
  }

  #tagContents(value: object, isError: boolean): unknown {
    try {
      const type = this.#types.get(Object.getPrototypeOf(value))
      if (type === undefined) return this.#tagByKind(value, isError)
      return [TAG.type, type.name, this.#step(() => `<${type.name}>`, type.encode(value))]
    } catch (error) {
      // A Proxy, a getter of a registered class, a detached buffer: an object that cannot be read cannot be kept.
      throw error instanceof ValueError
        ? error
        : this.#error('An object that cannot be read was found', error)
    }
  }

  #tagByKind(value: object, isError: boolean): unknown {
    const kind = kindOf(value)
    switch (kind) {
      case 'array':
        return this.#tagArray(value as readonly unknown[])
      case 'object':
      case 'null-object':
        return this.#tagPlain(value, kind === 'object' ? TAG.object : TAG.nullObject)
      case 'error':
        return this.#tagError(value as Error, isError)
      case 'foreign':
        throw this.#refusedInstance(value)
      default:
        this.#assertNothingElse(extraKeyOf(value))
        return kind === 'map' || kind === 'set'
          ? this.#tagCollection(value as Map<unknown, unknown> | Set<unknown>)
          : tagLeaf(value as Leaf, kind)
    }
  }

  #tagArray(value: readonly unknown[]): unknown {
    if (hasHoles(value)) throw this.#refused('An array with holes')
    const tagged: unknown[] = [TAG.array]
    for (let i = 0; i < value.length; i++) tagged.push(this.#step(i, value[i]))
    if (extraKeyOfArray(value) === undefined) return tagged
    return [TAG.arrayWith, value.length, ...tagged.slice(1), ...this.#extras(value)]
  }

  /** Properties of an array beside its items, such as those of the result of a regular expression. */
  #extras(array: readonly unknown[]): unknown[] {
    const extras: unknown[] = []
    for (const key of Reflect.ownKeys(array).slice(array.length)) {
      if (key === 'length') continue
      const property = Object.getOwnPropertyDescriptor(array, key)
      if (typeof key === 'symbol' || property?.enumerable !== true || !('value' in property)) {
        throw this.#strange(key)
      }
      extras.push(this.#tag(key), this.#step(key, property.value))
    }
    return extras
  }

  #tagPlain(value: object, tag: number): unknown {
    this.#assertNothingElse(strangeKeyOf(value))
    const names = Object.keys(value)
    const parts = value as Readonly<Record<string, unknown>>
    if (tag === TAG.object && names.every(isSafeName)) {
      const tagged: Record<string, unknown> = {}
      for (const name of names) tagged[name] = this.#step(name, parts[name])
      return tagged
    }
    const tagged: unknown[] = [tag]
    for (const name of names) tagged.push(this.#tag(name), this.#step(name, parts[name]))
    return tagged
  }

  #tagCollection(value: Map<unknown, unknown> | Set<unknown>): unknown {
    if (value instanceof Set) {
      return [TAG.set, ...Array.from(value, (item) => this.#step(MEMBER, item))]
    }
    const items = Array.from(value, ([key, item]) => [
      this.#step(KEY, key),
      this.#step(() => `.get(${describeKey(key)})`, item),
    ])
    return [TAG.map, ...items.flat()]
  }

  /**
   * An error with what it holds, without its stack. An error that a load failed with may be of any class, and comes back as an
   * Error of that name; within a value, its class must be known, like any other class.
   */
  #tagError(error: Error, isError: boolean): unknown {
    const known = errorClassOf(error)
    if (known === undefined && !isError) throw this.#refusedInstance(error)
    const tagged: unknown[] = [TAG.error, known ?? 'Error']
    if (known === undefined && !Object.hasOwn(error, 'name')) {
      tagged.push('name', HIDDEN, this.#tag(error.name))
    }
    for (const key of Reflect.ownKeys(error)) {
      if (key === UNKEPT) continue
      const property = Object.getOwnPropertyDescriptor(error, key)
      if (typeof key === 'symbol' || property === undefined || !('value' in property)) {
        throw this.#strange(key)
      }
      const part = this.#step(key, property.value, isError && key === 'cause')
      tagged.push(this.#tag(key), property.enumerable ? VISIBLE : HIDDEN, part)
    }
    return tagged
  }

  #step(step: PathStep, part: unknown, isError = false): unknown {
    this.#steps.push(step)
    const tagged = this.#tag(part, isError)
    this.#steps.pop()
    return tagged
  }

  get #path(): string {
    return `$${this.#steps.map(inWords).join('')}`
  }

  #assertNothingElse(key: string | symbol | undefined): void {
    if (key !== undefined) throw this.#strange(key)
  }

  #strange(key: string | symbol): ValueError {
    this.#steps.push(typeof key === 'symbol' ? () => `[${String(key)}]` : key)
    return this.#refused(
      'A property that is a symbol, hidden, a getter, or added to a builtin object',
    )
  }

  #refusedInstance(value: object): ValueError {
    const name = classNameOf(value)
    const path = this.#path
    const message = `An instance of ${name} at ${path} cannot be cached: it would come back as something else. Register ${name} as a value type (types), convert it (toPlain and fromPlain), or return plain data.`
    return new ValueError(message, path)
  }

  #refused(what: string): ValueError {
    return new ValueError(`${what} at ${this.#path} cannot be cached.`, this.#path)
  }

  #error(what: string, cause?: unknown): ValueError {
    return new ValueError(`${what} at ${this.#path}.`, this.#path, undefined, cause)
  }
}

type Leaf = Date | RegExp | URL | ArrayBuffer | ArrayBufferView

function tagLeaf(value: Leaf, kind: string): unknown {
  if (kind === 'date') return [TAG.date, (value as Date).getTime()]
  if (kind === 'url') return [TAG.url, (value as URL).href]
  if (kind === 'bytes') {
    const binary = value as ArrayBuffer | ArrayBufferView
    return [TAG.view, binaryClassOf(binary), bytesOf(binary)]
  }
  const { source, flags, lastIndex } = value as RegExp
  return lastIndex === 0 ? [TAG.regexp, source, flags] : [TAG.regexp, source, flags, lastIndex]
}

/** Only the view's own bytes: the pool that it may be part of must not be kept or sent. */
function bytesOf(value: ArrayBuffer | ArrayBufferView): Buffer {
  return ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(value)
}

const MEMBER = (): string => '.member'
const KEY = (): string => '.key'

function inWords(step: PathStep): string {
  if (typeof step === 'function') return step()
  if (typeof step === 'number') return `[${step}]`
  return stepTo(step)
}

function stepTo(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)
    ? `.${name}`
    : `[${JSON.stringify(name)}]`
}

function describeKey(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key.slice(0, 20)) : typeof key
}
