/** `@CacheEvict`: runs the method, and evicts what its change made old. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { type Key, keyText } from '../keys/key-text.ts'
import {
  assertBoolean,
  assertFunction,
  assertKnownOptions,
  assertOneOf,
} from '../options/assert-option.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { assertName } from '../options/manager-options.ts'
import { assertTags } from './cacheable.ts'
import { keySource } from './key-source.ts'
import { MethodBinding } from './method-binding.ts'
import type { EvictCall } from './method-cache.ts'
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

export interface CacheEvictOptions<
  KeyArgs extends Args,
  Result,
  KeysArgs extends Args,
  TagArgs extends Args,
  ConditionArgs extends Args,
> {
  /** Name of the cache; else `@CacheConfig`'s. Not needed for tags alone. */
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
  /** `after` the method succeeded, or `before` it runs. @default 'after' */
  readonly when?: 'after' | 'before' | undefined
  /** Keep values for when loads fail (`staleIfError`). Keys only. @default false */
  readonly soft?: boolean | undefined
  /**
   * For a method whose transaction commits later, or in front of a lagging replica: what is loaded within this window is
   * handed out but kept no longer than it. Keys only. @default 0
   */
  readonly settle?: Duration | undefined
  /** False: evict nothing. */
  readonly condition?: ((...args: ConditionArgs) => boolean) | undefined
}

const WHERE = '@CacheEvict'
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
] as const

/**
 * Evicts keys, tags or a whole cache, on all nodes, when the method has done its work.
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
): AsyncMethodDecorator<
  FittingMethod<KeyArgs, Result> &
    FittingMethod<KeysArgs, Result> &
    FittingMethod<TagArgs, Result> &
    FittingMethod<ConditionArgs, Result>
> {
  const given = resolve(options as AnyEvictOptions)
  return decorateMethod(WHERE, (method, site) => {
    const needsCache = given.key !== undefined || given.keys !== undefined || given.all === true
    const binding = new MethodBinding({
      decorator: WHERE,
      site,
      options: given.cache === undefined ? {} : { cache: given.cache },
      // Tags reach every cache of the namespace, so a method that evicts only tags needs no cache of its own.
      mayBeUnnamed: !needsCache,
    })
    const requestOf = evictionOf(given)
    const wrapped: AnyMethod = async function (
      this: unknown,
      ...args: unknown[]
    ): Promise<unknown> {
      const isOff = currentSkip() === 'skip' || given.condition?.(...args) === false
      if (isOff) return invoke(method, this, args, binding.where)
      const cache = binding.bind(this)
      if (given.when === 'before') {
        await cache.evict(requestOf(undefined, args))
        return invoke(method, this, args, binding.where)
      }
      const result = await invoke(method, this, args, binding.where)
      await cache.evict(requestOf(result, args))
      return result
    }
    binding.wrapping(wrapped)
    addOperation(wrapped, method, { kind: 'cache-evict', options })
    return wrapped
  })
}

interface AnyEvictOptions {
  readonly cache?: string
  readonly key?: unknown
  readonly keys?: (...args: Args) => readonly Key[]
  readonly tags?: unknown
  readonly all?: boolean
  readonly when?: 'after' | 'before'
  readonly soft?: boolean
  readonly settle?: Duration
  readonly condition?: (...args: Args) => boolean
}

function resolve(options: AnyEvictOptions): AnyEvictOptions {
  assertKnownOptions(options, NAMES, WHERE)
  const { cache, keys, key, tags, all, when, soft, settle, condition } = options
  if (cache !== undefined) assertName(cache, `${WHERE}.cache`)
  if (keys !== undefined) assertFunction(keys, `${WHERE}.keys`)
  if (all !== undefined) assertBoolean(all, `${WHERE}.all`)
  if (when !== undefined) assertOneOf(when, ['after', 'before'], `${WHERE}.when`)
  if (soft !== undefined) assertBoolean(soft, `${WHERE}.soft`)
  if (settle !== undefined) parseDuration(settle, `${WHERE}.settle`)
  if (condition !== undefined) assertFunction(condition, `${WHERE}.condition`)
  assertTags(tags, `${WHERE}.tags`)
  if (key === undefined && keys === undefined && tags === undefined && all !== true) {
    throw new InvalidOptionError({
      option: WHERE,
      expected: 'something to evict: key, keys, tags or all',
      received: options,
    })
  }
  return options
}

function evictionOf(options: AnyEvictOptions): (result: unknown, args: Args) => EvictCall {
  const { keys, tags, all = false, soft = false, settle = 0 } = options
  const key =
    options.key === undefined ? undefined : keySource(options.key, `${WHERE}.key`, () => '')
  const settleMs = parseDuration(settle, `${WHERE}.settle`)
  const staticTags = assertTags(tags, `${WHERE}.tags`)
  return (result, args) => ({
    keys: [
      ...(key === undefined ? [] : [key.ofAll(args)]),
      ...(keys?.(...args).map(keyText) ?? []),
    ],
    tags: typeof tags === 'function' ? (tags(result, ...args) as readonly string[]) : staticTags,
    all,
    soft,
    settleMs,
  })
}
