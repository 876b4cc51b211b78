/** `@CachePut`: always runs the method, and caches what it returns. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { type Key, keyText } from '../keys/key-text.ts'
import { assertFunction, assertKnownOptions } from '../options/assert-option.ts'
import { CACHE_OPTION_NAMES } from '../options/cache-options.ts'
import { type AnyCacheableOptions, type StoringOptions, storingOptions } from './cacheable.ts'
import { keySource } from './key-source.ts'
import { MethodBinding } from './method-binding.ts'
import {
  type AnyMethod,
  type AsyncMethodDecorator,
  decorateMethod,
  type FittingMethod,
  invoke,
} from './method-decorator.ts'
import { addOperation } from './operations.ts'
import { currentSkip } from './skip-cache.ts'

type Args = readonly unknown[]

export interface CachePutOptions<
  KeyArgs extends Args,
  Result,
  TagArgs extends Args,
  TtlArgs extends Args,
  UnlessArgs extends Args,
  ConditionArgs extends Args,
  KeyOfArgs extends Args,
> extends StoringOptions<Result, TagArgs, TtlArgs, UnlessArgs> {
  /** The key, from the arguments: a function or a template. Either this or `keyOf`. */
  readonly key?: string | ((...args: KeyArgs) => Key) | undefined
  /** The key, from the result and the arguments: for ids that the method makes. */
  readonly keyOf?: ((result: Result, ...args: KeyOfArgs) => Key) | undefined
  /** False: run the method and leave the cache alone. */
  readonly condition?: ((...args: ConditionArgs) => boolean) | undefined
}

const WHERE = '@CachePut'

/**
 * Caches what the method returns, in place of what was cached; every other node forgets its old value.
 *
 * The cache must be named, here or in `@CacheConfig`. If the key was evicted or put elsewhere while the method ran, nobody
 * can tell which value is newer: then the key is evicted instead.
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
  FittingMethod<KeyArgs, Result> &
    FittingMethod<TagArgs, Result> &
    FittingMethod<TtlArgs, Result> &
    FittingMethod<UnlessArgs, Result> &
    FittingMethod<ConditionArgs, Result> &
    FittingMethod<KeyOfArgs, Result>
> {
  assertKnownOptions(
    options,
    ['key', 'keyOf', 'condition', 'cache', 'tags', 'unless', ...CACHE_OPTION_NAMES],
    WHERE,
  )
  const given = options as AnyCacheableOptions & { keyOf?: (...args: Args) => Key }
  const { policy, resultCall } = storingOptions(given, WHERE)
  const { condition, keyOf } = given
  if (condition !== undefined) assertFunction(condition, `${WHERE}.condition`)
  if (keyOf !== undefined) assertFunction(keyOf, `${WHERE}.keyOf`)
  if ((given.key === undefined) === (keyOf === undefined)) {
    throw new InvalidOptionError({
      option: `${WHERE}.key`,
      expected: 'either key (from the arguments) or keyOf (from the result)',
      received: given.key,
    })
  }
  return decorateMethod(WHERE, (method, site) => {
    const binding = new MethodBinding({
      decorator: WHERE,
      site,
      options: policy,
      mayBeUnnamed: false,
    })
    const key = given.key === undefined ? undefined : keySource(given.key, `${WHERE}.key`, () => '')
    const wrapped: AnyMethod = async function (
      this: unknown,
      ...args: unknown[]
    ): Promise<unknown> {
      if (currentSkip() === 'skip' || condition?.(...args) === false) {
        return invoke(method, this, args, binding.where)
      }
      const cache = binding.bind(this)
      const text = key?.ofAll(args)
      // Before the method runs: what is evicted from now on is newer than what the method reads.
      const begun = text === undefined ? undefined : cache.begin(text)
      const result = await invoke(method, this, args, binding.where)
      const finalText = text ?? keyText(keyOf?.(result, ...args))
      await cache.put(finalText, result, resultCall(args, 'normal'), begun)
      return result
    }
    binding.wrapping(wrapped)
    addOperation(wrapped, method, { kind: 'cache-put', options })
    return wrapped
  })
}
