/** Sizes as users write them: `'64b' | '2kb' | '64mb' | '1gb'`, or a number of bytes. Units are powers of 1024. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { parseAmount, type Units } from './amount.ts'

/** An amount of memory; a bare number counts bytes. */
export type Size = number | `${number}${'b' | 'kb' | 'mb' | 'gb'}`

const UNIT_BYTES: Units = { b: 1, kb: 1_024, mb: 1_024 ** 2, gb: 1_024 ** 3 }
const MAX_BYTES = 1_024 ** 4

/**
 * Returns whole bytes, rounded up, from `min` to 1 TiB.
 *
 * @throws InvalidOptionError naming `option`.
 * @example parseSize('2kb', 'threshold') // 2048
 */
export function parseSize(value: Size, option: string, min = 1): number {
  const bytes = parseAmount(value, UNIT_BYTES)
  if (bytes >= min && bytes <= MAX_BYTES) return bytes
  throw new InvalidOptionError({
    option,
    expected: `a size such as '64b', '2kb', '64mb', '1gb', or bytes, from ${min} to 1024gb`,
    received: value,
    suggestion: respelled(value),
  })
}

/** Finds the size meant by `'64 MB'`, `'64MiB'` or `'64m'`. */
function respelled(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 30) return undefined
  const [, amount, prefix] = /^\s*(\d+(?:\.\d+)?)\s*([kmg]?)i?(?:b|bytes?)?\s*$/i.exec(value) ?? []
  const size = prefix === undefined ? undefined : `${amount}${prefix.toLowerCase()}b`
  return size === undefined || size === value ? undefined : `'${size}'`
}
