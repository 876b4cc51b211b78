/** What may be said of one call under a limiter, and the checks. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { assertKnownOptions, assertSignal } from '../options/assert-option.ts'
import { optionNames } from '../options/option-names.ts'

/** Options of one call. */
export interface ConsumeOptions {
  /** Ends the waiting for a turn; the turn is given back where that is possible. */
  readonly signal?: AbortSignal | undefined
  /** The arguments for a function as `limit`. @default the key */
  readonly args?: readonly unknown[] | undefined
  /** The `this` of that function. */
  readonly self?: unknown
}

/** Options of `limiter.run`. */
export interface RunOptions extends ConsumeOptions {
  /** What the call costs. @default 1 */
  readonly cost?: number | undefined
}

/** Names of the options above. */
export const RUN_NAMES = optionNames<RunOptions>({
  cost: true,
  signal: true,
  args: true,
  self: true,
})
/** Of a call about which nothing is said, which needs no check. */
export const NO_OPTIONS: ConsumeOptions = Object.freeze({})

const NAMES = optionNames<ConsumeOptions>({ signal: true, args: true, self: true })

/**
 * Checks the options of one call, and leaves those of `run` that are beside them.
 *
 * @throws InvalidOptionError
 */
export function assertConsumeOptions(
  options: ConsumeOptions,
  where: string,
  names: readonly string[] = NAMES,
): void {
  assertKnownOptions(options, names, where)
  assertSignal(options.signal, `${where}.signal`)
  if (options.args === undefined || Array.isArray(options.args)) return
  const expected = 'an array of arguments'
  throw new InvalidOptionError({ option: `${where}.args`, expected, received: options.args })
}
