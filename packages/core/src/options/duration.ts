/** Durations as users write them: `'250ms' | '30s' | '5m' | '2h' | '1d'`, or a number of milliseconds. */

import { InvalidOptionError } from '../errors/option-error.ts'

/** A length of time; a bare number counts milliseconds. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const MAX_MS = 3_650 * 86_400_000
const PATTERN = /^(\d{1,15}(?:\.\d{1,6})?)(ms|s|m|h|d)$/
const EXPECTED = "a duration such as '250ms', '30s', '5m', '2h', '1d', or milliseconds"

/**
 * Returns whole milliseconds, rounded up; bounds are in milliseconds and default to 0 and ten years.
 *
 * @throws InvalidOptionError naming `option` when it is no duration or out of bounds.
 * @example parseDuration('1.5s', 'ttl') // 1500
 */
export function parseDuration(
  value: Duration,
  option: string,
  bounds: { readonly min?: number; readonly max?: number } = {},
): number {
  const { min = 0, max = MAX_MS } = bounds
  const ms = Math.ceil(milliseconds(value))
  if (ms >= min && ms <= max) return ms
  const range = Number.isNaN(ms) ? '' : ` from ${min} ms to ${max} ms`
  throw new InvalidOptionError({ option, expected: EXPECTED + range, received: value })
}

function milliseconds(value: unknown): number {
  if (typeof value === 'number') return Number.isFinite(value) ? value : Number.NaN
  if (typeof value !== 'string') return Number.NaN
  const [, amount, unit] = PATTERN.exec(value) ?? []
  return amount === undefined || unit === undefined
    ? Number.NaN
    : Number(amount) * (UNIT_MS[unit] ?? Number.NaN)
}
