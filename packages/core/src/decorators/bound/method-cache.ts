/** The small interface between a decorated method and the engine, so that each can be tested alone. */

import type { EntryPlace } from '../../cache/entry-rules.ts'
import type { PutFence } from '../../cache/put-fence.ts'
import type { LoadContext, Loader, ReadRules } from '../../cache/read-call.ts'
import { INTERNALS } from '../../contracts/internals.ts'
import type { KeyFrame, SoleArgument } from '../../keys/key-frame.ts'
import type { CacheOptions } from '../../options/cache-options.ts'

/** A decorated method as the engine sees it. */
export interface MethodDescription {
  /** `Class.method`, for statistics and messages. */
  readonly method: string
  readonly cacheName: string
  readonly options: CacheOptions
  /** The method reads and writes no values of the cache, so its options about values do not matter. @default false */
  readonly onlyEvicts?: boolean | undefined
  /** The method changes entries that other methods read: if none does, that is a mistake. @default false */
  readonly isForOthers?: boolean | undefined
  /** How messages name the place, such as `@Cacheable(Products.find)`. */
  readonly where: string
  /** What stands around the arguments in its keys, if it reads under default ones. */
  readonly frame?: KeyFrame | undefined
}

/** What one call of a decorated method evicts, and how. */
export interface MethodEviction {
  readonly keys: readonly string[]
  readonly tags: readonly string[]
  readonly all: boolean
  readonly soft: boolean
  readonly settleMs: number
}

/** The cache of one decorated method. Keys are key texts, without the cache's name, and may hold lone surrogates. */
export interface MethodCache {
  /** Is shown each `ttl` that a callback gives; in development. */
  readonly onTtl?: EntryPlace['onTtl']
  /** A local hit that needs nothing else, at once: the promise to hand out, already counted; `undefined` for any other read. */
  hit(key: string, argument?: SoleArgument): Promise<unknown> | undefined
  /**
   * The same for a method with default keys that is called with one argument, without its key. Finds what `hit` was served for
   * the key and the argument.
   */
  hitByArgument(argument: SoleArgument): Promise<unknown> | undefined
  getOrLoad(key: string, loader: Loader, rules: ReadRules): Promise<unknown>
  /** One entry per key, one set of rules per key; `load` gets the indexes of missing keys and returns a value for each. */
  getManyOrLoad(
    keys: readonly string[],
    load: (missing: readonly number[], context: LoadContext) => Promise<readonly unknown[]>,
    rules: readonly ReadRules[],
  ): Promise<readonly unknown[]>
  peek(key: string): Promise<unknown>
  /**
   * Notes what is known before the method runs that makes the value of a put, whatever its key will be. Returns at once, except
   * for the first put of a process, which must first ask the store. `put` ends the fence, or its own `end` if no put follows.
   */
  begin(): PutFence | Promise<PutFence>
  /**
   * Writes a value; without `begun` it counts as made now. When a callback about keeping fails, the key is evicted and the failure
   * is reported.
   */
  put(key: string, value: unknown, rules: ReadRules, begun: PutFence | undefined): Promise<void>
  /** Reports that a result could not be kept because a callback failed. */
  unfit(error: unknown): void
  evict(request: MethodEviction): Promise<void>
  fullKey(key: string): string
}

/** The source of caches for decorated methods; a cache manager. */
export interface MethodCacheProvider {
  readonly isClosed: boolean
  /** True when entries are shared with other processes: then names must mean the same in all of them. @default false */
  readonly isShared?: boolean
  readonly [INTERNALS]: {
    methodCache(method: MethodDescription): MethodCache
  }
}
