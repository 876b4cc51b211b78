/** `@CacheEvict`: runs the method, and evicts the entries that it changed. */

import { keyErrorAt } from '../errors/key-error.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { keyText } from '../keys/key-text.ts'
import { assertBoolean, assertKnownOptions, assertOneOf } from '../options/assert-option.ts'
import { assertCacheOptions, type CacheOptions } from '../options/cache-options.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { assertName } from '../options/name.ts'
import { type BindingParts, cacheBinder } from './bound/bound-cache.ts'
import { invoke } from './bound/bound-method.ts'
import { answered, type Callback, readCallback, saysNo } from './bound/callbacks.ts'
import type { MethodEviction } from './bound/method-cache.ts'
import {
  type AnyMethod,
  type AsyncMethodDecorator,
  assertCalledWithOptions,
  methodDecorator,
  shapeOf,
} from './bound/method-decorator.ts'
import type {
  AnnotateTheResult,
  AnyUnlessAnnotated,
  ArgsOf,
  WriteParentheses,
} from './bound/unannotated.ts'
import {
  CACHE_EVICT_DEFAULTS,
  CACHE_EVICT_NAMES,
  type CacheEvictBeforeOptions,
  type CacheEvictOptions,
} from './cache-evict-options.ts'
import { keySource } from './reading/key-source.ts'
import { fixedTags } from './reading/storing-options.ts'

type Args = readonly unknown[]

const DECORATOR = '@CacheEvict'

/**
 * Evicts keys, tags or a whole cache, on all nodes, around a method that changes cached data.
 *
 * @throws InvalidOptionError at definition, naming the option.
 * @example `@CacheEvict({ key: (id: string) => id, tags: ['catalogue'] }) async remove(id: string): Promise<void> { … }`
 */
export function CacheEvict<
  AnnotateKeyArgs extends Args = [],
  Result = AnnotateTheResult,
  AnnotateKeysArgs extends Args = [],
  AnnotateTagsArgs extends Args = [],
  AnnotateConditionArgs extends Args = [],
  AnnotateKeyOfArgs extends Args = [],
  AnnotateKeysOfArgs extends Args = [],
  AnnotateConditionOfArgs extends Args = [],
>(
  options: CacheEvictOptions<
    AnnotateKeyArgs,
    Result,
    AnnotateKeysArgs,
    AnnotateTagsArgs,
    AnnotateConditionArgs,
    AnnotateKeyOfArgs,
    AnnotateKeysOfArgs,
    AnnotateConditionOfArgs
  >,
): AsyncMethodDecorator<
  ArgsOf<
    | AnnotateKeyArgs
    | AnnotateKeysArgs
    | AnnotateTagsArgs
    | AnnotateConditionArgs
    | AnnotateKeyOfArgs
    | AnnotateKeysOfArgs
    | AnnotateConditionOfArgs
  >,
  Result | AnyUnlessAnnotated<Result>
>
export function CacheEvict<
  AnnotateKeyArgs extends Args = [],
  AnnotateKeysArgs extends Args = [],
  AnnotateTagsArgs extends Args = [],
  AnnotateConditionArgs extends Args = [],
>(
  options: CacheEvictBeforeOptions<
    AnnotateKeyArgs,
    AnnotateKeysArgs,
    AnnotateTagsArgs,
    AnnotateConditionArgs
  >,
): AsyncMethodDecorator<
  ArgsOf<AnnotateKeyArgs | AnnotateKeysArgs | AnnotateTagsArgs | AnnotateConditionArgs>,
  unknown
