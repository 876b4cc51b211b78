/** `@CachePut`: always runs the method, and caches what it returns. */

import { keyErrorAt } from '../errors/key-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { type Key, keyText } from '../keys/key-text.ts'
import { assertKnownOptions } from '../options/assert-option.ts'
import { readCallback, saysNo } from './callbacks.ts'
import { evictionOf } from './entries-behind.ts'
import { keyKindOf, keySource } from './key-source.ts'
import { type BoundMethod, MethodBinding } from './method-binding.ts'
import {
  type AnyMethod,
  type AsyncMethodDecorator,
  assertCalledWithOptions,
  invoke,
  methodDecorator,
} from './method-decorator.ts'
import { keyOf as boundKey, keysNow, stillGives } from './read-one.ts'
import { resolveStoring, STORING_NAMES, type StoringOptions } from './storing-options.ts'

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
  AnnotateKeyArgs extends Args = [],
  Result = unknown,
  TagArgs extends Args = [],
  TtlArgs extends Args = [],
  UnlessArgs extends Args = [],
  ConditionArgs extends Args = [],
  KeyOfArgs extends Args = [],
>(
  options: CachePutOptions<
    AnnotateKeyArgs,
    Result,
    TagArgs,
    TtlArgs,
    UnlessArgs,
    ConditionArgs,
    KeyOfArgs
  >,
): AsyncMethodDecorator<
  AnnotateKeyArgs | TagArgs | TtlArgs | UnlessArgs | ConditionArgs | KeyOfArgs,
  Result
>
export function CachePut(...given: readonly [object]): unknown {
  assertCalledWithOptions(DECORATOR, given)
  const [options] = given
  assertKnownOptions(options, ['key', 'keyOf', 'condition', ...STORING_NAMES], DECORATOR)
  const { cacheName, policy, rules, shares } = resolveStoring(options, DECORATOR)
  const keyOf = keyFinder(options)
  const { condition, key, keyOf: ofResult } = options as Record<string, unknown>
  const isWanted = readCallback(condition, `${DECORATOR}.condition`)
  const keyWith = keySource(key, `${DECORATOR}.key`)
  return methodDecorator(DECORATOR, (original, site) => {
    const naming = 'required'
    const keyKind = keyKindOf(key ?? ofResult)
    const words = { decorator: DECORATOR, cacheName, policy, naming, shares, keyKind } as const
    const binding = new MethodBinding({ ...words, site, keyWith })
    const { method }: { method: AnyMethod } = {
      async method(this: unknown, ...args: unknown[]): Promise<unknown> {
        if (saysNo(isWanted, this, args, binding.where))
          return invoke(original, this, args, binding.where)
        const bound = binding.bind(this)
        const { cache } = bound
        const known = keyOf.isFromResult ? undefined : boundKey(bound, this, args)
        // Before the method runs: what is evicted from now on is newer than what the method reads.
        const begun = known === undefined ? undefined : cache.begin(known)
        const result = await invoke(original, this, args, bound.where)
        const key = known ?? keyOf.fromResult(bound, this, result, args)
        if (key === undefined) return result
        if (known !== undefined && !isStill(bound, this, args, known)) {
          await cache.evict(evictionOf(keysNow(bound, this, args, known)))
          return result
        }
        await cache.put(key, result, rules(this, args, 'normal'), begun)
        return result
      },
    }
    return { method, operation: { kind: 'cache-put', options } }
  })
}

/**
 * True while the arguments make the key they made before the method ran. Where they do not, nobody can tell whose entry the
 * result is: the method may have given them another key, or the caller another use.
 */
function isStill(bound: BoundMethod, self: unknown, args: Args, key: string): boolean {
  return !bound.key.canChange(args) || stillGives(bound, self, args, key)
}

interface KeyFinder {
  readonly isFromResult: boolean
  /** `undefined` when no key can be made of the result. */
  fromResult(bound: BoundMethod, self: unknown, result: unknown, args: Args): string | undefined
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
  if (key !== undefined) return { isFromResult: false, fromResult: () => undefined }
  const keyOfResult = readCallback(keyOf, `${DECORATOR}.keyOf`)
  return {
    isFromResult: true,
    fromResult: ({ cache, where }, self, result, args) => {
      try {
        return keyText(keyOfResult?.call(self, result, ...args))
      } catch (error) {
        // The method has done its work. What it made old cannot be found, and nothing at all was made of nothing.
        cache.report?.(`${where}.keyOf`, keyErrorAt(error, where))
        return undefined
      }
    },
  }
}
