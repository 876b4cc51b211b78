/** `@Cacheable`: returns a method's cached result, or runs the method once for everybody and caches what it returns. */

import { InvalidOptionError } from '../errors/option-error.ts'
import type { Key } from '../keys/key-text.ts'
import { assertFunction, assertKnownOptions, assertText } from '../options/assert-option.ts'
import {
  assertCacheOptions,
  CACHE_OPTION_NAMES,
  type CacheOptions,
} from '../options/cache-options.ts'
import type { Duration } from '../options/duration.ts'
import { assertName } from '../options/manager-options.ts'
import { readEach } from './cacheable-each.ts'
import { type EntryHandle, entryHandle } from './cached.ts'
import { type KeySource, keySource } from './key-source.ts'
import { MethodBinding } from './method-binding.ts'
import type { MethodCache, MethodCall } from './method-cache.ts'
import {
  type AnyMethod,
  type AsyncMethodDecorator,
  decorateMethod,
  type FittingMethod,
  invoke,
  type MethodSite,
} from './method-decorator.ts'
import { addOperation } from './operations.ts'
import { currentSkip } from './skip-cache.ts'

type Args = readonly unknown[]

/** What the cache decorators that store have in common. */
export interface StoringOptions<
  Result,
  TagArgs extends Args,
  TtlArgs extends Args,
  UnlessArgs extends Args,
> extends Omit<CacheOptions, 'ttl'> {
  /** Name of the cache; else `@CacheConfig`'s, else the method's own. */
  readonly cache?: string | undefined
  /** Tags of the entry; a function gets the result and the arguments. */
  readonly tags?:
    | readonly string[]
    | ((result: Result, ...args: TagArgs) => readonly string[])
    | undefined
  /** Fresh for; a function gets the result and the arguments, and 0 keeps the result out of the cache. */
  readonly ttl?: Duration | ((result: Result, ...args: TtlArgs) => Duration | undefined) | undefined
  /** True keeps this result out of the cache. */
  readonly unless?: ((result: Result, ...args: UnlessArgs) => boolean) | undefined
}

export interface CacheableOptions<
  KeyArgs extends Args,
  Result,
  TagArgs extends Args,
  TtlArgs extends Args,
  UnlessArgs extends Args,
  ConditionArgs extends Args,
> extends StoringOptions<Result, TagArgs, TtlArgs, UnlessArgs> {
  /** The key: a function of the arguments, a template (`'product:{0}'`), or absent for all arguments. Annotate parameters. */
  readonly key?: string | ((...args: KeyArgs) => Key) | undefined
  /** False: neither look nor store. */
  readonly condition?: ((...args: ConditionArgs) => boolean) | undefined
  readonly each?: undefined
}

/** One entry for each element of the method's first argument. */
export interface EachOptions<Id, KeyArgs extends Args, Item> {
  /** The key of one element; gets the method's further arguments too. */
  readonly key: (id: Id, ...rest: KeyArgs) => Key
  /**
   * The element an item belongs to. With it, the method may return items in any order and leave some out, and so does the
   * decorated method, in the order asked for. Without it, the method returns one item for each element, in order.
   */
  readonly by?: ((item: Item) => Id) | undefined
}

export interface CacheableEachOptions<
  Id,
  KeyArgs extends Args,
  Item,
  TagArgs extends Args,
  TtlArgs extends Args,
  UnlessArgs extends Args,
> extends StoringOptions<Item, TagArgs, TtlArgs, UnlessArgs> {
  readonly each: EachOptions<Id, KeyArgs, Item>
  readonly key?: undefined
}

const STORING_NAMES = ['cache', 'tags', 'unless', ...CACHE_OPTION_NAMES] as const

/**
 * Caches what the method returns.
 *
 * @throws InvalidOptionError at definition, naming the option.
 * @example
 * class Products {
 *   @Cacheable({ key: (id: string) => id, ttl: '10m' })
 *   async find(id: string): Promise<Product | undefined> { … }
 * }
 */
export function Cacheable<
  KeyArgs extends Args = [],
  Result = unknown,
  TagArgs extends Args = [],
  TtlArgs extends Args = [],
  UnlessArgs extends Args = [],
  ConditionArgs extends Args = [],
>(
  options?: CacheableOptions<KeyArgs, Result, TagArgs, TtlArgs, UnlessArgs, ConditionArgs>,
): AsyncMethodDecorator<
  FittingMethod<KeyArgs, Result> &
    FittingMethod<TagArgs, Result> &
    FittingMethod<TtlArgs, Result> &
    FittingMethod<UnlessArgs, Result> &
    FittingMethod<ConditionArgs, Result>
>
export function Cacheable<
  Id,
  Item,
  KeyArgs extends Args = [],
  TagArgs extends Args = [],
  TtlArgs extends Args = [],
  UnlessArgs extends Args = [],
>(
  options: CacheableEachOptions<Id, KeyArgs, Item, TagArgs, TtlArgs, UnlessArgs>,
): AsyncMethodDecorator<
  // biome-ignore lint/suspicious/noExplicitAny: positions after those a callback names may hold anything.
  (ids: Id[], ...rest: [...KeyArgs, ...any[]]) => Promise<Item[]>
