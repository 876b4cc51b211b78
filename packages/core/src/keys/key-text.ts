/** From what a key function returns to the text of a key. */

import { KeyError } from '../errors/key-error.ts'
import { describeValue } from '../errors/option-error.ts'
import { boundKey, wellFormedKey } from './key-digest.ts'

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
