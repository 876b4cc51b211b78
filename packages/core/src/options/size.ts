/** Sizes as users write them: `'64b' | '2kb' | '64mb' | '1gb'`, or a number of bytes. Units are powers of 1024. */

import { InvalidOptionError } from '../errors/option-error.ts'

/** An amount of memory; a bare number counts bytes. */
export type Size = number | `${number}${'b' | 'kb' | 'mb' | 'gb'}`

const UNIT_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1_024,
  mb: 1_024 ** 2,
  gb: 1_024 ** 3,
}
const MAX_BYTES = 1_024 ** 4
const PATTERN = /^(\d{1,15}(?:\.\d{1,6})?)(b|kb|mb|gb)$/

/**
 * Returns whole bytes, rounded up, from 1 to 1 TiB.
 *
 * @throws InvalidOptionError naming `option`.
 * @example parseSize('2kb', 'threshold') // 2048
 */
export function parseSize(value: Size, option: string, min = 1): number {
  const bytes = Math.ceil(bytesOf(value))
  if (bytes >= min && bytes <= MAX_BYTES) return bytes
  throw new InvalidOptionError({
    option,
    expected: `a size such as '2kb', '64mb', or a number of bytes, at least ${min}`,
    received: value,
  })
}

function bytesOf(value: unknown): number {
  if (typeof value === 'number') return Number.isFinite(value) ? value : Number.NaN
  if (typeof value !== 'string') return Number.NaN
  const [, amount, unit] = PATTERN.exec(value) ?? []
  return amount === undefined || unit === undefined
    ? Number.NaN
    : Number(amount) * (UNIT_BYTES[unit] ?? Number.NaN)
}
