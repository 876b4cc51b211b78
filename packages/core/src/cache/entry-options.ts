/** What a caller says of one entry, in the read path's terms. */

import {
  assertBoolean,
  assertFunction,
  assertKnownOptions,
  assertSignal,
} from '../options/assert-option.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { optionNames } from '../options/option-names.ts'
import {
  type EntryPlace,
  tagNames,
  tagsFrom,
  ttlAlways,
  ttlFrom,
  unsharedFrom,
  windowFrom,
} from './entry-rules.ts'
import type { ReadRules } from './read-call.ts'

/** Options of one entry. */
export interface EntryOptions<Value = unknown> {
  /** Tags of the entry; a function computes them from the value. */
  readonly tags?: readonly string[] | ((value: Value) => readonly string[]) | undefined
  /** Fresh-for, instead of the cache's. 0 keeps the value out of the cache. */
  readonly ttl?: Duration | ((value: Value) => Duration | undefined) | undefined
  /** How long the value is served after it was fresh, while one refresh runs, instead of the cache's. */
  readonly staleWhileRevalidate?: Duration | ((value: Value) => Duration | undefined) | undefined
  /** How long the value is kept after that for failed loads, instead of the cache's. */
  readonly staleIfError?: Duration | ((value: Value) => Duration | undefined) | undefined
}

/** Options of a call that may load. */
export interface LoadOptions<Value = unknown> extends EntryOptions<Value> {
  /**
   * Ends the caller's waiting at once, with the signal's reason. The load goes on for the others; when nobody waits for it
   * any more, the loader's own signal aborts.
   */
  readonly signal?: AbortSignal | undefined
  /** Instead of the cache's: past it the caller waits no longer, and the load goes on. 1 ms or more. */
  readonly hardTimeout?: Duration | undefined
  /**
   * True of a value that is for the caller alone whose loader made it: it is kept nowhere, who waited for it loads for itself, and
   * for two minutes, or as long as is returned, no load of the key is waited for, on any node.
   */
  readonly unshared?: ((value: Value) => boolean | Duration) | undefined
}

/** Options of a look. */
export interface GetOptions {
  /** Ends the caller's waiting at once, with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /**
   * Also a value that is otherwise not served any more: one that is kept for failed loads (`staleIfError`), or was evicted softly.
   * `getEntry` says how old a value is. @default false
   */
  readonly allowStale?: boolean | undefined
}

const ENTRY_OPTION_NAMES = optionNames<EntryOptions>({
  tags: true,
  ttl: true,
  staleWhileRevalidate: true,
  staleIfError: true,
})

/**
 * Returns tags and ttl in the read path's terms.
 *
 * @throws InvalidOptionError
 */
export function resolveEntryOptions(options: EntryOptions, place: EntryPlace): ReadRules {
  const { where } = place
  assertKnownOptions(options, ENTRY_OPTION_NAMES, where)
  const { tags, ttl, staleWhileRevalidate, staleIfError } = options
  const isOfValue = typeof tags === 'function'
  return {
    mode: 'normal',
    tags: tagNames(isOfValue ? undefined : tags, place),
    tagsOf: isOfValue ? tagsFrom(tags, place) : undefined,
    ttlOf: ttl === undefined ? undefined : ttlOf(ttl, place),
    staleWhileRevalidateOf: windowFrom(staleWhileRevalidate, `${where}.staleWhileRevalidate`),
    staleIfErrorOf: windowFrom(staleIfError, `${where}.staleIfError`),
  }
}

function ttlOf(ttl: NonNullable<EntryOptions['ttl']>, place: EntryPlace): ReadRules['ttlOf'] {
  return typeof ttl === 'function' ? ttlFrom(ttl, place) : ttlAlways(ttl, place)
}

const LOAD_OPTION_NAMES = optionNames<LoadOptions>({
  tags: true,
  ttl: true,
  staleWhileRevalidate: true,
  staleIfError: true,
  signal: true,
  hardTimeout: true,
  unshared: true,
})
/** The defaults. */
export const GET_DEFAULTS = { allowStale: false } as const satisfies GetOptions
const GET_OPTION_NAMES = optionNames<GetOptions>({ signal: true, allowStale: true })
const SIGNAL_NAMES = optionNames<Pick<GetOptions, 'signal'>>({ signal: true })

/** The same of a call that may load. @throws InvalidOptionError */
export function resolveLoadOptions(options: LoadOptions, place: EntryPlace): ReadRules {
  const { where } = place
  assertKnownOptions(options, LOAD_OPTION_NAMES, where)
  const { signal, hardTimeout, unshared, ...entry } = options
  assertSignal(signal, `${where}.signal`)
  if (unshared !== undefined) assertFunction(unshared, `${where}.unshared`)
  const kept = resolveEntryOptions(entry, place)
  const rules =
    unshared === undefined
      ? kept
      : { ...kept, unsharedOf: unsharedFrom(unshared, `${where}.unshared`) }
  if (signal === undefined && hardTimeout === undefined) return rules
  const hardTimeoutMs =
    hardTimeout === undefined
      ? undefined
      : parseDuration(hardTimeout, `${where}.hardTimeout`, { min: 1 })
  return { ...rules, patience: { signal, hardTimeoutMs } }
}

/** @throws InvalidOptionError */
export function resolveGetOptions(
  options: GetOptions,
  where: string,
): { readonly signal: AbortSignal | undefined; readonly allowStale: boolean } {
  assertKnownOptions(options, GET_OPTION_NAMES, where)
  const { signal, allowStale = GET_DEFAULTS.allowStale } = options
  assertSignal(signal, `${where}.signal`)
  assertBoolean(allowStale, `${where}.allowStale`)
  return { signal, allowStale }
}

/** @throws InvalidOptionError */
export function resolveSignal(
  options: Pick<GetOptions, 'signal'>,
  where: string,
): AbortSignal | undefined {
  assertKnownOptions(options, SIGNAL_NAMES, where)
  assertSignal(options.signal, `${where}.signal`)
  return options.signal
}
