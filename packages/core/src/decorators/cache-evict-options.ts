/** The options of `@CacheEvict`, as a user writes them. */

import type { Key } from '../keys/key-text.ts'
import type { Duration } from '../options/duration.ts'
import { optionNames } from '../options/option-names.ts'
import type { AnnotateThis } from './bound/unannotated.ts'

type Args = readonly unknown[]

/** At least one of `key`, `keys`, `keyOf`, `keysOf`, `tags` and `all`. */
export type CacheEvictOptions<
  KeyArgs extends Args,
  Result,
  KeysArgs extends Args,
  TagArgs extends Args,
  ConditionArgs extends Args,
  KeyOfArgs extends Args = [],
  KeysOfArgs extends Args = [],
  IfArgs extends Args = [],
> = CacheEvictFields<
  KeyArgs,
  Result,
  KeysArgs,
  TagArgs,
  ConditionArgs,
  KeyOfArgs,
  KeysOfArgs,
  IfArgs
> &
  ThisType<AnnotateThis>

/** The fields of `CacheEvictOptions`. */
export interface CacheEvictFields<
  KeyArgs extends Args,
  Result,
  KeysArgs extends Args,
  TagArgs extends Args,
  ConditionArgs extends Args,
  KeyOfArgs extends Args = [],
  KeysOfArgs extends Args = [],
  IfArgs extends Args = [],
> {
  /** Name of the cache; else `@CacheConfig`'s. Not needed for tags alone, which reach every cache. */
  readonly cache?: string | undefined
  /** One key, from the arguments: a function or a template. An array is one composite key; see `keys` for several. */
  readonly key?: string | ((...args: KeyArgs) => Key) | undefined
  /** Several keys, from the arguments. */
  readonly keys?: ((...args: KeysArgs) => readonly Key[]) | undefined
  /** One key, from the result and the arguments; `undefined` for none. Not with `when: 'before'`. */
  readonly keyOf?: ((result: Result, ...args: KeyOfArgs) => Key | undefined) | undefined
  /** Several keys, from the result and the arguments. Not with `when: 'before'`. */
  readonly keysOf?: ((result: Result, ...args: KeysOfArgs) => readonly Key[]) | undefined
  /** Tags; a function gets the result (`undefined` with `when: 'before'`) and the arguments. */
  readonly tags?:
    | readonly string[]
    | ((result: Result, ...args: TagArgs) => readonly string[])
    | undefined
  /** The whole cache. @default false */
  readonly all?: boolean | undefined
  /** `after`: when the method has succeeded. `before`: before it runs, also if it fails. @default 'after' */
  readonly when?: 'after' | undefined
  /** Keep values for failed loads (`staleIfError`). For everything that is evicted: keys, tags, the whole cache. @default false */
  readonly soft?: boolean | undefined
  /**
   * For a method whose transaction commits later, or that reads from a lagging replica: values loaded within this window are
   * returned, and kept only until it ends. Keys only. @default 0
   */
  readonly settle?: Duration | undefined
  /** False: evict nothing. Asked before the method runs. */
  readonly condition?: ((...args: ConditionArgs) => boolean) | undefined
  /** The same, called when the method has succeeded, with its result. Not with `when: 'before'`. */
  readonly conditionOf?: ((result: Result, ...args: IfArgs) => boolean) | undefined
  /** When the eviction cannot reach the store: keep it in the recovery queue, or also throw. @default the class's */
  readonly onRemoteFailure?: 'queue' | 'throw' | undefined
}

/** Evicting before the method runs: there is no result to compute tags from. */
export type CacheEvictBeforeOptions<
  KeyArgs extends Args,
  KeysArgs extends Args,
  TagArgs extends Args,
  ConditionArgs extends Args,
> = CacheEvictBeforeFields<KeyArgs, KeysArgs, TagArgs, ConditionArgs> & ThisType<AnnotateThis>

/** The fields of `CacheEvictBeforeOptions`. */
export interface CacheEvictBeforeFields<
  KeyArgs extends Args,
  KeysArgs extends Args,
  TagArgs extends Args,
  ConditionArgs extends Args,
> extends Omit<
    CacheEvictFields<KeyArgs, undefined, KeysArgs, TagArgs, ConditionArgs>,
    'when' | 'keyOf' | 'keysOf' | 'conditionOf'
  > {
  readonly when: 'before'
}

/** Names of the options of both forms. */
export const CACHE_EVICT_NAMES = optionNames<CacheEvictFields<[], unknown, [], [], []>>({
  cache: true,
  key: true,
  keys: true,
  keyOf: true,
  keysOf: true,
  tags: true,
  all: true,
  when: true,
  soft: true,
  settle: true,
  condition: true,
  conditionOf: true,
  onRemoteFailure: true,
})

/** The defaults. */
export const CACHE_EVICT_DEFAULTS = { all: false, when: 'after', soft: false, settle: 0 } as const
