/** `each`: the options of a `@Cacheable` method over a list. */

import { InvalidOptionError } from '../../errors/option-error.ts'
import type { Key } from '../../keys/key-text.ts'
import { assertKnownOptions } from '../../options/assert-option.ts'
import type { Duration } from '../../options/duration.ts'
import { optionNames } from '../../options/option-names.ts'
import { type Callback, readCallback } from '../bound/callbacks.ts'
import type { AnnotateThis, AnyUnlessAnnotated } from '../bound/unannotated.ts'
import type { StoringOptions } from './storing-options.ts'

type Args = readonly unknown[]

/** One entry for each element of the method's first argument. */
export interface EachOptions<Id, Item, KeyArgs extends Args> {
  /** The key of one element: a function of it and the method's further arguments, or a template (`{0}` is the element). */
  readonly key: string | ((id: Id, ...rest: KeyArgs) => Key)
  /**
   * The element an item belongs to. With it, the method may return items in any order and leave some out; callers get
   * them in the order of their list, without missing ones. Without it, the method returns one item per
   * element, in order, `undefined` or `null` for a missing one, and callers get the same.
   */
  readonly by?: ((item: Item) => NoInfer<Id | AnyUnlessAnnotated<Id>>) | undefined
}

/**
 * Without `each` there is no `each.key`. The name is for the compiler's message about a key function without types in a method
 * without `each`, because TypeScript reports the last alternative that did not fit.
 */
export interface AnnotateTheParametersOfKeyAndReturnAKey {
  readonly 'annotate the parameters of the key function': never
}

/** Callbacks get one item, the element it belongs to, and the method's further arguments. */
export type CacheableEachOptions<
  Id,
  Item,
  KeyArgs extends Args,
  TagArgs extends Args,
  TtlArgs extends Args,
  UnlessArgs extends Args,
  ConditionArgs extends Args,
> = CacheableEachFields<Id, Item, KeyArgs, TagArgs, TtlArgs, UnlessArgs, ConditionArgs> &
  ThisType<AnnotateThis>

/** The fields of `CacheableEachOptions`. */
export interface CacheableEachFields<
  Id,
  Item,
  KeyArgs extends Args,
  TagArgs extends Args,
  TtlArgs extends Args,
  UnlessArgs extends Args,
  ConditionArgs extends Args,
> extends StoringOptions<Item, TagArgs, TtlArgs, UnlessArgs> {
  readonly each: EachOptions<Id, Item, KeyArgs>
  readonly key?: AnnotateTheParametersOfKeyAndReturnAKey | undefined
  /** Methods of the class that load the same entity into the same cache, and so may share entries. */
  readonly shares?: string | symbol | readonly (string | symbol)[] | undefined
  /** Gets the method's arguments, with the list. False: neither read nor write the cache. */
  readonly condition?: ((...args: ConditionArgs) => boolean) | undefined
  /** As with one entry; gets one item. */
  readonly unshared?: ((item: Item) => boolean | Duration) | undefined
}

/** The checked form. */
export interface Each {
  readonly key: unknown
  readonly by: Callback | undefined
}

const NAMES = optionNames<EachOptions<unknown, unknown, []>>({ key: true, by: true })

/** @throws InvalidOptionError naming the option that is wrong. */
export function resolveEach(options: object, where: string): Each | undefined {
  const { each, key } = options as Record<string, unknown>
  if (each === undefined) return undefined
  assertKnownOptions(each, NAMES, `${where}.each`)
  const { key: keyOfOne, by } = each as Record<string, unknown>
  if (key !== undefined || keyOfOne === undefined) {
    throw new InvalidOptionError({
      option: `${where}.${key === undefined ? 'each.key' : 'key'}`,
      expected: 'the key of one element as each.key, and no other',
      received: key,
    })
  }
  return { key: keyOfOne, by: readCallback(by, `${where}.each.by`) }
}
