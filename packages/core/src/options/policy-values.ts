/** Checks of single policy options that are neither durations nor names. */

import { InvalidOptionError } from '../errors/option-error.ts'

const MAX_JITTER = 0.5

/** @throws InvalidOptionError; so do all of these */
export function refreshBeta(value: unknown, option: string): number {
  if (value === false) return 0
  if (value === true) return 1
  if (typeof value === 'number' && value > 0 && value <= 100) return value
  throw new InvalidOptionError({
    option,
    expected: 'true, false, or a factor above 0 and up to 100',
    received: value,
  })
}

export function fraction(value: unknown, option: string): number {
  if (typeof value === 'number' && value >= 0 && value <= MAX_JITTER) return value
  throw new InvalidOptionError({ option, expected: 'a fraction from 0 to 0.5', received: value })
}

/** 32-bit FNV-1a of the version, so that the header has a fixed size; 0 for no version. */
export function schemaFingerprint(version: unknown, option: string): number {
  if (version === undefined) return 0
  if (typeof version !== 'string' && !Number.isFinite(version)) {
    throw new InvalidOptionError({ option, expected: 'a string or a number', received: version })
  }
  let hash = 0x811c9dc5
  for (const char of `${typeof version}:${version}`) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  }
  return hash >>> 0 || 1
}
