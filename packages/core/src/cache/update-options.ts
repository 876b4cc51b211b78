/** Options of an update. */

import { assertInteger, assertKnownOptions, assertSignal } from '../options/assert-option.ts'
import { optionNames } from '../options/option-names.ts'
import type { EntryOptions } from './entry-options.ts'

export interface UpdateOptions<Value = unknown> extends EntryOptions<Value> {
  /** How often it is tried again after others changed the entry meanwhile. 0 to 1000. @default 20 */
  readonly retries?: number | undefined
  /**
   * Ends the caller's waiting at once, with the signal's reason. Nothing is tried after that; a try that is under way may
   * still be carried out.
   */
  readonly signal?: AbortSignal | undefined
}

/** The defaults. */
export const UPDATE_DEFAULTS = { retries: 20 } as const satisfies UpdateOptions
const UPDATE_OPTION_NAMES = optionNames<UpdateOptions>({
  tags: true,
  ttl: true,
  staleWhileRevalidate: true,
  staleIfError: true,
  retries: true,
  signal: true,
})

export interface ResolvedUpdateOptions<Value> {
  readonly entry: EntryOptions<Value>
  readonly retries: number
  readonly signal: AbortSignal | undefined
}

/** Tags and ttl are checked where they are used. @throws InvalidOptionError */
export function resolveUpdateOptions<Value>(
  options: UpdateOptions<Value>,
  where: string,
): ResolvedUpdateOptions<Value> {
  assertKnownOptions(options, UPDATE_OPTION_NAMES, where)
  const { retries = UPDATE_DEFAULTS.retries, signal, ...entry } = options
  assertInteger(retries, `${where}.retries`, { min: 0, max: 1_000 })
  assertSignal(signal, `${where}.signal`)
  return { entry, retries, signal }
}
