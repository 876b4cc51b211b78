/** From a tagged tree back to the value. The tree is not trusted: everything that `Tagger` does not produce is refused. */

import type { ValueType } from '../contracts/codec.ts'
import { MAX_DEPTH, TAG } from './tags.ts'
import { BINARY_CLASSES, ERROR_CLASSES } from './value-kind.ts'

/** Untags one tree. */
export class Untagger {
  readonly #types: ReadonlyMap<string, ValueType>
  /** Finished objects, in order. */
  readonly #ended: unknown[] = []
  #depth = 0

  constructor(types: ReadonlyMap<string, ValueType>) {
    this.#types = types
  }

  /** @throws Error on anything that is not a tagged tree. */
  untag(tree: unknown): unknown {
    if (typeof tree !== 'object' || tree === null) return tree
    if (this.#depth > MAX_DEPTH) throw new Error('The tree is nested too deeply')
    this.#depth += 1
    const value = Array.isArray(tree) ? this.#tagged(tree) : this.#plain(tree)
    this.#depth -= 1
    return value
  }

  #plain(tree: object): unknown {
    const parts = tree as Readonly<Record<string, unknown>>
    const made: Record<string, unknown> = {}
    for (const name of Object.keys(parts)) {
      const part = this.untag(parts[name])
      if (name === '__proto__') defineOne(made, name, part, true)
      else made[name] = part
    }
    return this.#end(made)
  }

  #tagged(tree: readonly unknown[]): unknown {
    const [tag] = tree
    // Most are arrays: not a copy more of those than there has to be.
    if (tag === TAG.array) return this.#end(this.#array(tree))
    const items = tree.slice(1)
    switch (tag) {
      case TAG.undefined:
        return undefined
      case TAG.negativeZero:
        return -0
      case TAG.bigint:
        return bigint(text(items[0]))
      case TAG.rawString:
        return bytes(items[0]).toString('utf16le')
      case TAG.again:
        return this.#again(number(items[0]))
      default:
        return this.#end(this.#object(tag, items))
    }
  }

  #object(tag: unknown, items: readonly unknown[]): unknown {
    switch (tag) {
      case TAG.arrayWith:
        return this.#arrayWith(items)
      case TAG.map:
        return new Map(pairs(this.#all(items)))
      case TAG.set:
        return new Set(this.#all(items))
      case TAG.object:
        return define({}, pairs(this.#all(items)))
      case TAG.nullObject:
        return define(Object.create(null) as object, pairs(this.#all(items)))
      case TAG.type:
        return this.#typed(text(items[0]), this.untag(items[1]))
      case TAG.error:
        return this.#error(items)
      default:
        return leaf(tag, items)
    }
  }

  #end(value: unknown): unknown {
    this.#ended.push(value)
    return value
  }

  #again(index: number): unknown {
    if (Number.isInteger(index) && index >= 0 && index < this.#ended.length) {
      return this.#ended[index]
    }
    throw new Error('The tree refers to an object that it does not hold')
  }

  #array(tree: readonly unknown[]): unknown[] {
    const made: unknown[] = []
    for (let i = 1; i < tree.length; i++) made.push(this.untag(tree[i]))
    return made
  }

  #all(items: readonly unknown[]): unknown[] {
    return items.map((item) => this.untag(item))
  }

  #arrayWith([count, ...rest]: readonly unknown[]): unknown {
    const items = this.#all(rest)
    const array = items.slice(0, number(count))
    const extras = pairs(items.slice(array.length))
    if (extras.some(([name]) => name === 'length')) throw new Error('The tree sets a length')
    return define(array, extras)
  }

  #typed(name: string, data: unknown): unknown {
    const type = this.#types.get(name)
    if (type === undefined) throw new Error('The tree holds a class that is not registered here')
    return type.decode(data)
  }

  #error([className, ...items]: readonly unknown[]): unknown {
    const ErrorClass = ERROR_CLASSES.get(text(className))
    if (ErrorClass === undefined) throw new Error('The tree has an unknown class of errors')
    if (items.length % 3 !== 0) throw new Error('The tree has a name without a value')
    const at = items.indexOf('message')
    const message = at < 0 ? undefined : items[at + 2]
    // Also given to the constructor, because the stack repeats it.
    const error = typeof message === 'string' ? new ErrorClass(message) : new ErrorClass()
    for (let i = 0; i < items.length; i += 3) {
      const name = text(this.untag(items[i]))
      const enumerable = items[i + 1] === 1
      if (name === 'stack') throw new Error('The tree sets a stack')
      defineOne(error, name, this.untag(items[i + 2]), enumerable)
    }
    return error
  }
}

function leaf(tag: unknown, [first, second, third]: readonly unknown[]): unknown {
  switch (tag) {
    case TAG.date:
      return new Date(number(first))
    case TAG.regexp: {
      const found = new RegExp(text(first), text(second))
      if (third !== undefined) found.lastIndex = number(third)
      return found
    }
    case TAG.url:
      return new URL(text(first))
    case TAG.view:
      return viewOf(number(first), bytes(second))
    default:
      throw new Error('The tree has an unknown tag')
  }
}

function viewOf(index: number, source: Buffer): unknown {
  const View = BINARY_CLASSES[index]
  if (View === undefined) throw new Error('The tree has an unknown binary class')
  // A copy in memory of its own: aligned for wide elements, and not a view into a socket's buffer.
  const buffer = new ArrayBuffer(source.length)
  Buffer.from(buffer).set(source)
  if (View === ArrayBuffer) return buffer
  if (View === Buffer) return Buffer.from(buffer)
  return new (View as Uint8ArrayConstructor)(buffer)
}

function bigint(digits: string): bigint {
  return digits.startsWith('-') ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`)
}

function pairs(items: readonly unknown[]): [unknown, unknown][] {
  if (items.length % 2 !== 0) throw new Error('The tree has a name without a value')
  return Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i], items[2 * i + 1]])
}

function define(object: object, entries: readonly [unknown, unknown][]): object {
  for (const [name, value] of entries) defineOne(object, text(name), value, true)
  return object
}

/** Defines rather than assigns: `__proto__` becomes an own property and nothing else. */
function defineOne(object: object, name: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(object, name, { value, enumerable, configurable: true, writable: true })
}

function text(item: unknown): string {
  if (typeof item === 'string') return item
  throw new Error('The tree has something other than text where text belongs')
}

function number(item: unknown): number {
  if (typeof item === 'number') return item
  throw new Error('The tree has something other than a number where a number belongs')
}

function bytes(item: unknown): Buffer {
  if (Buffer.isBuffer(item)) return item
  if (item instanceof Uint8Array) return Buffer.from(item.buffer, item.byteOffset, item.byteLength)
  throw new Error('The tree has something other than bytes where bytes belong')
}
