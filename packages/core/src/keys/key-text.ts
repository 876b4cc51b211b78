/** From what a key function returns to the text of a key. */

import { KeyError } from '../errors/key-error.ts'
import { describeValue } from '../errors/option-error.ts'
import { shortenKey } from './key-digest.ts'

/** What a key function may return. Parts of an array are joined so that different arrays never meet. */
export type KeyPart = string | number | bigint | boolean
export type Key = KeyPart | readonly KeyPart[]

const MAX_PLAIN_LENGTH = 200
const SEPARATOR = /[\\:]/g

/**
 * Returns the text of a key: short, never empty, never with lone surrogates.
 *
 * A number and its decimal string are the same key here (`(id: number) => id` and `evict('1')` meet); the default key
 * from arguments tells them apart.
 *
 * @throws KeyError for anything else.
 */
export function keyText(key: unknown): string {
  if (typeof key === 'string') return plainKey(key)
  if (Array.isArray(key)) return plainKey(joinParts(key))
  return partText(key, 'A key function')
}

function plainKey(key: string): string {
  if (key.length === 0) throw new KeyError('A key function returned an empty string; a key needs at least one character.')
  if (key.length <= MAX_PLAIN_LENGTH && key.isWellFormed() && key.charCodeAt(0) !== 35) return key
  return shortenKey(key)
}

function joinParts(parts: readonly unknown[]): string {
  if (parts.length === 0) throw new KeyError('A key function returned an empty array; a key needs at least one part.')
  return parts
    .map((part) => partText(part, 'A part of the key').replace(SEPARATOR, (char) => `\\${char}`))
    .join(':')
}

function partText(part: unknown, what: string): string {
  if (typeof part === 'string') return part
  if (typeof part === 'bigint' || typeof part === 'boolean') return String(part)
  if (typeof part === 'number' && !Number.isNaN(part)) return Object.is(part, -0) ? '0' : String(part)
  throw new KeyError(`${what} is ${describeValue(part)}; it must be a string, number, bigint or boolean.`)
}
