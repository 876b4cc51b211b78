/** Checks that throw `InvalidOptionError` naming the option, what it got and what it takes. */

import { InvalidOptionError } from '../errors/option-error.ts'

/**
 * Checks that `options` is a plain options object with known names only; the nearest known name is suggested.
 *
 * @throws InvalidOptionError
 */
export function assertKnownOptions(
  options: unknown,
  names: readonly string[],
  where: string,
): asserts options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidOptionError({ option: where, expected: 'an options object', received: options })
  }
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue
    throw new InvalidOptionError({
      option: `${where}.${name}`,
      expected: `no option of that name (known: ${names.join(', ')})`,
      received: (options as Record<string, unknown>)[name],
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
    typeof value === 'number' && Number.isInteger(value) && value >= bounds.min && value <= bounds.max
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

const MAX_DISTANCE = 3

/** Returns the known name nearest to a mistyped one, or `undefined` when none is near. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined
  let least = MAX_DISTANCE + 1
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < least) {
      least = distance
      nearest = candidate
    }
  }
  return nearest
}

/** Levenshtein distance by one row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