>
export function Cacheable(options: object = {}): unknown {
  const where = '@Cacheable'
  assertKnownOptions(options, ['key', 'each', 'condition', ...STORING_NAMES], where)
  const given = options as AnyCacheableOptions
  const { policy, resultCall } = storingOptions(given, where)
  if (given.condition !== undefined) assertFunction(given.condition, `${where}.condition`)
  if (given.each !== undefined) assertEach(given, where)
  return decorateMethod(where, (method, site) => {
    const binding = new MethodBinding({
      decorator: where,
      site,
      options: policy,
      mayBeUnnamed: true,
    })
    const key = keySource(given.key, `${where}.key`, () => binding.keyPrefix)
    const parts = { method, site, binding, key, options: given, resultCall }
    const wrapped = given.each === undefined ? wrapOne(parts) : wrapEach(parts)
    binding.wrapping(wrapped)
    addOperation(wrapped, method, {
      kind: 'cacheable',
      options,
      entries: (self): EntryHandle => entryHandle({ ...parts, self }),
    })
    return wrapped
  })
}

/** Options as they are at run time, types erased. */
export interface AnyCacheableOptions extends CacheOptions {
  readonly cache?: string
  readonly key?: unknown
  readonly each?: EachOptions<unknown, Args, unknown>
  readonly condition?: (...args: Args) => boolean
  readonly tags?: unknown
  readonly unless?: unknown
}

/** Everything a wrapped `@Cacheable` method needs. */
export interface CacheableParts {
  readonly method: AnyMethod
  readonly site: MethodSite
  readonly binding: MethodBinding
  readonly key: KeySource
  readonly options: AnyCacheableOptions
  readonly resultCall: ResultCall
}

/** What a call says about its result, given its arguments. */
export type ResultCall = (args: Args, mode: MethodCall['mode']) => MethodCall

function wrapOne(parts: CacheableParts): AnyMethod {
  const { binding, key, options } = parts
  const isUnconditional = options.condition === undefined
  return function (this: unknown, first?: unknown): Promise<unknown> {
    // biome-ignore lint/complexity/noArguments: a rest parameter would allocate on the local-hit path.
    if (arguments.length === 1 && isUnconditional && currentSkip() === undefined) {
      const cache = binding.quick
      if (cache !== undefined) {
        try {
          const hit = cache.hit(key.ofOne(first))
          if (hit !== undefined) return hit
        } catch (error) {
          return Promise.reject(error)
        }
      }
    }
    // biome-ignore lint/complexity/noArguments: see above.
    return readOne(parts, this, Array.from(arguments))
  }
}

/** Errors of keys, conditions and configuration become rejections, as they would in an async method. */
function readOne(parts: CacheableParts, self: unknown, args: Args): Promise<unknown> {
  const { method, binding, key, options, resultCall } = parts
  try {
    const skip = currentSkip()
    const isOff = skip === 'skip' || options.condition?.(...args) === false
    if (isOff) return invoke(method, self, args, binding.where)
    const cache = binding.bind(self)
    const text = key.ofAll(args)
    const hit = skip === undefined ? cache.hit(text) : undefined
    if (hit !== undefined) return hit
    // Async, so that what the method throws synchronously is a load error like any other.
    const load = async (): Promise<unknown> => invoke(method, self, args, binding.where)
    return cache.getOrLoad(text, load, resultCall(args, skip ?? 'normal'))
  } catch (error) {
    return Promise.reject(error)
  }
}

function wrapEach(parts: CacheableParts): AnyMethod {
  return async function (this: unknown, ...args: unknown[]): Promise<unknown> {
    const skip = currentSkip()
    if (skip === 'skip') return invoke(parts.method, this, args, parts.binding.where)
    const cache: MethodCache = parts.binding.bind(this)
    return readEach(parts, cache, this, args)
  }
}

/** Checks the options that all storing decorators share, and splits them into policy and what depends on the result. */
export function storingOptions(
  options: AnyCacheableOptions,
  where: string,
): { readonly policy: CacheOptions & { cache?: string }; readonly resultCall: ResultCall } {
  const { cache, tags, unless } = options
  const ttl: unknown = options.ttl
  if (cache !== undefined) assertName(cache, `${where}.cache`)
  if (unless !== undefined) assertFunction(unless, `${where}.unless`)
  const policy: Record<string, unknown> = cache === undefined ? {} : { cache }
  for (const name of CACHE_OPTION_NAMES) {
    const isDynamic = name === 'ttl' && typeof ttl === 'function'
    if (options[name] !== undefined && !isDynamic) policy[name] = options[name]
  }
  const { cache: _, ...checked } = policy
  assertCacheOptions(checked, where)
  const staticTags = assertTags(tags, `${where}.tags`)
  const resultCall: ResultCall = (args, mode) => ({
    mode,
    tags: staticTags,
    tagsOf:
      typeof tags === 'function' ? (value) => tags(value, ...args) as readonly string[] : undefined,
    ttlOf: typeof ttl === 'function' ? (value) => ttl(value, ...args) as unknown : undefined,
    storeWhen:
      typeof unless === 'function' ? (value) => unless(value, ...args) !== true : undefined,
  })
  return { policy, resultCall }
}

/** Returns tags that are known at definition; none for a function. */
export function assertTags(tags: unknown, option: string): readonly string[] {
  if (tags === undefined || typeof tags === 'function') return []
  if (!Array.isArray(tags)) {
    throw new InvalidOptionError({
      option,
      expected: 'an array of tags or a function that returns one',
      received: tags,
    })
  }
  for (const tag of tags as unknown[]) assertText(tag, option)
  return tags as readonly string[]
}

function assertEach({ each, key, condition }: AnyCacheableOptions, where: string): void {
  assertKnownOptions(each, ['key', 'by'], `${where}.each`)
  assertFunction(each?.key, `${where}.each.key`)
  if (each?.by !== undefined) assertFunction(each.by, `${where}.each.by`)
  if (key === undefined && condition === undefined) return
  throw new InvalidOptionError({
    option: `${where}.each`,
    expected: 'to stand alone: its key is each.key, and condition has no single call to ask about',
    received: key ?? condition,
  })
}
