/** What `@Cacheable` and `@CachePut` have in common: options that say how a result is kept. */

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
import type { MethodCall } from '../bound/method-cache.ts'

type Args = readonly unknown[]

/** Callbacks get the result, then the method's arguments. */
export interface StoringOptions<
  Result,
  TagArgs extends Args,
  TtlArgs extends Args,
  UnlessArgs extends Args,
> extends Omit<CacheOptions, 'ttl' | 'tags'> {
  /** Name of the cache; else `@CacheConfig`'s, else (for `@Cacheable`) one of the method's own. */
  readonly cache?: string | undefined
  /**
   * True: classes that inherit the method use the same entries, because they load the same. @default what `@CacheConfig`
   * says, else false: an inherited method belongs to the class it is called on
   */
  readonly shareWithSubclasses?: boolean | undefined
  /** Tags of the entry, beside those of class and manager. @default [] */
  readonly tags?:
    | readonly string[]
    | ((result: Result, ...args: TagArgs) => readonly string[])
    | undefined
  /** Fresh for. A function may return `undefined` for the usual, and 0 to keep the result out of the cache. */
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

/** What a call says about its result. */
export type ResultRules = (self: unknown, args: Args, mode: MethodCall['mode']) => MethodCall

/** The checked form. */
export interface Storing {
  readonly cacheName: string | undefined
  readonly shares: boolean | undefined
  readonly policy: CacheOptions
  readonly rules: ResultRules
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
  const rules = rulesOf({ tags, unless, ttl }, where)
  return { cacheName: cache, shares: shareWithSubclasses as boolean | undefined, policy, rules }
}

/** Takes the policy out of a decorator's options; tags, and a `ttl` that depends on the result, are none. */
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
): ResultRules {
  const tags = fixedTags(options.tags, `${where}.tags`)
  const tagsOf = callback(options.tags)
  const ttlOf = callback(options.ttl)
  const unless = callback(options.unless)
  if (tagsOf === undefined && ttlOf === undefined && unless === undefined) {
    const usual: MethodCall = { mode: 'normal', tags }
    return (_self, _args, mode) => (mode === 'normal' ? usual : { mode, tags })
  }
  return (self, args, mode) => ({
    mode,
    tags,
    tagsOf: tagsOf && ((result) => tagsOf.call(self, result, ...args) as readonly string[]),
    ttlOf: ttlOf && ((result) => ttlOf.call(self, result, ...args)),
    storeWhen:
      unless &&
      ((result) => answered(unless.call(self, result, ...args), `${where}.unless`) !== true),
  })
}

/**
 * Returns the tags that are known at definition; none for a function.
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
