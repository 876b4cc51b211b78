/** `@Cacheable`: returns a method's cached result, or runs the method once for all callers and caches its result. */

import { InvalidOptionError } from '../errors/option-error.ts'
import type { Key } from '../keys/key-text.ts'
import { assertKnownOptions } from '../options/assert-option.ts'
import type { Duration } from '../options/duration.ts'
import { optionNames } from '../options/option-names.ts'
import { cacheBinder } from './bound/bound-cache.ts'
import { readCallback } from './bound/callbacks.ts'
import {
  type AsyncMethodDecorator,
  assertCalledWithOptions,
  type EachMethodDecorator,
  methodDecorator,
} from './bound/method-decorator.ts'
import { noteReader, noteReadingMethod } from './bound/read-names.ts'
import type {
  AnnotateTheElement,
  AnnotateTheResult,
  AnnotateThis,
  AnyUnlessAnnotated,
  ArgsOf,
  WriteParentheses,
} from './bound/unannotated.ts'
import { type CacheableEachOptions, resolveEach } from './reading/each-options.ts'
import { entriesOfEach, entriesOfOne } from './reading/entries-behind.ts'
import type { AnyMethodEntries } from './reading/entry-handle.ts'
import { keyKindOf, keySource } from './reading/key-source.ts'
import { wrapEach } from './reading/read-each.ts'
import { wrapOne } from './reading/read-one.ts'
import { resolveStoring, STORING_NAMES, type StoringOptions } from './reading/storing-options.ts'

type Args = readonly unknown[]

/** The options of `@Cacheable`. */
export type CacheableOptions<
  KeyArgs extends Args,
  Result,
  TagArgs extends Args,
  TtlArgs extends Args,
  UnlessArgs extends Args,
  ConditionArgs extends Args,
> = CacheableFields<KeyArgs, Result, TagArgs, TtlArgs, UnlessArgs, ConditionArgs> &
  ThisType<AnnotateThis>

/** The fields of `CacheableOptions`. */
export interface CacheableFields<
  KeyArgs extends Args,
  Result,
  TagArgs extends Args,
  TtlArgs extends Args,
  UnlessArgs extends Args,
  ConditionArgs extends Args,
> extends StoringOptions<Result, TagArgs, TtlArgs, UnlessArgs> {
  /**
   * The key: a function of the arguments (annotate its parameters), a template such as `'product:{0}'`, or absent for all
   * arguments. An array is one composite key.
   */
  readonly key?: string | ((...args: KeyArgs) => Key) | undefined
  /** False: neither read nor write the cache. */
  readonly condition?: ((...args: ConditionArgs) => boolean) | undefined
  /** Methods of the class that load the same entity into the same cache, and so may share entries. */
  readonly shares?: string | symbol | readonly (string | symbol)[] | undefined
  /**
   * True of a result that is for the caller alone whose call ran the method: it is kept nowhere, who waited for it runs the method for
   * itself, and for two minutes, or as long as is returned, no call of that key waits for another, on any node.
   */
  readonly unshared?: ((result: Result) => boolean | Duration) | undefined
  readonly each?: undefined
}

const DECORATOR = '@Cacheable'
type AnyCacheable = CacheableFields<[], unknown, [], [], [], []>
type OwnOptions = Omit<AnyCacheable, keyof StoringOptions<unknown, [], [], []>>
const OWN_NAMES = optionNames<OwnOptions>({
  key: true,
  each: true,
  condition: true,
  shares: true,
  unshared: true,
})
const NAMES = [...OWN_NAMES, ...STORING_NAMES]

/**
 * Caches the method's result. With `each`, the method takes a list, and every element has an entry of its own.
 *
 * @throws InvalidOptionError at definition, naming the option.
 * @example `@Cacheable({ key: (id: string) => id, ttl: '10m' }) async find(id: string): Promise<Product> { … }`
 */
