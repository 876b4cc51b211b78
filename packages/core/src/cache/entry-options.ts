/** What a caller says of one entry, in the read path's terms. */

import { tagName } from '../coherence/tag-clock.ts'
import { assertKnownOptions, assertTags } from '../options/assert-option.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { knownNow } from './keep.ts'
import type { ReadRules } from './read-call.ts'

/** Options of one entry. */
export interface EntryOptions<Value = unknown> {
  /** Tags of the entry; a function computes them from the value. */
  readonly tags?: readonly string[] | ((value: Value) => readonly string[]) | undefined
  /** Fresh-for, instead of the cache's. 0 keeps the value out of the cache. */
  readonly ttl?: Duration | ((value: Value) => Duration | undefined) | undefined
}

/** Names of the options of one entry. */
export const ENTRY_OPTION_NAMES = ['tags', 'ttl'] as const satisfies readonly (keyof EntryOptions)[]

const NO_TAGS: readonly string[] = Object.freeze([])

/**
 * Returns tags and ttl in the read path's terms.
 *
 * @throws InvalidOptionError
 */
export function resolveEntryOptions(options: EntryOptions, where: string): ReadRules {
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
    ttlOf: ttl === undefined ? undefined : ttlFunction(ttl, `${where}.ttl`),
  }
}

/** Checks tags and returns their table names. */
export function tagNames(tags: unknown, option: string): readonly string[] {
  assertTags(tags, option)
  return tags.length === 0 ? NO_TAGS : tags.map(tagName)
}

function ttlFunction(
  ttl: Duration | ((value: unknown) => Duration | undefined),
  option: string,
): (value: unknown) => number | undefined {
  if (typeof ttl !== 'function') {
    const ttlMs = parseDuration(ttl, option)
    return () => ttlMs
  }
  return (value) => {
    const found = knownNow(ttl(value))
    return found === undefined ? undefined : parseDuration(found, option)
  }
}
