/** Numbers with a unit, such as `'1.5s'` and `'64mb'`, multiplied out without rounding errors. */

/** What one of each unit is worth, as a whole number. */
export type Units = Readonly<Record<string, number>>

const AMOUNT = /^(\d{1,15})(?:\.(\d{1,6}))?([a-z]{1,2})$/
const MILLION = 1_000_000

/** Returns the whole amount, rounded up so that something never becomes nothing; NaN for anything that is not an amount. */
export function parseAmount(value: unknown, units: Units): number {
  // Negative fractions must be told apart before rounding turns them into -0.
  if (typeof value === 'number')
    return value >= 0 && Number.isFinite(value) ? Math.ceil(value) + 0 : Number.NaN
  if (typeof value !== 'string') return Number.NaN
  const [, whole, fraction = '', unit = ''] = AMOUNT.exec(value) ?? []
  const worth = units[unit] ?? Number.NaN
  // The fraction apart, in millionths: '0.07h' is 252 000 ms, although 0.07 * 3_600_000 is a little more.
  return Number(whole) * worth + Math.ceil((Number(fraction.padEnd(6, '0')) * worth) / MILLION)
}
