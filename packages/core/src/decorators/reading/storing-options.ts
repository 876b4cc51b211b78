/** Options of both `@Cacheable` and `@CachePut`: how a result is kept. */

import {
  type EntryPlace,
  tagNames,
  tagsFrom,
  ttlFrom,
  unsharedFrom,
  windowFrom,
} from '../../cache/entry-rules.ts'
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

/** Policy options that may depend on the result. */
type OfResult = 'tags' | 'ttl' | 'staleWhileRevalidate' | 'staleIfError'

/** Callbacks get the result, then the method's arguments. */
export interface StoringOptions<
  Result,
  TagArgs extends Args,
  TtlArgs extends Args,
  UnlessArgs extends Args,
> extends Omit<CacheOptions, OfResult> {
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
  /** After `ttl`, how long the result is served while one refresh runs. A function may return `undefined` for the usual time. */
  readonly staleWhileRevalidate?: Duration | ((result: Result) => Duration | undefined) | undefined
  /** How long the result is kept after that for failed loads. A function may return `undefined` for the usual time. */
  readonly staleIfError?: Duration | ((result: Result) => Duration | undefined) | undefined
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

/** What calls of a method add about keeping their results. */
export interface ResultRules {
  /** The same for all usual calls, where nothing in it depends on a call. */
  readonly usualRules?: ReadRules | undefined
  readonly rules: (self: unknown, args: Args, mode: ReadMode) => ReadRules
}

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
  const { staleWhileRevalidate, staleIfError, unshared } = options as Record<string, unknown>
  const ofResult = { tags, ttl, unless, staleWhileRevalidate, staleIfError, unshared }
  if (shareWithSubclasses !== undefined) {
    assertBoolean(shareWithSubclasses, `${where}.shareWithSubclasses`)
  }
  if (cache !== undefined) assertName(cache, `${where}.cache`)
  for (const [name, value] of Object.entries(ofResult)) {
    assertSynchronous(value, `${where}.${name}`)
  }
  if (unless !== undefined) assertFunction(unless, `${where}.unless`)
  const policy = policyOf(options)
  assertCacheOptions(policy, where)
  if (unshared !== undefined) assertFunction(unshared, `${where}.unshared`)
  const rulesAt = rulesOf(ofResult, where)
  return { cacheName: cache, shares: shareWithSubclasses as boolean | undefined, policy, rulesAt }
}

/** Takes the policy out of a decorator's options; tags, and a `ttl` that depends on the result, are not part of it. */
function policyOf(options: object): CacheOptions {
  const policy: Record<string, unknown> = {}
  for (const name of CACHE_OPTION_NAMES) {
    const value = (options as Record<string, unknown>)[name]
    const isOfResult = name === 'tags' || (isWindow(name) && typeof value === 'function')
    if (value !== undefined && !isOfResult) policy[name] = value
  }
  return policy
}

function isWindow(name: string): boolean {
  return name === 'ttl' || name === 'staleWhileRevalidate' || name === 'staleIfError'
}

/** Options that may be functions of the result. */
interface OfResultOptions {
  readonly tags: unknown
  readonly unless: unknown
  readonly ttl: unknown
  readonly staleWhileRevalidate: unknown
  readonly staleIfError: unknown
  readonly unshared: unknown
}

/** Rules from the result alone: the same for all calls. Absent where none was given. */
function resultRules(options: OfResultOptions, where: string): Partial<ReadRules> | undefined {
  const { staleWhileRevalidate, staleIfError, unshared } = options
  const own = [staleWhileRevalidate, staleIfError, unshared].map(callback)
  if (own.every((each) => each === undefined)) return undefined
  const [whileRevalidating, ifError, apart] = own
  return {
    staleWhileRevalidateOf: windowFrom(whileRevalidating, `${where}.staleWhileRevalidate`),
    staleIfErrorOf: windowFrom(ifError, `${where}.staleIfError`),
    unsharedOf: apart && unsharedFrom(apart, `${where}.unshared`),
  }
}

function rulesOf(options: OfResultOptions, where: string): Storing['rulesAt'] {
  const fixed = fixedTags(options.tags, `${where}.tags`)
  const tagsOf = callback(options.tags)
  const ttlOf = callback(options.ttl)
  const unless = callback(options.unless)
  const ofResult = resultRules(options, where)
  return (place) => {
    const tags = tagNames(fixed, place)
    if (tagsOf === undefined && ttlOf === undefined && unless === undefined) {
      const usual: ReadRules = { mode: 'normal', tags, ...ofResult }
      const rules = (_self: unknown, _args: Args, mode: ReadMode): ReadRules =>
        mode === 'normal' ? usual : { ...usual, mode }
      return { usualRules: usual, rules }
    }
    const rules = (self: unknown, args: Args, mode: ReadMode): ReadRules => ({
      ...ofResult,
      mode,
      tags,
      tagsOf: tagsOf && tagsFrom((result) => tagsOf.call(self, result, ...args), place),
      ttlOf: ttlOf && ttlFrom((result) => ttlOf.call(self, result, ...args), place),
      storeWhen:
        unless &&
        ((result) => answered(unless.call(self, result, ...args), `${where}.unless`) !== true),
    })
    return { rules }
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
