/** `@CachePut`: always runs the method, and caches its result. */

import type { PutFence } from '../cache/put-fence.ts'
import type { ReadRules } from '../cache/read-call.ts'
import { keyErrorAt } from '../errors/key-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { type Key, keyText } from '../keys/key-text.ts'
import { assertKnownOptions } from '../options/assert-option.ts'
import { optionNames } from '../options/option-names.ts'
import { type BoundCache, cacheBinder } from './bound/bound-cache.ts'
import { invoke } from './bound/bound-method.ts'
import { readCallback, saysNo } from './bound/callbacks.ts'
import {
  type AnyMethod,
  type AsyncMethodDecorator,
  assertCalledWithOptions,
  methodDecorator,
} from './bound/method-decorator.ts'
import type {
  AnnotateTheResult,
  AnnotateThis,
  AnyUnlessAnnotated,
  ArgsOf,
  WriteParentheses,
} from './bound/unannotated.ts'
import { evictionOf } from './reading/entries-behind.ts'
import { keyKindOf, keySource } from './reading/key-source.ts'
import { keyOf as boundKey, keysNow, stillGives } from './reading/read-one.ts'
import { resolveStoring, STORING_NAMES, type StoringOptions } from './reading/storing-options.ts'

type Args = readonly unknown[]

/** Either `key` or `keyOf`. */
export type CachePutOptions<
  KeyArgs extends Args,
  Result,
  TagArgs extends Args,
  TtlArgs extends Args,
  UnlessArgs extends Args,
  ConditionArgs extends Args,
  KeyOfArgs extends Args,
> = CachePutFields<KeyArgs, Result, TagArgs, TtlArgs, UnlessArgs, ConditionArgs, KeyOfArgs> &
  ThisType<AnnotateThis>

/** The fields of `CachePutOptions`. */
export interface CachePutFields<
  KeyArgs extends Args,
  Result,
  TagArgs extends Args,
  TtlArgs extends Args,
  UnlessArgs extends Args,
  ConditionArgs extends Args,
  KeyOfArgs extends Args,
> extends StoringOptions<Result, TagArgs, TtlArgs, UnlessArgs> {
  /** The key, from the arguments: a function or a template. An array is one composite key. */
  readonly key?: string | ((...args: KeyArgs) => Key) | undefined
  /** The key, from the result and the arguments: for ids that the method makes. */
  readonly keyOf?: ((result: Result, ...args: KeyOfArgs) => Key) | undefined
  /** False: run the method and do not touch the cache. */
  readonly condition?: ((...args: ConditionArgs) => boolean) | undefined
}

const DECORATOR = '@CachePut'
type AnyCachePut = CachePutFields<[], unknown, [], [], [], [], []>
type OwnOptions = Omit<AnyCachePut, keyof StoringOptions<unknown, [], [], []>>
const OWN_NAMES = optionNames<OwnOptions>({ key: true, keyOf: true, condition: true })
const NAMES = [...OWN_NAMES, ...STORING_NAMES]

/**
 * Caches the method's result, in place of the cached value; every other node drops its old value.
 *
 * The cache must be named, here or in `@CacheConfig`. If the key was evicted or put elsewhere while the method ran, it is
 * unknown which value is newer: then the key is evicted instead. When the method fails, nothing changes.
 *
 * @throws InvalidOptionError at definition, naming the option.
 * @example `@CachePut({ key: (product: Product) => product.id }) async save(product: Product): Promise<Product> { … }`
 */
export function CachePut<
  AnnotateKeyArgs extends Args = [],
  Result = AnnotateTheResult,
  AnnotateTagsArgs extends Args = [],
  AnnotateTtlArgs extends Args = [],
  AnnotateUnlessArgs extends Args = [],
  AnnotateConditionArgs extends Args = [],
  AnnotateKeyOfArgs extends Args = [],
>(
  options: CachePutOptions<
    AnnotateKeyArgs,
    Result,
    AnnotateTagsArgs,
    AnnotateTtlArgs,
    AnnotateUnlessArgs,
    AnnotateConditionArgs,
    AnnotateKeyOfArgs
  >,
): AsyncMethodDecorator<
  ArgsOf<
    | AnnotateKeyArgs
    | AnnotateTagsArgs
    | AnnotateTtlArgs
    | AnnotateUnlessArgs
    | AnnotateConditionArgs
    | AnnotateKeyOfArgs
  >,
  Result | AnyUnlessAnnotated<Result>
