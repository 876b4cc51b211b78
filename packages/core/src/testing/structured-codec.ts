/** A codec for tests that needs no library: Node's own serialization, for everything a structured clone brings back. */

import { deserialize, serialize } from 'node:v8'
import type { CodecFactory } from '../contracts/codec.ts'
import { classNameOf } from '../errors/option-error.ts'
import { ValueError } from '../errors/value-error.ts'

/**
 * Makes a codec on Node's own serialization. It knows no registered types: class instances are refused.
 *
 * Its bytes are only readable by the same major version of Node, so it is for tests.
 */
export const structuredCodec: CodecFactory = () => ({
  name: 'structured',
  encode(value: unknown): Uint8Array {
    assertCloneable(value, '$', new Set())
    return serialize(value)
  },
  decode: (bytes: Uint8Array): unknown => deserialize(bytes),
})

const CLONEABLE: readonly object[] = [
  Object.prototype,
  Array.prototype,
  Date.prototype,
  RegExp.prototype,
  Map.prototype,
  Set.prototype,
  ArrayBuffer.prototype,
  Buffer.prototype,
]

function assertCloneable(value: unknown, path: string, seen: Set<object>): void {
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new ValueError(`A ${typeof value} at ${path} cannot be cached.`, path)
  }
  if (typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  const isFine =
    prototype === null ||
    ArrayBuffer.isView(value) ||
    value instanceof Error ||
    CLONEABLE.includes(prototype as object)
  if (!isFine) {
    throw new ValueError(
      `An instance of ${classNameOf(value)} at ${path} would come back as a plain object.`,
      path,
    )
  }
  if (ArrayBuffer.isView(value)) return
  for (const [step, part] of partsOf(value)) assertCloneable(part, `${path}${step}`, seen)
}

/** The parts of a value, and how to get there from it. */
function partsOf(value: object): readonly (readonly [step: string, part: unknown])[] {
  if (value instanceof Map || value instanceof Set) {
    return [...value].flat().map((part) => ['(…)', part])
  }
  const step = Array.isArray(value) ? (name: string) => `[${name}]` : (name: string) => `.${name}`
  return Object.entries(value).map(([name, part]) => [step(name), part])
}
