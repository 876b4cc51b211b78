/** What a caller says of one entry, in the read path's terms. */

import { tagName } from '../coherence/tag-clock.ts'
import {
  assertBoolean,
  assertKnownOptions,
  assertSignal,
  assertTags,
} from '../options/assert-option.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { optionNames } from '../options/option-names.ts'
import { knownNow } from './keep.ts'
import type { ReadRules } from './read-call.ts'

/** Options of one entry. */
export interface EntryOptions<Value = unknown> {
  /** Tags of the entry; a function computes them from the value. */
  readonly tags?: readonly string[] | ((value: Value) => readonly string[]) | undefined
  /** Fresh-for, instead of the cache's. 0 keeps the value out of the cache. */
  readonly ttl?: Duration | ((value: Value) => Duration | undefined) | undefined
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
}

/** Options of a look. */
export interface GetOptions {
  /** Ends the caller's waiting at once, with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /**
   * Also what is no longer served in general: what is kept for when loads fail (`staleIfError`), or was evicted softly.
   * `getEntry` says how old a value is. @default false
   */
  readonly allowStale?: boolean | undefined
}

const ENTRY_OPTION_NAMES = optionNames<EntryOptions>({ tags: true, ttl: true })

const NO_TAGS: readonly string[] = Object.freeze([])

/** Where options were given. */
export interface EntryPlace {
  /** How messages name it. */
  readonly where: string
  /** Is shown each `ttl`; in development. */
  readonly onTtl: ((ttl: unknown, option: string) => void) | undefined
}

/**
 * Returns tags and ttl in the read path's terms.
 *
 * @throws InvalidOptionError
 */
export function resolveEntryOptions(options: EntryOptions, place: EntryPlace): ReadRules {
  const { where } = place
  assertKnownOptions(options, ENTRY_OPTION_NAMES, where)
  const { tags, ttl } = options
  return {
    mode: 'normal',
    tags:
      typeof tags === 'function' || tags === undefined ? NO_TAGS : tagNames(tags, `${where}.tags`),
    tagsOf:
      typeof tags === 'function'
        ? (value) => tagNames(knownNow(tags(value)), `${where}.tags`)
        : undefined,
    ttlOf: ttl === undefined ? undefined : ttlFunction(ttl, `${where}.ttl`, place),
  }
}

const LOAD_OPTION_NAMES = optionNames<LoadOptions>({
  tags: true,
  ttl: true,
  signal: true,
  hardTimeout: true,
})
/** What holds when nobody says otherwise. */
export const GET_DEFAULTS = { allowStale: false } as const satisfies GetOptions
const GET_OPTION_NAMES = optionNames<GetOptions>({ signal: true, allowStale: true })
const SIGNAL_NAMES = optionNames<Pick<GetOptions, 'signal'>>({ signal: true })

/** The same of a call that may load. @throws InvalidOptionError */
export function resolveLoadOptions(options: LoadOptions, place: EntryPlace): ReadRules {
  const { where } = place
  assertKnownOptions(options, LOAD_OPTION_NAMES, where)
  const { signal, hardTimeout, ...entry } = options
  assertSignal(signal, `${where}.signal`)
  const rules = resolveEntryOptions(entry, place)
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

/** Checks tags and returns their table names. */
export function tagNames(tags: unknown, option: string): readonly string[] {
  assertTags(tags, option)
  return tags.length === 0 ? NO_TAGS : tags.map(tagName)
}

function ttlFunction(
  ttl: Duration | ((value: unknown) => Duration | undefined),
  option: string,
  { onTtl }: EntryPlace,
): (value: unknown) => number | undefined {
  if (typeof ttl !== 'function') {
    const ttlMs = parseDuration(ttl, option)
    onTtl?.(ttl, option)
    return () => ttlMs
  }
  return (value) => {
    const found = knownNow(ttl(value))
    onTtl?.(found, option)
    return found === undefined ? undefined : parseDuration(found, option)
  }
}
