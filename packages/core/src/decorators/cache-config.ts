/** `@CacheConfig`: what the cache decorators of a class have in common. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { assertFunction, assertKnownOptions } from '../options/assert-option.ts'
import {
  assertCacheOptions,
  CACHE_OPTION_NAMES,
  type CacheOptions,
} from '../options/cache-options.ts'
import { assertName } from '../options/manager-options.ts'
import type { MethodCacheProvider } from './method-cache.ts'

export interface ClassConfig extends CacheOptions {
  /** Name of the cache that the class's methods use. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly cache?: string | undefined
  /** The manager to use, instead of the default one; asked at every change, so it may be made later. */
  readonly manager?: (() => MethodCacheProvider) | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: a constructor's parameters are irrelevant here and contravariant.
type AnyClass = abstract new (...args: any[]) => unknown

const configs = new WeakMap<object, ClassConfig>()
const WHERE = '@CacheConfig'

/**
 * Sets the cache's name, manager and policy for all decorated methods of a class, and of subclasses that have none.
 *
 * @throws InvalidOptionError at definition.
 * @example
 * @CacheConfig({ cache: 'products', ttl: '10m' })
 * class ProductService {}
 */
export function CacheConfig(
  config: ClassConfig,
): (target: AnyClass, context?: ClassDecoratorContext) => void {
  assertKnownOptions(config, ['cache', 'manager', ...CACHE_OPTION_NAMES], WHERE)
  const { cache, manager, ...options } = config
  if (cache !== undefined) assertName(cache, `${WHERE}.cache`)
  if (manager !== undefined) assertFunction(manager, `${WHERE}.manager`)
  assertCacheOptions(options, WHERE)
  return (target, context) => {
    const isClass =
      typeof target === 'function' && (context === undefined || context.kind === 'class')
    if (!isClass) {
      throw new InvalidOptionError({
        option: WHERE,
        expected: 'a class to decorate',
        received: context?.kind,
      })
    }
    configs.set(target, config)
  }
}

/** Returns the configuration of a class: its own, or that of the nearest class it extends. */
export function classConfigOf(owner: object): ClassConfig {
  for (
    let at: object | null = owner;
    at !== null;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    const config = configs.get(at)
    if (config !== undefined) return config
  }
  return {}
}
