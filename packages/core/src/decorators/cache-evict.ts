/** `@CacheEvict`: runs the method, and evicts what its change made old. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { type Key, keyText } from '../keys/key-text.ts'
import {
  assertBoolean,
  assertFunction,
  assertKnownOptions,
  assertOneOf,
} from '../options/assert-option.ts'
import { assertCacheOptions } from '../options/cache-options.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { assertName } from '../options/manager-options.ts'
import { keySource } from './key-source.ts'
import { MethodBinding } from './method-binding.ts'
import type { EvictCall } from './method-cache.ts'
import {
  type AnyMethod,
  type AsyncMethodDecorator,
  assertCalledWithOptions,
  invoke,
  methodDecorator,
} from './method-decorator.ts'
import { callback, fixedTags } from './storing-options.ts'

type Args = readonly unknown[]

/** At least one of `key`, `keys`, `tags` and `all`. */
export interface CacheEvictOptions<
  KeyArgs extends Args,
  Result,
  KeysArgs extends Args,
  TagArgs extends Args,
  ConditionArgs extends Args,
> {
  /** Name of the cache; else `@CacheConfig`'s. Not needed for tags alone, which reach every cache. */
  readonly cache?: string | undefined
  /** One key, from the arguments: a function or a template. An array is one composite key; see `keys` for several. */
  readonly key?: string | ((...args: KeyArgs) => Key) | undefined
  /** Several keys, from the arguments. */
  readonly keys?: ((...args: KeysArgs) => readonly Key[]) | undefined
  /** Tags; a function gets the result (`undefined` with `when: 'before'`) and the arguments. */
  readonly tags?:
    | readonly string[]
    | ((result: Result, ...args: TagArgs) => readonly string[])
    | undefined
  /** The whole cache. @default false */
  readonly all?: boolean | undefined
  /** `after`: when the method has succeeded. `before`: before it runs, whatever becomes of it. @default 'after' */
  readonly when?: 'after' | undefined
  /** Keep values for when loads fail (`staleIfError`). Keys only. @default false */
  readonly soft?: boolean | undefined
  /**
   * For a method whose transaction commits later, or in front of a lagging replica: what is loaded within this window is
   * handed out but kept no longer than it. Keys only. @default 0
   */
  readonly settle?: Duration | undefined
  /** False: evict nothing. */
  readonly condition?: ((...args: ConditionArgs) => boolean) | undefined
  /** When the eviction cannot reach the store: keep it in the recovery queue, or throw as well. @default the class's */
  readonly onRemoteFailure?: 'queue' | 'throw' | undefined
}

/** Evicting before the method runs: there is no result to compute tags from. */
export interface CacheEvictBeforeOptions<
  KeyArgs extends Args,
  KeysArgs extends Args,
  TagArgs extends Args,
  ConditionArgs extends Args,
> extends Omit<CacheEvictOptions<KeyArgs, undefined, KeysArgs, TagArgs, ConditionArgs>, 'when'> {
  readonly when: 'before'
}

const DECORATOR = '@CacheEvict'
const NAMES = [
  'cache',
  'key',
  'keys',
  'tags',
  'all',
  'when',
  'soft',
  'settle',
  'condition',
  'onRemoteFailure',
] as const

/**
 * Evicts keys, tags or a whole cache, on all nodes, around a method that changes what is cached.
 *
 * @throws InvalidOptionError at definition, naming the option.
 * @example
 * @CacheEvict({ key: (id: string) => id, tags: ['catalogue'] })
 * async remove(id: string): Promise<void> { … }
 */
export function CacheEvict<
  KeyArgs extends Args = [],
  Result = unknown,
  KeysArgs extends Args = [],
  TagArgs extends Args = [],
  ConditionArgs extends Args = [],
>(
  options: CacheEvictOptions<KeyArgs, Result, KeysArgs, TagArgs, ConditionArgs>,
): AsyncMethodDecorator<KeyArgs | KeysArgs | TagArgs | ConditionArgs, Result>
export function CacheEvict<
  KeyArgs extends Args = [],
  KeysArgs extends Args = [],
  TagArgs extends Args = [],
  ConditionArgs extends Args = [],