export function Cacheable<
  AnnotateKeyArgs extends Args = [],
  Result = AnnotateTheResult,
  AnnotateTagsArgs extends Args = [],
  AnnotateTtlArgs extends Args = [],
  AnnotateUnlessArgs extends Args = [],
  AnnotateConditionArgs extends Args = [],
>(
  options?: CacheableOptions<
    AnnotateKeyArgs,
    Result,
    AnnotateTagsArgs,
    AnnotateTtlArgs,
    AnnotateUnlessArgs,
    AnnotateConditionArgs
  >,
): AsyncMethodDecorator<
  ArgsOf<
    | AnnotateKeyArgs
    | AnnotateTagsArgs
    | AnnotateTtlArgs
    | AnnotateUnlessArgs
    | AnnotateConditionArgs
  >,
  Result | AnyUnlessAnnotated<Result>
>
export function Cacheable<
  Id = AnnotateTheElement,
  Item = AnnotateTheResult,
  AnnotateKeyArgs extends Args = [],
  AnnotateTagsArgs extends Args = [],
  AnnotateTtlArgs extends Args = [],
  AnnotateUnlessArgs extends Args = [],
  AnnotateConditionArgs extends Args = [],
>(
  options: CacheableEachOptions<
    Id,
    Item,
    AnnotateKeyArgs,
    AnnotateTagsArgs,
    AnnotateTtlArgs,
    AnnotateUnlessArgs,
    AnnotateConditionArgs
  >,
): EachMethodDecorator<
  ArgsOf<
    | [Id | AnyUnlessAnnotated<Id>, ...AnnotateKeyArgs]
    | AnnotateTagsArgs
    | AnnotateTtlArgs
    | AnnotateUnlessArgs
  >,
  readonly (Item | AnyUnlessAnnotated<Item>)[],
  AnnotateConditionArgs
>
export function Cacheable(
  target: object,
  context: unknown,
  descriptor?: unknown,
): WriteParentheses<'@Cacheable'>
export function Cacheable(...given: readonly [object?]): unknown {
  assertCalledWithOptions(DECORATOR, given)
  const [options = {}] = given
  assertKnownOptions(options, NAMES, DECORATOR)
  const { cacheName, policy, rulesAt, shares: isShared } = resolveStoring(options, DECORATOR)
  const { key, condition, shares } = options as Record<string, unknown>
  assertMethodNames(shares, `${DECORATOR}.shares`)
  const isWanted = readCallback(condition, `${DECORATOR}.condition`)
  const each = resolveEach(options, DECORATOR)
  const keyWith =
    each === undefined
      ? keySource(key, `${DECORATOR}.key`)
      : keySource(each.key, `${DECORATOR}.each.key`)
  const keyKind = keyKindOf(each === undefined ? key : each.key)
  return methodDecorator(DECORATOR, (original, site) => {
    const naming = 'own'
    if (cacheName === undefined) noteReadingMethod(site.methodName)
    else noteReader(cacheName)
    const words = {
      decorator: DECORATOR,
      cacheName,
      policy,
      naming,
      shares: isShared,
      keyKind,
    } as const
    const binding = cacheBinder({ ...words, site, keyWith, rulesAt })
    const parts = { original, binding, condition: isWanted }
    if (each !== undefined) {
      const list = { ...parts, by: each.by }
      const entries = (self: unknown): AnyMethodEntries => entriesOfEach(list, self)
      return { method: wrapEach(list), operation: { kind: 'cacheable', options, entries } }
    }
    const entries = (self: unknown): AnyMethodEntries => entriesOfOne(parts, self)
    return { method: wrapOne(parts), operation: { kind: 'cacheable', options, entries } }
  })
}

/** @throws InvalidOptionError unless they are names of methods, or undefined */
function assertMethodNames(names: unknown, option: string): void {
  const list: readonly unknown[] = names === undefined ? [] : [names].flat()
  if (list.every((name) => typeof name === 'symbol' || (typeof name === 'string' && name !== '')))
    return
  const expected = 'the name of a method of the class, or an array of names'
  throw new InvalidOptionError({ option, expected, received: names })
}