>
export function CacheEvict(
  target: object,
  context: unknown,
  descriptor?: unknown,
): WriteParentheses<'@CacheEvict'>
export function CacheEvict(...given: readonly [object]): unknown {
  assertCalledWithOptions(DECORATOR, given)
  const [options] = given
  const { isBefore, condition, conditionOf, ...words } = resolve(options)
  const plan = planner(options)
  const keyWith = keySource(undefined, DECORATOR)
  return methodDecorator(DECORATOR, (original, site) => {
    const binding = cacheBinder({ decorator: DECORATOR, site, keyWith, ...words })
    const { method }: { method: AnyMethod } = {
      async method(this: unknown, ...args: unknown[]): Promise<unknown> {
        const run = (): Promise<unknown> => invoke(original, this, args, binding.where)
        if (condition !== undefined && saysNo(condition, this, args, binding.where)) return run()
        const { cache, cacheName, where } = binding.bind(this)
        const call = { self: this, args, where, cacheName }
        // Before the method runs: it may change its arguments, and a wrong key must fail before anything is done.
        const evictionAfter = plan(call)
        if (isBefore) {
          await cache.evict(evictionAfter(undefined))
          return run()
        }
        const result = await run()
        const isOff = conditionOf?.call(this, result, ...args)
        if (answered(isOff, `${where}.conditionOf`) === false) return result
        await cache.evict(evictionAfter(result))
        return result
      },
    }
    return { method, operation: { kind: 'cache-evict', options } }
  })
}

interface Resolved extends Pick<BindingParts, 'cacheName' | 'policy' | 'naming'> {
  readonly isBefore: boolean
  readonly condition: Callback | undefined
  readonly conditionOf: Callback | undefined
}

function resolve(options: object): Resolved {
  assertKnownOptions(options, CACHE_EVICT_NAMES, DECORATOR)
  const {
    cache,
    when = CACHE_EVICT_DEFAULTS.when,
    condition,
    ...rest
  } = options as Record<string, unknown>
  const { key, keys, keyOf, keysOf, conditionOf } = rest
  const { all = CACHE_EVICT_DEFAULTS.all, soft = CACHE_EVICT_DEFAULTS.soft } = rest
  const { tags, onRemoteFailure } = rest
  if (cache !== undefined) assertName(cache, `${DECORATOR}.cache`)
  assertOneOf(when, ['after', 'before'], `${DECORATOR}.when`)
  assertBoolean(all, `${DECORATOR}.all`)
  assertBoolean(soft, `${DECORATOR}.soft`)
  const policy = onRemoteFailure === undefined ? {} : ({ onRemoteFailure } as CacheOptions)
  assertCacheOptions(policy, DECORATOR)
  const hasKeys = [key, keys, keyOf, keysOf].some((option) => option !== undefined)
  if (!hasKeys && tags === undefined && all !== true) {
    const expected = 'something to evict: key, keys, keyOf, keysOf, tags or all'
    throw new InvalidOptionError({ option: DECORATOR, expected, received: options })
  }
  if (!hasKeys) assertNone({ settle: rest['settle'] }, 'a key or keys to go with it')
  if (all === true)
    assertNone({ key, keys, keyOf, keysOf }, 'nothing beside all, which evicts every key')
  if (when === 'before') {
    assertNone(
      { keyOf, keysOf, conditionOf },
      "when: 'after', because there is no result before the method has run",
    )
  }
  return {
    cacheName: cache,
    policy,
    naming: hasKeys || all === true ? 'required' : 'unneeded',
    isBefore: when === 'before',
    condition: readCallback(condition, `${DECORATOR}.condition`),
    conditionOf: readCallback(conditionOf, `${DECORATOR}.conditionOf`),
  }
}

function assertNone(options: Readonly<Record<string, unknown>>, expected: string): void {
  for (const [name, received] of Object.entries(options)) {
    if (received === undefined) continue
    throw new InvalidOptionError({ option: `${DECORATOR}.${name}`, expected, received })
  }
}

interface Call {
  readonly self: unknown
  readonly args: Args
  readonly where: string
  readonly cacheName: string
}

/** Collects what a call evicts: its keys at once, what depends on the result once there is one. */
type Plan = (call: Call) => (result: unknown) => MethodEviction

