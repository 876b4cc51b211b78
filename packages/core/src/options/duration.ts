/** Durations as users write them: `'250ms' | '30s' | '5m' | '2h' | '1d'`, or a number of milliseconds. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { parseAmount, type Units } from './amount.ts'

/** A length of time; a bare number counts milliseconds. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNIT_MS: Units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const MAX_MS = 3_650 * 86_400_000
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  ms: ['ms', 'msec', 'milli', 'millisecond'],
  s: ['s', 'sec', 'second'],
  m: ['m', 'min', 'minute'],
  h: ['h', 'hr', 'hour'],
  d: ['d', 'day'],
}

/**
 * Returns whole milliseconds, rounded up; bounds are in milliseconds and default to 0 and ten years.
 *
 * @throws InvalidOptionError naming `option` when it is not a duration, or is out of bounds.
 * @example parseDuration('1.5s', 'ttl') // 1500
 */
export function parseDuration(
  value: Duration,
  option: string,
  bounds: { readonly min?: number; readonly max?: number } = {},
): number {
  const { min = 0, max = MAX_MS } = bounds
  const ms = parseAmount(value, UNIT_MS)
  if (ms >= min && ms <= max) return ms
  throw new InvalidOptionError({
    option,
    expected: `a duration such as '250ms', '30s', '5m', '2h', '1d', or milliseconds, from ${inWords(min)} to ${inWords(max)}`,
    received: value,
    suggestion: Number.isNaN(ms) ? respelled(value) : undefined,
  })
}

/** Writes milliseconds in the largest unit that divides them. */
function inWords(ms: number): string {
  const fitting = Object.entries(UNIT_MS).findLast(([, worth]) => ms >= worth && ms % worth === 0)
  return fitting === undefined ? String(ms) : `${ms / fitting[1]}${fitting[0]}`
}

/** Finds the duration meant by `'5 minutes'`, `'5min'` or `'5M'`. */
function respelled(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 30) return undefined
  const [, amount, word = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\.?\s*$/i.exec(value) ?? []
  const singular = word.toLowerCase().replace(/(?<=..)s$/, '')
  const unit = Object.keys(SPELLINGS).find((name) => SPELLINGS[name]?.includes(singular))
  return unit === undefined ? undefined : `'${amount}${unit}'`
}