>
export function CachePut(
  target: object,
  context: unknown,
  descriptor?: unknown,
): WriteParentheses<'@CachePut'>
export function CachePut(...given: readonly [object]): unknown {
  assertCalledWithOptions(DECORATOR, given)
  const [options] = given
  assertKnownOptions(options, NAMES, DECORATOR)
  const { cacheName, policy, rulesAt, shares } = resolveStoring(options, DECORATOR)
  const keyOf = keyFinder(options)
  const { condition, key, keyOf: ofResult } = options as Record<string, unknown>
  const isWanted = readCallback(condition, `${DECORATOR}.condition`)
  const keyWith = keySource(key, `${DECORATOR}.key`)
  return methodDecorator(DECORATOR, (original, site) => {
    const naming = 'required'
    const keyKind = keyKindOf(key ?? ofResult)
    const words = { decorator: DECORATOR, cacheName, policy, naming, shares, keyKind } as const
    const binding = cacheBinder({ ...words, site, keyWith, rulesAt })
    const { method }: { method: AnyMethod } = {
      async method(this: unknown, ...args: unknown[]): Promise<unknown> {
        if (isWanted !== undefined && saysNo(isWanted, this, args, binding.where))
          return invoke(original, this, args, binding.where)
        const bound = binding.bind(this)
        const { cache, where } = bound
        const keyNow = (): string | undefined =>
          keyOf.isFromResult ? undefined : boundKey(bound, this, args)
        let key = keyNow()
        // Before the method runs: a change from now on is newer than what the method reads.
        const beginning = cache.begin()
        let begun: PutFence
        if (beginning instanceof Promise) {
          begun = await beginning
          // The caller may have changed its arguments meanwhile, and the method sees them as they are now.
          key = keyNow()
        } else begun = beginning
        try {
          const result = await invoke(original, this, args, where)
          const rules = bound.rules(this, args, 'normal')
          if (key === undefined)
            await putUnderItsOwnKey({ bound, keyOf, self: this, args, begun }, result, rules)
          else if (isStill(bound, this, args, key)) await cache.put(key, result, rules, begun)
          else await cache.evict(evictionOf(keysNow(bound, this, args, key)))
          return result
        } finally {
          begun.end()
        }
      },
    }
    return { method, operation: { kind: 'cache-put', options } }
  })
}

/**
 * True while the arguments still make the key they made before the method ran. Where they do not, it is unknown whose entry the
 * result is: the method or the caller may have changed them.
 */
function isStill(bound: BoundCache, self: unknown, args: Args, key: string): boolean {
  return !bound.key.canChange(args) || stillGives(bound, self, args, key)
}

interface PutOfResult {
  readonly bound: BoundCache
  readonly keyOf: KeyFinder
  readonly self: unknown
  readonly args: Args
  readonly begun: PutFence
}

/**
 * Puts a result that contains its own key. Whether it is kept is decided first: a result that is not kept may have no key, such
 * as "not found". The method has done its work by now, so a key that cannot be made is reported and the call does not fail.
 */
async function putUnderItsOwnKey(
  { bound, keyOf, self, args, begun }: PutOfResult,
  result: unknown,
  rules: ReadRules,
): Promise<void> {
  const { cache } = bound
  let isWanted = false
  try {
    isWanted = rules.storeWhen?.(result) !== false
  } catch (error) {
    cache.unfit(error)
  }
  let key: string
  try {
    key = keyOf.fromResult(self, result, args)
  } catch (error) {
    if (isWanted) cache.unfit(keyErrorAt(error, bound.where, bound.cacheName))
    return
  }
  await cache.put(key, result, { ...rules, storeWhen: () => isWanted }, begun)
}

interface KeyFinder {
  readonly isFromResult: boolean
  fromResult(self: unknown, result: unknown, args: Args): string
}

/** @throws InvalidOptionError unless exactly one of `key` and `keyOf` is given. */
function keyFinder(options: object): KeyFinder {
  const { key, keyOf } = options as Record<string, unknown>
  if ((key === undefined) === (keyOf === undefined)) {
    throw new InvalidOptionError({
      option: `${DECORATOR}.key`,
      expected: 'either key (from the arguments) or keyOf (from the result)',
      received: key,
    })
  }
  if (key !== undefined) return { isFromResult: false, fromResult: () => '' }
  const keyOfResult = readCallback(keyOf, `${DECORATOR}.keyOf`)
  return {
    isFromResult: true,
    fromResult: (self, result, args) => keyText(keyOfResult?.call(self, result, ...args)),
  }
}
