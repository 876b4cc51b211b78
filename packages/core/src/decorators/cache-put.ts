/** `@CachePut`: always runs the method, and caches what it returns. */

import type { PutFence } from '../cache/put-fence.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { type Key, keyText } from '../keys/key-text.ts'
import { assertFunction, assertKnownOptions } from '../options/assert-option.ts'
import { keySource } from './key-source.ts'
import { MethodBinding } from './method-binding.ts'
import type { MethodCache, MethodCall } from './method-cache.ts'
import {
  type AnyMethod,
  type AsyncMethodDecorator,
  assertCalledWithOptions,
  invoke,
  methodDecorator,
} from './method-decorator.ts'
import { callback, resolveStoring, STORING_NAMES, type StoringOptions } from './storing-options.ts'

type Args = readonly unknown[]

/** Either `key` or `keyOf`. */
export interface CachePutOptions<
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
  /** False: run the method and leave the cache alone. */
  readonly condition?: ((...args: ConditionArgs) => boolean) | undefined
}

const DECORATOR = '@CachePut'

/**
 * Caches what the method returns, in place of what was cached; every other node forgets its old value.
 *
 * The cache must be named, here or in `@CacheConfig`. If the key was evicted or put elsewhere while the method ran, nobody
 * can tell which value is newer: then the key is evicted instead. When the method fails, nothing changes.
 *
 * @throws InvalidOptionError at definition, naming the option.
 * @example
 * @CachePut({ key: (product: Product) => product.id })
 * async save(product: Product): Promise<Product> { … }
 */
export function CachePut<
  KeyArgs extends Args = [],
  Result = unknown,
  TagArgs extends Args = [],
  TtlArgs extends Args = [],
  UnlessArgs extends Args = [],
  ConditionArgs extends Args = [],
  KeyOfArgs extends Args = [],
>(
  options: CachePutOptions<KeyArgs, Result, TagArgs, TtlArgs, UnlessArgs, ConditionArgs, KeyOfArgs>,
): AsyncMethodDecorator<
  KeyArgs | TagArgs | TtlArgs | UnlessArgs | ConditionArgs | KeyOfArgs,
  Result
>
export function CachePut(...given: readonly [object]): AsyncMethodDecorator<never, never> {
  assertCalledWithOptions(DECORATOR, given)
  const [options] = given
  assertKnownOptions(options, ['key', 'keyOf', 'condition', ...STORING_NAMES], DECORATOR)
  const { cacheName, policy, rules } = resolveStoring(options, DECORATOR)
  const keyOf = keyFinder(options)
  const { condition } = options as Record<string, unknown>
  if (condition !== undefined) assertFunction(condition, `${DECORATOR}.condition`)
  const isWanted = callback(condition)
  return methodDecorator(DECORATOR, (original, site) => {
    const naming = 'required'
    const binding = new MethodBinding({ decorator: DECORATOR, site, cacheName, policy, naming })
    const { method }: { method: AnyMethod } = {
      async method(this: unknown, ...args: unknown[]): Promise<unknown> {
        if (isWanted?.apply(this, args) === false)
          return invoke(original, this, args, binding.where)
        const cache = binding.bind(this)
        let key = keyOf.fromArguments?.(this, args)
        // Before the method runs: what is changed from now on is newer than what the method reads.
        const beginning = cache.begin()
        let begun: PutFence
        if (beginning instanceof Promise) {
          begun = await beginning
          // The caller had the time to change its arguments, and the method sees them as they are now.
          key = keyOf.fromArguments?.(this, args)
        } else begun = beginning
        try {
          const result = await invoke(original, this, args, binding.where)
          const call = rules(this, args, 'normal')
          if (key === undefined)
            await putUnderItsOwnKey({ cache, keyOf, self: this, args, begun }, result, call)
          else await cache.put(key, result, call, begun)
          return result
        } finally {
          begun.end()
        }
      },
    }
    return { method, operation: { kind: 'cache-put', options } }
  })
}

interface PutOfResult {
  readonly cache: MethodCache
  readonly keyOf: KeyFinder
  readonly self: unknown
  readonly args: Args
  readonly begun: PutFence
}

/**
 * Puts a result whose key only it knows. Whether it is to be kept is asked first: a result that is not may have no key, as
 * "not found" has none. The method has done its work by now, so a key that cannot be made is reported and fails no call.
 */
async function putUnderItsOwnKey(
  { cache, keyOf, self, args, begun }: PutOfResult,
  result: unknown,
  call: MethodCall,
): Promise<void> {
  let isWanted = false
  try {
    isWanted = call.storeWhen?.(result) !== false
  } catch (error) {
    cache.unfit(error)
  }
  let key: string
  try {
    key = keyOf.fromResult(self, result, args)
  } catch (error) {
    if (isWanted) cache.unfit(error)
    return
  }
  await cache.put(key, result, { ...call, storeWhen: () => isWanted }, begun)
}

interface KeyFinder {
  readonly fromArguments: ((self: unknown, args: Args) => string) | undefined
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
  if (key !== undefined) {
    const source = keySource(key, `${DECORATOR}.key`)()
    const fromArguments = (self: unknown, args: Args): string => source.of(self, args)
    return { fromArguments, fromResult: (self, _result, args) => fromArguments(self, args) }
  }
  assertFunction(keyOf, `${DECORATOR}.keyOf`)
  const fromResult = callback(keyOf)
  return {
    fromArguments: undefined,
    fromResult: (self, result, args) => keyText(fromResult?.call(self, result, ...args)),
  }
}
