/** Checks that throw `InvalidOptionError` naming the option, what it got and what it takes. */

import { InvalidOptionError } from '../errors/option-error.ts'

/**
 * Checks that `options` is an options object with known names only; the nearest known name is suggested.
 *
 * @throws InvalidOptionError
 */
export function assertKnownOptions(
  options: unknown,
  names: readonly string[],
  where: string,
): asserts options is object {
  // The tag also refuses a Map or a promise (a forgotten await), which have no option names and would mean "all defaults".
  if (Object.prototype.toString.call(options) !== '[object Object]') {
    throw new InvalidOptionError({
      option: where,
      expected: 'an options object',
      received: options,
    })
  }
  for (const name of Object.keys(options as object)) {
    if (names.includes(name)) continue
    throw new InvalidOptionError({
      option: `${where}.${name}`,
      known: names,
      suggestion: nearestName(name, names),
    })
  }
}

/** @throws InvalidOptionError unless `value` is a function. */
export function assertFunction(value: unknown, option: string): void {
  if (typeof value === 'function') return
  throw new InvalidOptionError({ option, expected: 'a function', received: value })
}

/** @throws InvalidOptionError unless `value` is a boolean. */
export function assertBoolean(value: unknown, option: string): void {
  if (typeof value === 'boolean') return
  throw new InvalidOptionError({ option, expected: 'true or false', received: value })
}

/** @throws InvalidOptionError unless `value` is one of `choices`. */
export function assertOneOf(value: unknown, choices: readonly unknown[], option: string): void {
  if (choices.includes(value)) return
  const expected = choices.map((choice) => JSON.stringify(choice)).join(' or ')
  throw new InvalidOptionError({ option, expected, received: value })
}

/** @throws InvalidOptionError unless `value` is a whole number within the bounds. */
export function assertInteger(
  value: unknown,
  option: string,
  bounds: { readonly min: number; readonly max: number },
): asserts value is number {
  const isWithin =
    typeof value === 'number' &&
    Number.isInteger(value) &&
    value >= bounds.min &&
    value <= bounds.max
  if (isWithin) return
  throw new InvalidOptionError({
    option,
    expected: `a whole number from ${bounds.min} to ${bounds.max}`,
    received: value,
  })
}

/** @throws InvalidOptionError unless `value` is a non-empty string without lone surrogates, of at most `max` units. */
export function assertText(value: unknown, option: string, max = 200): asserts value is string {
  const isFine =
    typeof value === 'string' && value.length > 0 && value.length <= max && value.isWellFormed()
  if (isFine) return
  throw new InvalidOptionError({
    option,
    expected: `a non-empty string of at most ${max} characters without lone surrogates`,
    received: value,
  })
}

/** @throws InvalidOptionError unless `value` is an AbortSignal or `undefined`. */
export function assertSignal(
  value: unknown,
  option: string,
): asserts value is AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return
  throw new InvalidOptionError({ option, expected: 'an AbortSignal', received: value })
}

/** @throws InvalidOptionError unless `value` is an array; a string would be read as a list of its letters. */
export function assertKeys(value: unknown, option: string): asserts value is readonly unknown[] {
  if (Array.isArray(value)) return
  throw new InvalidOptionError({ option, expected: 'an array of keys', received: value })
}

/** @throws InvalidOptionError unless `value` is an array of strings. */
export function assertTags(value: unknown, option: string): asserts value is readonly string[] {
  if (!Array.isArray(value)) {
    throw new InvalidOptionError({ option, expected: 'an array of strings', received: value })
  }
  for (const tag of value as readonly unknown[]) assertText(tag, option)
}

/** @throws InvalidOptionError unless `value` can be iterated over, synchronously or not. A string is not accepted. */
export function assertIterable(value: unknown, option: string): void {
  const { [Symbol.iterator]: items, [Symbol.asyncIterator]: later } = Object(value ?? 0)
  const isIterable = typeof items === 'function' || typeof later === 'function'
  if (typeof value !== 'string' && isIterable) return
  const expected = 'something to iterate over, such as a Map or an array of pairs'
  throw new InvalidOptionError({ option, expected, received: value })
}

/** @throws InvalidOptionError unless `value` is a list of two. */
export function assertPair(
  value: unknown,
  option: string,
): asserts value is readonly [unknown, unknown] {
  if (Array.isArray(value) && value.length === 2) return
  throw new InvalidOptionError({ option, expected: 'pairs of a key and a value', received: value })
}

const MOST_SLIPS = 3

/** Returns the known name nearest to a mistyped one, or `undefined` when none is near. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined
  // About one mistake in three characters: 'tll' means 'ttl', but 'key' does not.
  let limit = Math.min(MOST_SLIPS, Math.max(1, Math.floor(name.length / 3)))
  for (const candidate of names) {
    if (Math.abs(candidate.length - name.length) > limit) continue
    const slips = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (slips > limit) continue
    nearest = candidate
    limit = slips - 1
  }
  return nearest
}

/** Insertions, deletions, substitutions and swaps of neighbours between two texts (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwap ? at(beforeLast, j - 2) + 1 : substituted
      row.push(Math.min(substituted, swapped, at(last, j) + 1, at(row, j - 1) + 1))
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? 0
}
