/** `@CacheEvict`: runs the method, and evicts what its change made old. */

import { InvalidOptionError } from '../errors/option-error.ts'
import { type Key, keyText } from '../keys/key-text.ts'
import {
  assertBoolean,
  assertFunction,
  assertKnownOptions,
  assertOneOf,
} from '../options/assert-option.ts'
import { assertCacheOptions, type CacheOptions } from '../options/cache-options.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { assertName } from '../options/manager-options.ts'
import { keySource } from './key-source.ts'
import { type BindingParts, MethodBinding } from './method-binding.ts'
import type { EvictCall } from './method-cache.ts'
import {
  type AnyMethod,
  type AsyncMethodDecorator,
  assertCalledWithOptions,
  invoke,
  methodDecorator,
  shapeOf,
} from './method-decorator.ts'
import { type Callback, callback, fixedTags } from './storing-options.ts'

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
  const { cacheName, policy, naming, isBefore, condition } = resolve(options)
  const plan = planner(options)
  return methodDecorator(DECORATOR, (original, site) => {
    const binding = new MethodBinding({ decorator: DECORATOR, site, cacheName, policy, naming })
    const { method }: { method: AnyMethod } = {
      async method(this: unknown, ...args: unknown[]): Promise<unknown> {
        const run = (): Promise<unknown> => invoke(original, this, args, binding.where)
        if (condition?.apply(this, args) === false) return run()
        const cache = binding.bind(this)
        // Before the method runs: it may change its arguments, and a wrong key is to fail before anything is done.
        const evictionAfter = plan(this, args)
        if (isBefore) await cache.evict(evictionAfter(undefined))
        const result = await run()
        if (!isBefore) await cache.evict(evictionAfter(result))
        return result
      },
    }
    return { method, operation: { kind: 'cache-evict', options } }
  })
}

interface Resolved extends Pick<BindingParts, 'cacheName' | 'policy' | 'naming'> {
  readonly isBefore: boolean
  readonly condition: Callback | undefined
}

function resolve(options: object): Resolved {
  assertKnownOptions(options, NAMES, DECORATOR)
  const { cache, when = 'after', condition, ...rest } = options as Record<string, unknown>
  const { key, keys, tags, all = false, soft = false, onRemoteFailure } = rest
  if (cache !== undefined) assertName(cache, `${DECORATOR}.cache`)
  if (condition !== undefined) assertFunction(condition, `${DECORATOR}.condition`)
  assertOneOf(when, ['after', 'before'], `${DECORATOR}.when`)
  assertBoolean(all, `${DECORATOR}.all`)
  assertBoolean(soft, `${DECORATOR}.soft`)
  const policy = onRemoteFailure === undefined ? {} : ({ onRemoteFailure } as CacheOptions)
  assertCacheOptions(policy, DECORATOR)
  const hasKeys = key !== undefined || keys !== undefined
  if (!hasKeys && tags === undefined && all !== true) {
    const expected = 'something to evict: key, keys, tags or all'
    throw new InvalidOptionError({ option: DECORATOR, expected, received: options })
  }
  if (!hasKeys) assertNoneForKeys({ soft: soft || undefined, settle: rest['settle'] })
  return {
    cacheName: cache,
    policy,
    naming: hasKeys || all === true ? 'required' : 'unneeded',
    isBefore: when === 'before',
    condition: callback(condition),
  }
}

function assertNoneForKeys(options: Readonly<Record<string, unknown>>): void {
  for (const [name, received] of Object.entries(options)) {
    if (received === undefined) continue
    const expected = 'a key or keys to go with it'
    throw new InvalidOptionError({ option: `${DECORATOR}.${name}`, expected, received })
  }
}

/** Says what a call evicts: its keys at once, its tags when there is a result. */
type Plan = (self: unknown, args: Args) => (result: unknown) => EvictCall

function planner(options: object): Plan {
  const { key, keys, tags, all, soft, settle = 0 } = options as Record<string, unknown>
  if (keys !== undefined) assertFunction(keys, `${DECORATOR}.keys`)
  const one = key === undefined ? undefined : keySource(key, `${DECORATOR}.key`)()
  const several = callback(keys)
  const tagsOf = callback(tags)
  const fixed = fixedTags(tags, `${DECORATOR}.tags`)
  const settleMs = parseDuration(settle as Duration, `${DECORATOR}.settle`)
  const how = { all: all === true, soft: soft === true, settleMs }
  return (self, args) => {
    const first = one === undefined ? [] : [one.of(self, args)]
    const more = several === undefined ? [] : keyTexts(several.apply(self, [...args]))
    return (result) => ({
      keys: [...first, ...more],
      tags: tagsOf === undefined ? fixed : checkedTags(tagsOf.call(self, result, ...args)),
      ...how,
    })
  }
}

function keyTexts(keys: unknown): readonly string[] {
  if (Array.isArray(keys)) return keys.map((key) => keyText(key))
  throw new InvalidOptionError({
    option: `${DECORATOR}.keys`,
    expected: 'a function that returns an array of keys',
    received: shapeOf(keys),
  })
}

/** No tags are an empty array: anything else is a mistake that would leave old values behind. */
function checkedTags(tags: unknown): readonly string[] {
  return fixedTags(Array.isArray(tags) ? tags : shapeOf(tags ?? null), `${DECORATOR}.tags`)
}
