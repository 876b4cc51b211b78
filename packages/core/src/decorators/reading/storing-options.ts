/** Options of both `@Cacheable` and `@CachePut`: how a result is kept. */

import { type EntryPlace, tagNames, tagsFrom, ttlFrom } from '../../cache/entry-rules.ts'
import type { ReadMode, ReadRules } from '../../cache/read-call.ts'
import { InvalidOptionError } from '../../errors/option-error.ts'
import { assertBoolean, assertFunction, assertText } from '../../options/assert-option.ts'
import {
  assertCacheOptions,
  CACHE_OPTION_NAMES,
  type CacheOptions,
} from '../../options/cache-options.ts'
import type { Duration } from '../../options/duration.ts'
import { assertName } from '../../options/name.ts'
import { optionNames } from '../../options/option-names.ts'
import { answered, assertSynchronous, callback } from '../bound/callbacks.ts'

type Args = readonly unknown[]

/** Callbacks get the result, then the method's arguments. */
export interface StoringOptions<
  Result,
  TagArgs extends Args,
  TtlArgs extends Args,
  UnlessArgs extends Args,
> extends Omit<CacheOptions, 'ttl' | 'tags'> {
  /** Name of the cache; else that of `@CacheConfig`; else (for `@Cacheable`) one of the method's own. */
  readonly cache?: string | undefined
  /**
   * True: classes that inherit the method use the same entries, because they load the same data. @default that of `@CacheConfig`,
   * else false: an inherited method belongs to the class on which it is called
   */
  readonly shareWithSubclasses?: boolean | undefined
  /** Tags of the entry, beside those of class and manager. @default [] */
  readonly tags?:
    | readonly string[]
    | ((result: Result, ...args: TagArgs) => readonly string[])
    | undefined
  /** How long the entry is fresh. A function may return `undefined` for the usual time, and 0 to keep the result out of the cache. */
  readonly ttl?: Duration | ((result: Result, ...args: TtlArgs) => Duration | undefined) | undefined
  /** True keeps this result out of the cache. */
  readonly unless?: ((result: Result, ...args: UnlessArgs) => boolean) | undefined
}

type AnyStoring = StoringOptions<unknown, [], [], []>

/** Names of the options above. */
export const STORING_NAMES = [
  ...optionNames<Omit<AnyStoring, keyof CacheOptions>>({
    cache: true,
    shareWithSubclasses: true,
    unless: true,
  }),
  ...CACHE_OPTION_NAMES,
]

/** What a call adds about keeping its result. */
export type ResultRules = (self: unknown, args: Args, mode: ReadMode) => ReadRules

/** The checked form. */
export interface Storing {
  readonly cacheName: string | undefined
  readonly shares: boolean | undefined
  readonly policy: CacheOptions
  /** The rules of the method's calls, once its class is known. */
  readonly rulesAt: (place: EntryPlace) => ResultRules
}

/** @throws InvalidOptionError naming the first option that is wrong. */
export function resolveStoring(options: object, where: string): Storing {
  const { cache, tags, unless, ttl, shareWithSubclasses } = options as Record<string, unknown>
  if (shareWithSubclasses !== undefined) {
    assertBoolean(shareWithSubclasses, `${where}.shareWithSubclasses`)
  }
  if (cache !== undefined) assertName(cache, `${where}.cache`)
  for (const [name, value] of Object.entries({ tags, ttl, unless })) {
    assertSynchronous(value, `${where}.${name}`)
  }
  if (unless !== undefined) assertFunction(unless, `${where}.unless`)
  const policy = policyOf(options)
  assertCacheOptions(policy, where)
  const rulesAt = rulesOf({ tags, unless, ttl }, where)
  return { cacheName: cache, shares: shareWithSubclasses as boolean | undefined, policy, rulesAt }
}

/** Takes the policy out of a decorator's options; tags, and a `ttl` that depends on the result, are not part of it. */
function policyOf(options: object): CacheOptions {
  const policy: Record<string, unknown> = {}
  for (const name of CACHE_OPTION_NAMES) {
    const value = (options as Record<string, unknown>)[name]
    const isOfResult = name === 'tags' || (name === 'ttl' && typeof value === 'function')
    if (value !== undefined && !isOfResult) policy[name] = value
  }
  return policy
}

function rulesOf(
  options: { readonly tags: unknown; readonly unless: unknown; readonly ttl: unknown },
  where: string,
): Storing['rulesAt'] {
  const fixed = fixedTags(options.tags, `${where}.tags`)
  const tagsOf = callback(options.tags)
  const ttlOf = callback(options.ttl)
  const unless = callback(options.unless)
  return (place) => {
    const tags = tagNames(fixed, place)
    if (tagsOf === undefined && ttlOf === undefined && unless === undefined) {
      const usual: ReadRules = { mode: 'normal', tags }
      return (_self, _args, mode) => (mode === 'normal' ? usual : { mode, tags })
    }
    return (self, args, mode) => ({
      mode,
      tags,
      tagsOf: tagsOf && tagsFrom((result) => tagsOf.call(self, result, ...args), place),
      ttlOf: ttlOf && ttlFrom((result) => ttlOf.call(self, result, ...args), place),
      storeWhen:
        unless &&
        ((result) => answered(unless.call(self, result, ...args), `${where}.unless`) !== true),
    })
  }
}

/**
 * Returns the tags that are known at definition; empty for a function.
 *
 * @throws InvalidOptionError
 */
export function fixedTags(tags: unknown, option: string): readonly string[] {
  if (tags === undefined || typeof tags === 'function') return []
  if (!Array.isArray(tags)) {
    const expected = 'an array of tags or a function that returns one'
    throw new InvalidOptionError({ option, expected, received: tags })
  }
  for (const tag of tags as unknown[]) assertText(tag, option)
  return [...(tags as string[])]
}
