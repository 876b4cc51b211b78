/**
 * Values as JSON text, in UTF-8, by V8.
 *
 * The text of an object, an array or a string begins with a byte that as MessagePack would be a whole number, and nothing
 * may follow such a number: the two forms cannot be taken for each other.
 */

import * as buffers from 'node:buffer'

const QUOTE = 0x22
const BRACKET = 0x5b
const BRACE = 0x7b

/** As many levels as MessagePack may have: functions that walk a value call themselves once per level, here and in the reader. */
const MAX_DEPTH = 1_100

/** From so many bytes on, text beyond ASCII is read faster by way of UTF-16. */
const MANY_BYTES = 1_000

/** Tells whether bytes are of this form, if they are of any. */
export function isJsonForm(bytes: Uint8Array): boolean {
  const first = bytes[0]
  return bytes.length > 1 && (first === BRACE || first === BRACKET || first === QUOTE)
}

/** Writes plain data that `isJson` (see `plainPartsOf`). */
export function writeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

/** @throws Error when the bytes are not JSON text, or the value is nested too deeply. */
export function readJson(bytes: Uint8Array): unknown {
  const value: unknown = JSON.parse(textOf(bytes))
  if (isObject(value) && !isFlat(bytes)) checkDepth(value, 1)
  return value
}

/** As `readJson`, and freezes the value all the way down. */
export function readJsonFrozen(bytes: Uint8Array): unknown {
  const value: unknown = JSON.parse(textOf(bytes))
  if (!isObject(value)) return value
  if (!isFlat(bytes)) freezeParts(value, 1)
  return Object.freeze(value)
}

/** True when there is one object or array at most, whose parts need no look. */
function isFlat(bytes: Uint8Array): boolean {
  return !bytes.includes(BRACE, 1) && !bytes.includes(BRACKET, 1)
}

function checkDepth(value: object, depth: number): void {
  if (depth > MAX_DEPTH) throw new Error('The value is nested too deeply')
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const part: unknown = value[i]
      if (isObject(part)) checkDepth(part, depth + 1)
    }
    return
  }
  for (const name in value) {
    const part = (value as Readonly<Record<string, unknown>>)[name]
    if (isObject(part)) checkDepth(part, depth + 1)
  }
}

/** The same, freezing: twice the same loop, because a branch for every object would show. */
function freezeParts(value: object, depth: number): void {
  if (depth > MAX_DEPTH) throw new Error('The value is nested too deeply')
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const part: unknown = value[i]
      if (isObject(part)) freezeParts(part, depth + 1)
    }
  } else {
    for (const name in value) {
      const part = (value as Readonly<Record<string, unknown>>)[name]
      if (isObject(part)) freezeParts(part, depth + 1)
    }
  }
  Object.freeze(value)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** `toString('utf8')` is several times slower than these where text is not ASCII, and makes up what bytes do not say. */
function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  if (buffers.isAscii(bytes)) return bytes.toString('latin1')
  if (!buffers.isUtf8(bytes)) throw new Error('The text is not UTF-8')
  // A Node without ICU cannot.
  if (byteLength < MANY_BYTES || typeof buffers.transcode !== 'function') return bytes.toString()
  return buffers.transcode(bytes, 'utf8', 'utf16le').toString('utf16le')
}
