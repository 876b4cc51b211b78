/** From a key to the name of its lock. Decorators and `caches.locks` share this way, or they would not exclude each other. */

import { KeyError } from '../errors/key-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { type Key, type KeyPart, keyText } from '../keys/key-text.ts'

/**
 * One key, or a list of keys that are taken together: an array is always a list. A key of several parts is an array inside the
 * list: `[['order', 7]]`.
 */
export type LockKeys = KeyPart | readonly Key[]

const MOST_KEYS = 100

/** Returns the name of a key's lock. @throws InvalidOptionError naming `option` */
export function lockName(key: unknown, option: string): string {
  try {
    return keyText(key)
  } catch (error) {
    if (!(error instanceof KeyError)) throw error
    const expected =
      'a key: a text of at least one character, a number, a bigint, a boolean, or an array of those'
    throw new InvalidOptionError({ option, expected, received: key })
  }
}

/** Returns the names of the locks of one key or several. @throws InvalidOptionError naming `option` */
export function lockNames(keys: LockKeys, option: string): readonly string[] {
  if (!Array.isArray(keys)) return [lockName(keys, option)]
  return namesInOrder(keys, option, (key) => lockName(key, option))
}

/**
 * Sorted, so that everybody takes several keys in the same order.
 *
 * @throws InvalidOptionError naming `option`; what `nameOf` throws
 */
export function namesInOrder(
  keys: unknown,
  option: string,
  nameOf: (key: unknown) => string,
): readonly string[] {
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MOST_KEYS) {
    const expected = `a list of 1 to ${MOST_KEYS} keys`
    throw new InvalidOptionError({ option, expected, received: keys })
  }
  if (keys.length === 1) return [nameOf(keys[0])]
  return [...new Set(keys.map(nameOf))].sort()
}
