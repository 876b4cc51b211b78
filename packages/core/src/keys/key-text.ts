/**
 * From what a key function returns to the text of a key, and short forms of keys that are long, hold lone surrogates, or look like
 * a short form themselves.
 *
 * A short form ends with `#` and the 43 characters of a SHA-256. A key with a `#` at that place is shortened too, also when a
 * user wrote it. So every short form is a digest of the whole key, and no other key has that shape: two keys never collide.
 * The readable part comes first, so that patterns for the beginning of a key also find long keys.
 */

import { createHash } from 'node:crypto'
import { KeyError } from '../errors/key-error.ts'
import { describeValue } from '../errors/option-error.ts'

export type KeyPart = string | number | bigint | boolean
/** What a key function may return. Parts of an array are joined by `:` in such a way that different arrays give different keys. */
export type Key = KeyPart | readonly KeyPart[]

const NEEDS_ESCAPE = /[\\:]/
const ESCAPED = /[\\:]/g

/**
 * Returns the text of a key: never empty, at most 200 UTF-16 units, without lone surrogates. A usual string is unchanged.
 *
 * Values that look the same are the same key: `1`, `1n` and `'1'`; `['shop', 7]` and `'shop:7'`. So `(id: number) => id` and
 * `evict('1')` agree. The default key, made of arguments, distinguishes them.
 *
 * @throws KeyError for the empty string, the empty array, NaN, and every other type.
 * @example keyText(['shop', 7]) // 'shop:7'
 */
export function keyText(key: unknown): string {
  return wellFormedKey(looseKeyText(key))
}

/**
 * The same without the check for lone surrogates: where most keys come again and again, that check is made when something is
 * remembered by this text, and not each time.
 *
 * @throws KeyError as `keyText`
 */
export function looseKeyText(key: unknown): string {
  const text =
    typeof key === 'string' ? key : Array.isArray(key) ? joinParts(key) : partText(key, 'A key')
  if (text === '') throw new KeyError('A key is empty; it needs at least one character.')
  return boundKey(text)
}

function joinParts(parts: readonly unknown[]): string {
  if (parts.length === 0) throw new KeyError('A key is an empty array; it needs at least one part.')
  let text = ''
  for (let i = 0; i < parts.length; i++) {
    const part = partText(parts[i], `Part ${i} of a key`)
    if (i > 0) text += ':'
    text += NEEDS_ESCAPE.test(part) ? part.replace(ESCAPED, '\\$&') : part
  }
  return text
}

function partText(part: unknown, what: string): string {
  switch (typeof part) {
    case 'string':
      return part
    case 'number':
      // NaN comes from a failed conversion, and all failed conversions would share the key.
      if (Number.isNaN(part)) break
      return String(part)
    case 'bigint':
    case 'boolean':
      return String(part)
  }
  const wants = what === 'A key' ? ', or an array of those' : ''
  throw new KeyError(
    `${what} is ${describeValue(part)}; it must be a string, number, bigint or boolean${wants}.`,
  )
}

const MAX_LENGTH = 200
const READABLE_LENGTH = 100
/** `#` and 32 bytes in base64url. */
const TAIL_LENGTH = 44
const MARK = '#'.charCodeAt(0)

/**
 * Returns the text itself where it can be a key, and its short form otherwise.
 *
 * Keys are at most 200 UTF-16 units and well-formed, because Redis sees UTF-8, where lone surrogates become one and the
 * same character.
 */
export function fitKey(text: string): string {
  return wellFormedKey(boundKey(text))
}

/** The first half of `fitKey`: length and lookalikes. */
export function boundKey(text: string): string {
  return isShortForm(text) || text.length > MAX_LENGTH ? shortForm(text) : text
}

/** Of the text of a key: whether it is a digest, from which the key cannot be had back. No other text of a key looks like one. */
export function isShortForm(text: string): boolean {
  const { length } = text
  return length >= TAIL_LENGTH && text.charCodeAt(length - TAIL_LENGTH) === MARK
}

/** The second half, for texts from `boundKey`: lone surrogates. */
export function wellFormedKey(text: string): string {
  return text.isWellFormed() ? text : shortForm(text)
}

function shortForm(text: string): string {
  // The UTF-16 units are hashed, and not UTF-8, for the same reason.
  const digest = createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('base64url')
  return `${text.slice(0, READABLE_LENGTH).toWellFormed()}#${digest}`
}
