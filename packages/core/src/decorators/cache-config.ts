/** `@CacheConfig`: options for all cache decorators of a class. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { shared } from '../lifecycle/shared-state.ts'
import { assertBoolean, assertFunction, assertKnownOptions } from '../options/assert-option.ts'
import {
  assertCacheOptions,
  CACHE_OPTION_NAMES,
  type CacheOptions,
} from '../options/cache-options.ts'
import { assertName } from '../options/name.ts'
import { optionNames } from '../options/option-names.ts'
import type { MethodCacheProvider } from './bound/method-cache.ts'
import { type AnyClass, classesOf } from './bound/method-site.ts'
import { assertOneEntity } from './bound/one-entity.ts'
import { type Decoration, decorationsHeldBy, decorationsOf } from './bound/operations.ts'
import { noteReader } from './bound/read-names.ts'

export interface ClassConfig extends CacheOptions {
  /** Name of the cache that the class's methods use. 1 to 64 of `A-Z a-z 0-9 _ . -`. @default one per method */
  readonly cache?: string | undefined
  /** The manager to use instead of the default one; called at every call, so it may be made later. */
  readonly manager?: (() => MethodCacheProvider | undefined) | undefined
  /**
   * Classes that inherit decorated methods use the same entries, locks and limits as the class that defines them: for
   * subclasses that load the same data. @default false
   */
  readonly shareWithSubclasses?: boolean | undefined
}

const DECORATOR = '@CacheConfig'
const OWN_NAMES = optionNames<Omit<ClassConfig, keyof CacheOptions>>({
  cache: true,
  manager: true,
  shareWithSubclasses: true,
})
const NAMES = [...OWN_NAMES, ...CACHE_OPTION_NAMES]

/**
 * Sets the cache's name, the manager and the policy for the decorated methods of a class.
 *
 * Subclasses inherit it: options that their own `@CacheConfig` leaves out come from the class they extend.
 *
 * @throws InvalidOptionError at definition.
 * @example `@CacheConfig({ cache: 'products', ttl: '10m' }) class Products { … }`
 */
export function CacheConfig(
  config: ClassConfig,
): (target: AnyClass, context?: ClassDecoratorContext) => void {
  assertKnownOptions(config, NAMES, DECORATOR)
  const { cache, manager, shareWithSubclasses, ...options } = config
  if (cache !== undefined) assertName(cache, `${DECORATOR}.cache`)
  if (manager !== undefined) assertFunction(manager, `${DECORATOR}.manager`)
  if (shareWithSubclasses !== undefined)
    assertBoolean(shareWithSubclasses, `${DECORATOR}.shareWithSubclasses`)
  assertCacheOptions(options, DECORATOR)
  return (target, context) => {
    if (typeof target !== 'function' || (context !== undefined && context.kind !== 'class')) {
      throw new InvalidOptionError({
        option: DECORATOR,
        expected: 'a class to decorate',
        received: target,
        // With legacy decorators, the second argument is the name of a member.
        described: `a ${(context as Partial<DecoratorContext> | undefined)?.kind ?? 'method or field'}`,
      })
    }
    shared.classConfigs.set(target, config)
    const held = context?.metadata === undefined ? [] : decorationsHeldBy(context.metadata)
    const decorations = [...held, ...allDecorationsOf(target)].toReversed()
    assertOneEntity(decorations, classConfigOf(target), target.name)
    const reads = decorations.some(({ operation }) => operation.kind === 'cacheable')
    if (cache !== undefined && reads) noteReader(cache)
  }
}

/** Returns the operations on methods of a class and those it extends. */
function allDecorationsOf(owner: AnyClass): readonly Decoration[] {
  return classesOf(owner, true).flatMap(decorationsOf)
}

/** Returns the configuration of a class, together with that of the classes it extends. */
export function classConfigOf(owner: AnyClass): ClassConfig {
  const layers = classesOf(owner, true).map((at) =>
    definedOf(shared.classConfigs.get(at) as ClassConfig | undefined),
  )
  return Object.assign({}, ...layers.reverse()) as ClassConfig
}

/** An option that is `undefined` must not hide an inherited one. */
function definedOf(config: ClassConfig = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
}
