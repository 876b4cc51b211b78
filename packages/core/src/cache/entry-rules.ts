/**
 * What a call says of its result, in the engine's terms. Named caches and decorated methods make it from what the user
 * wrote, each once, and the engine takes it as it is.
 */

import { tagName } from '../coherence/tag-clock.ts'
import { assertTags } from '../options/assert-option.ts'
import type { Policy } from '../options/cache-options.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { knownNow } from './known-now.ts'
import { UNSHARED_MS } from './unshared-keys.ts'

export interface EntryRules {
  /** Tags known from the arguments, as table names. */
  readonly tags: readonly string[]
  /** Further tags from the result, as table names. */
  readonly tagsOf?: ((value: unknown) => readonly string[]) | undefined
  /** Fresh-for from the result, ms; `undefined` for the policy's. */
  readonly ttlOf?: ((value: unknown) => number | undefined) | undefined
  /** The stale windows from the result, ms; `undefined` for the policy's. */
  readonly staleWhileRevalidateOf?: ((value: unknown) => number | undefined) | undefined
  readonly staleIfErrorOf?: ((value: unknown) => number | undefined) | undefined
  /** For how long loads of the key are not shared, ms, because this result is for one caller alone; 0 where it is for all. */
  readonly unsharedOf?: ((value: unknown) => number) | undefined
  /** False keeps this result out of the cache. */
  readonly storeWhen?: ((value: unknown) => boolean) | undefined
  /** False, asked when the load is over: nothing of it may be kept, neither a result nor an error. */
  readonly keeps?: (() => boolean) | undefined
}

/** Where it was said. */
export interface EntryPlace {
  /** How messages name it. */
  readonly where: string
  /** Is shown each `ttl`; in development. */
  readonly onTtl: ((ttl: unknown, option: string) => void) | undefined
}

/** Whether values are kept for failed loads. */
export function keepsForErrors({
  policy,
  rules,
}: {
  readonly policy: Pick<Policy, 'staleIfErrorMs'>
  readonly rules: EntryRules
}): boolean {
  return policy.staleIfErrorMs > 0 || rules.staleIfErrorOf !== undefined
}

const NO_TAGS: readonly string[] = Object.freeze([])

/** Checks tags and returns their table names. @throws InvalidOptionError */
export function tagNames(tags: unknown, { where }: EntryPlace): readonly string[] {
  if (tags === undefined) return NO_TAGS
  assertTags(tags, `${where}.tags`)
  return tags.length === 0 ? NO_TAGS : tags.map(tagName)
}

/** Makes `tagsOf` from a function of the user's. */
export function tagsFrom(
  tags: (value: unknown) => unknown,
  place: EntryPlace,
): (value: unknown) => readonly string[] {
  return (value) => {
    const found = knownNow(tags(value))
    assertTags(found, `${place.where}.tags`)
    return found.length === 0 ? NO_TAGS : found.map(tagName)
  }
}

/** Makes `ttlOf` from a duration of the user's, which is checked at once. @throws InvalidOptionError */
export function ttlAlways(ttl: Duration, { where, onTtl }: EntryPlace): () => number {
  const option = `${where}.ttl`
  const ttlMs = parseDuration(ttl, option)
  onTtl?.(ttl, option)
  return () => ttlMs
}

/** Makes `ttlOf` from a function of the user's. */
export function ttlFrom(
  ttl: (value: unknown) => unknown,
  { where, onTtl }: EntryPlace,
): (value: unknown) => number | undefined {
  const option = `${where}.ttl`
  return (value) => {
    const found = knownNow(ttl(value))
    if (found === undefined) return undefined
    onTtl?.(found, option)
    return parseDuration(found as Duration, option)
  }
}

/** Makes the rule of a stale window from a duration of the user's, or a function of the value that returns one. @throws InvalidOptionError */
export function windowFrom(
  window: unknown,
  option: string,
): ((value: unknown) => number | undefined) | undefined {
  if (window === undefined) return undefined
  if (typeof window !== 'function') {
    const windowMs = parseDuration(window as Duration, option)
    return () => windowMs
  }
  return (value) => {
    const found = knownNow(window(value))
    return found === undefined ? undefined : parseDuration(found as Duration, option)
  }
}

/** Makes `unsharedOf` from a function of the user's. */
export function unsharedFrom(
  unshared: (value: unknown) => unknown,
  option: string,
): (value: unknown) => number {
  return (value) => {
    const found = knownNow(unshared(value))
    if (found === undefined || found === false) return 0
    return found === true ? UNSHARED_MS : parseDuration(found as Duration, option, { min: 1 })
  }
}