>(
  options: CacheEvictBeforeOptions<KeyArgs, KeysArgs, TagArgs, ConditionArgs>,
): AsyncMethodDecorator<KeyArgs | KeysArgs | TagArgs | ConditionArgs, unknown>
export function CacheEvict(...given: readonly [object]): AsyncMethodDecorator<never, never> {
  assertCalledWithOptions(DECORATOR, given)
  const [options] = given
  const { cacheName, policy, isBefore, hasKeys, all, condition, ...finders } = resolve(options)
  return methodDecorator(DECORATOR, (original, site) => {
    const naming = hasKeys || all ? 'required' : 'unneeded'
    const binding = new MethodBinding({ decorator: DECORATOR, site, cacheName, policy, naming })
    const { method }: { method: AnyMethod } = {
      async method(this: unknown, ...args: unknown[]): Promise<unknown> {
        const run = (): Promise<unknown> => invoke(original, this, args, binding.where)
        if (condition?.apply(this, args) === false) return run()
        const cache = binding.bind(this)
        // Before the method runs, because it may change its arguments, and so that a wrong key fails before anything is done.
        const keys = finders.keysOf(this, args)
        if (isBefore)
          await cache.evict(finders.eviction(keys, finders.tagsOf(this, undefined, args)))
        const result = await run()
        if (!isBefore) await cache.evict(finders.eviction(keys, finders.tagsOf(this, result, args)))
        return result
      },
    }
    return { method, operation: { kind: 'cache-evict', options } }
  })
}

/** What is evicted by a call. */
interface Finders {
  keysOf(self: unknown, args: Args): readonly string[]
  tagsOf(self: unknown, result: unknown, args: Args): readonly string[]
  eviction(keys: readonly string[], tags: readonly string[]): EvictCall
}

interface Resolved extends Finders {
  readonly cacheName: string | undefined
  readonly policy: { readonly onRemoteFailure?: 'queue' | 'throw' }
  readonly isBefore: boolean
  readonly hasKeys: boolean
  readonly all: boolean
  readonly condition: ReturnType<typeof callback>
}

function resolve(options: object): Resolved {
  assertKnownOptions(options, NAMES, DECORATOR)
  const { cache, when = 'after', condition, onRemoteFailure } = options as Record<string, unknown>
  const {
    all = false,
    soft = false,
    settle = 0,
    key,
    keys,
    tags,
  } = options as Record<string, unknown>
  if (cache !== undefined) assertName(cache, `${DECORATOR}.cache`)
  assertOneOf(when, ['after', 'before'], `${DECORATOR}.when`)
  assertBoolean(all, `${DECORATOR}.all`)
  assertBoolean(soft, `${DECORATOR}.soft`)
  if (condition !== undefined) assertFunction(condition, `${DECORATOR}.condition`)
  const policy =
    onRemoteFailure === undefined ? {} : { onRemoteFailure: onRemoteFailure as 'queue' }
  assertCacheOptions(policy, DECORATOR)
  const settleMs = parseDuration(settle as Duration, `${DECORATOR}.settle`)
  const hasKeys = key !== undefined || keys !== undefined
  if (!hasKeys && tags === undefined && all !== true) {
    const expected = 'something to evict: key, keys, tags or all'
    throw new InvalidOptionError({ option: DECORATOR, expected, received: options })
  }
  if (!hasKeys && (soft === true || settleMs > 0)) {
    const option = `${DECORATOR}.${soft === true ? 'soft' : 'settle'}`
    throw new InvalidOptionError({
      option,
      expected: 'a key or keys to go with it',
      received: undefined,
    })
  }
  return {
    cacheName: cache,
    policy,
    isBefore: when === 'before',
    hasKeys,
    all: all === true,
    condition: callback(condition),
    keysOf: keysFinder(key, keys),
    tagsOf: tagsFinder(tags),
    eviction: (found, tagged) => ({
      keys: found,
      tags: tagged,
      all: all === true,
      soft: soft === true,
      settleMs,
    }),
  }
}

function keysFinder(key: unknown, keys: unknown): Finders['keysOf'] {
  if (keys !== undefined) assertFunction(keys, `${DECORATOR}.keys`)
  const one = key === undefined ? undefined : keySource(key, `${DECORATOR}.key`)()
  const several = callback(keys)
  return (self, args) => {
    const found = several?.apply(self, [...args]) ?? []
    if (!Array.isArray(found)) {
      const option = `${DECORATOR}.keys`
      throw new InvalidOptionError({
        option,
        expected: 'a function that returns an array of keys',
        received: found,
      })
    }
    return [...(one === undefined ? [] : [one.of(self, args)]), ...found.map(keyText)]
  }
}

function tagsFinder(tags: unknown): Finders['tagsOf'] {
  const fixed = fixedTags(tags, `${DECORATOR}.tags`)
  const computed = callback(tags)
  return (self, result, args) => {
    if (computed === undefined) return fixed
    // A result that is not what its type says must not evict characters of a string, or nothing at all.
    return fixedTags(computed.call(self, result, ...args) ?? null, `${DECORATOR}.tags`)
  }
}