/**
 * Keys are made twice: before the method, so that a wrong one fails before anything is done, and after it, because the
 * caller or the method may have changed the arguments. The keys of both times are evicted.
 */
function planner(options: object): Plan {
  const {
    tags,
    all,
    soft,
    settle = CACHE_EVICT_DEFAULTS.settle,
  } = options as Record<string, unknown>
  const keysOf = keyPlanner(options)
  const tagsOf = readTags(tags)
  const fixed = fixedTags(tags, `${DECORATOR}.tags`)
  const settleMs = parseDuration(settle as Duration, `${DECORATOR}.settle`)
  const how = { all: all === true, soft: soft === true, settleMs }
  return (call) => {
    const before = keysOf.fromArguments(call)
    return (result) => {
      const after = [...keysOf.again(call), ...keysOf.fromResult(call, result)]
      const { self, args, where } = call
      return {
        keys: after.length === 0 ? before : [...new Set([...before, ...after])],
        tags: tagsOf === undefined ? fixed : checkedTags(tagsOf.call(self, result, ...args), where),
        ...how,
      }
    }
  }
}

interface KeyPlan {
  fromArguments(call: Call): readonly string[]
  /** The same after the method has run; empty where the keys cannot have changed, or cannot be made any more. */
  again(call: Call): readonly string[]
  fromResult(call: Call, result: unknown): readonly string[]
}

function keyPlanner(options: object): KeyPlan {
  const { key, keys, keyOf, keysOf } = options as Record<string, unknown>
  const one = key === undefined ? undefined : keySource(key, `${DECORATOR}.key`)()
  const several = readCallback(keys, `${DECORATOR}.keys`)
  const oneOf = readCallback(keyOf, `${DECORATOR}.keyOf`)
  const severalOf = readCallback(keysOf, `${DECORATOR}.keysOf`)
  const fromArguments = ({ self, args, where, cacheName }: Call): readonly string[] =>
    naming({ where, cacheName }, () => [
      ...(one === undefined ? [] : [one.of(self, args)]),
      ...(several === undefined ? [] : keyTexts(several.apply(self, [...args]), `${where}.keys`)),
    ])
  return {
    fromArguments,
    again: (call) => {
      if (several === undefined && one?.canChange(call.args) !== true) return []
      try {
        return fromArguments(call)
      } catch {
        return []
      }
    },
    fromResult: ({ self, args, where, cacheName }, result) =>
      naming({ where, cacheName }, () => {
        const made = oneOf?.call(self, result, ...args)
        return [
          ...(made === undefined ? [] : [keyText(made)]),
          ...(severalOf === undefined
            ? []
            : keyTexts(severalOf.call(self, result, ...args), `${where}.keysOf`)),
        ]
      }),
  }
}

/** Runs code that makes keys; a KeyError names the method. */
function naming<Made>(place: Pick<Call, 'where' | 'cacheName'>, make: () => Made): Made {
  try {
    return make()
  } catch (error) {
    throw keyErrorAt(error, place.where, place.cacheName)
  }
}

function readTags(tags: unknown): Callback | undefined {
  return typeof tags === 'function' ? readCallback(tags, `${DECORATOR}.tags`) : undefined
}

function keyTexts(keys: unknown, option: string): readonly string[] {
  if (Array.isArray(keys)) return keys.map((key) => keyText(key))
  throw new InvalidOptionError({
    option,
    expected: 'a function that returns an array of keys',
    received: keys,
    described: shapeOf(keys),
  })
}

/** No tags are an empty array: anything else is a mistake that would leave old values in the cache. */
function checkedTags(tags: unknown, where: string): readonly string[] {
  const option = `${where}.tags`
  if (Array.isArray(tags)) return fixedTags(tags, option)
  const expected = 'a function that returns an array of tags'
  throw new InvalidOptionError({ option, expected, received: tags, described: shapeOf(tags) })
}
