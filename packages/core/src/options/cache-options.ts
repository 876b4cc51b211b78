/** The policy of a cache: the options, the defaults, and the checked form that the engine works with. */

import {
  assertBoolean,
  assertFunction,
  assertKnownOptions,
  assertOneOf,
  assertTags,
} from './assert-option.ts'
import { type Duration, parseDuration } from './duration.ts'
import { assertName } from './name.ts'
import { optionNames } from './option-names.ts'
import { fraction, refreshBeta, schemaFingerprint } from './policy-values.ts'
import { parseSize, type Size } from './size.ts'

/** What a local hit hands out. */
export type Isolation = 'frozen' | 'shared' | 'cloned'

/** How a cache behaves. Every field may be set for the manager (`defaults`), a class, a cache or a method. */
export interface CacheOptions {
  /** How long a value is fresh. 1 ms to 10 years. @default '5m' */
  readonly ttl?: Duration | undefined
  /** After `ttl`, how long a value is still served while one refresh runs (RFC 5861). @default 0 */
  readonly staleWhileRevalidate?: Duration | undefined
  /** After that, how long a value is kept for failed loads (RFC 5861). @default 0 */
  readonly staleIfError?: Duration | undefined
  /** How long "the source has nothing" (`null`, `undefined`) is remembered; `false` for not at all. @default false */
  readonly negativeTtl?: Duration | false | undefined
  /** How long a load error is remembered and thrown again, by error; `false` for not at all. @default never */
  readonly cacheErrors?: ((error: unknown) => Duration | false) | undefined
  /** How long a stale value is served without a new attempt after a failed refresh. @default '1s' */
  readonly errorBackoff?: Duration | undefined
  /**
   * Refreshes before `ttl` ends with a probability that grows with the measured load time (XFetch, Vattani et al.,
   * VLDB 2015). A number is the factor β: above 1 is earlier. The moment is drawn once per entry and node. @default false
   */
  readonly refreshAhead?: boolean | number | undefined
  /** Shortens each `ttl` by a random part of up to this fraction, 0 to 0.5, so that entries don't expire together. @default 0.1 */
  readonly jitter?: number | undefined
  /** After this time, a caller gets the stale value if there is one, and the load continues without it. @default none */
  readonly softTimeout?: Duration | undefined
  /** After this time, the load is given up: its signal aborts and callers get `LoadTimeoutError` or a stale value. @default none */
  readonly loadTimeout?: Duration | undefined
  /**
   * After this time, counted from the call, a caller stops waiting: it gets the stale value if there is one, or
   * `LoadTimeoutError`. The load continues, keeps its lease, and its result is cached. @default none
   */
  readonly hardTimeout?: Duration | undefined
  /** How long a caller waits for another node's load before it takes over. 1 ms to 1 h. @default '5s' */
  readonly leaseWait?: Duration | undefined
  /** How long a node that cannot hear of an eviction may still serve the old value. 10 ms to 1 d. @default '2s' */
  readonly maxStaleness?: Duration | undefined
  /** `frozen`: plain objects and arrays are deep-frozen when cached. `cloned`: a copy per hit. @default 'frozen' */
  readonly isolation?: Isolation | undefined
  /**
   * Converts values before they are kept, for entities of an ORM and the like; with `fromPlain` for the way back. Both are
   * used whichever tier a value is in, so that all callers get the same. Not called for null and undefined.
   */
  readonly toPlain?: ((value: never) => unknown) | undefined
  /** Makes the value again from what `toPlain` returned. Must not return the same object twice. */
  readonly fromPlain?: ((plain: never) => unknown) | undefined
  /**
   * Tags of every entry, beside its own; a function is asked at each call, in its async context (the tenant's, say). Those of
   * the manager and of the class or cache add up. @default none
   */
  readonly tags?: readonly string[] | (() => readonly string[]) | undefined
  /**
   * Part of every key, asked for at each call, in its async context: of a tenant, say, so that the same key is another entry
   * for each. Keys are read, written and evicted in the caller's scope; tags, `clear` and `all` reach every scope. The same
   * function for all users of a cache. @default none
   */
  readonly scope?: (() => string | number) | undefined
  /**
   * Name of the write-behind queue that holds what is not written yet: a load returns what waits there under its key, and asks the
   * source only where nothing does. The key must be that of the writes. The same for all users of a cache. @default none
   */
  readonly behind?: string | undefined
  /**
   * With `behind`: makes what a load returns from the value that waits; `undefined` says that the key is deleted.
   *
   * @default the value itself
   */
  readonly pendingValue?: ((value: never) => unknown) | undefined
  /** Use the in-process tier. @default true */
  readonly local?: boolean | undefined
  /** Use the shared tier. Evictions reach all nodes even when `false`. @default true */
  readonly remote?: boolean | undefined
  /** One load across all nodes; `false`: each node may load for itself. @default true */
  readonly sync?: boolean | undefined
  /** Schema of the values: entries written under another version are misses. */
  readonly version?: string | number | undefined
  /** The largest encoded value the shared tier takes; larger ones raise `too-large` and stay local. @default '1mb' */
  readonly maxValueBytes?: Size | undefined
  /**
   * When an eviction or a write cannot reach the store: keep an eviction in the recovery queue, or throw as well.
   *
   * @default 'queue'
   */
  readonly onRemoteFailure?: 'queue' | 'throw' | undefined
}

/** The checked form: milliseconds, every field present. */
export interface Policy {
  readonly ttlMs: number
  readonly staleWhileRevalidateMs: number
  readonly staleIfErrorMs: number
  /** 0 when negative results are not cached. */
  readonly negativeTtlMs: number
  readonly cacheErrors: ((error: unknown) => Duration | false) | undefined
  readonly errorBackoffMs: number
  /** XFetch β; 0 when off. */
  readonly refreshBeta: number
  readonly jitter: number
  /** 0 for none. */
  readonly softTimeoutMs: number
  /** 0 for none. */
  readonly loadTimeoutMs: number
  /** 0 for none. */
  readonly hardTimeoutMs: number
  readonly leaseWaitMs: number
  readonly maxStalenessMs: number
  readonly isolation: Isolation
  readonly toPlain: ((value: never) => unknown) | undefined
  readonly fromPlain: ((plain: never) => unknown) | undefined
  /** Tags of every entry, as texts. */
  readonly tagsNow: (() => readonly string[]) | undefined
  readonly scope: (() => unknown) | undefined
  /** Name of the write-behind queue. */
  readonly behind: string | undefined
  readonly pendingValue: ((value: never) => unknown) | undefined
  readonly local: boolean
  readonly remote: boolean
  readonly sync: boolean
  readonly schema: number
  readonly maxValueBytes: number
  readonly onRemoteFailure: 'queue' | 'throw'
}

/** The values of options that are left out. */
export const CACHE_DEFAULTS = {
  ttl: '5m',
  staleWhileRevalidate: 0,
  staleIfError: 0,
  negativeTtl: false,
  errorBackoff: '1s',
  refreshAhead: false,
  jitter: 0.1,
  leaseWait: '5s',
  maxStaleness: '2s',
  isolation: 'frozen',
  local: true,
  remote: true,
  sync: true,
  maxValueBytes: '1mb',
  onRemoteFailure: 'queue',
} as const satisfies CacheOptions

/** Names of all policy options, for checks of unknown names. */
export const CACHE_OPTION_NAMES = optionNames<CacheOptions>({
  ttl: true,
  staleWhileRevalidate: true,
  staleIfError: true,
  negativeTtl: true,
  cacheErrors: true,
  errorBackoff: true,
  refreshAhead: true,
  jitter: true,
  softTimeout: true,
  loadTimeout: true,
  hardTimeout: true,
  leaseWait: true,
  maxStaleness: true,
  isolation: true,
  toPlain: true,
  fromPlain: true,
  tags: true,
  scope: true,
  behind: true,
  pendingValue: true,
  local: true,
  remote: true,
  sync: true,
  version: true,
  maxValueBytes: true,
  onRemoteFailure: true,
})

const MS_PER_HOUR = 3_600_000
const MS_PER_DAY = 86_400_000

/**
 * Checks policy options and nothing else; `where` names the decorator or factory in messages.
 *
 * @throws InvalidOptionError naming the first option that is unknown or out of range.
 */
export function assertCacheOptions(options: CacheOptions, where: string): void {
  assertKnownOptions(options, CACHE_OPTION_NAMES, where)
  resolveCachePolicy([options], where)
}

/**
 * Merges layers of options, later ones over earlier ones, and returns the checked policy.
 *
 * @throws InvalidOptionError naming the first option that is out of range.
 */
export function resolveCachePolicy(layers: readonly CacheOptions[], where: string): Policy {
  const options = mergeLayers(layers)
  const name = (option: keyof CacheOptions): string => `${where}.${option}`
  const duration = (option: keyof CacheOptions, value: unknown, min = 0, max?: number): number =>
    parseDuration(value as Duration, name(option), max === undefined ? { min } : { min, max })

  if (options.cacheErrors !== undefined) assertFunction(options.cacheErrors, name('cacheErrors'))
  for (const option of ['toPlain', 'fromPlain', 'scope', 'pendingValue'] as const) {
    if (options[option] !== undefined) assertFunction(options[option], name(option))
  }
  if (options.behind !== undefined) assertName(options.behind, name('behind'))
  for (const option of ['local', 'remote', 'sync'] as const) {
    assertBoolean(options[option], name(option))
  }
  assertOneOf(options.isolation, ['frozen', 'shared', 'cloned'], name('isolation'))
  assertOneOf(options.onRemoteFailure, ['queue', 'throw'], name('onRemoteFailure'))

  return {
    ttlMs: duration('ttl', options.ttl, 1),
    staleWhileRevalidateMs: duration('staleWhileRevalidate', options.staleWhileRevalidate),
    staleIfErrorMs: duration('staleIfError', options.staleIfError),
    negativeTtlMs:
      options.negativeTtl === false ? 0 : duration('negativeTtl', options.negativeTtl, 1),
    cacheErrors: options.cacheErrors,
    errorBackoffMs: duration('errorBackoff', options.errorBackoff),
    refreshBeta: refreshBeta(options.refreshAhead, name('refreshAhead')),
    jitter: fraction(options.jitter, name('jitter')),
    softTimeoutMs:
      options.softTimeout === undefined ? 0 : duration('softTimeout', options.softTimeout, 1),
    loadTimeoutMs:
      options.loadTimeout === undefined ? 0 : duration('loadTimeout', options.loadTimeout, 1),
    hardTimeoutMs:
      options.hardTimeout === undefined ? 0 : duration('hardTimeout', options.hardTimeout, 1),
    leaseWaitMs: duration('leaseWait', options.leaseWait, 1, MS_PER_HOUR),
    maxStalenessMs: duration('maxStaleness', options.maxStaleness, 10, MS_PER_DAY),
    isolation: options.isolation,
    toPlain: options.toPlain,
    fromPlain: options.fromPlain,
    tagsNow: tagsOfAll(layers, name('tags')),
    scope: options.scope,
    behind: options.behind,
    pendingValue: options.pendingValue,
    local: options.local,
    remote: options.remote,
    sync: options.sync,
    schema: schemaFingerprint(options.version, name('version')),
    maxValueBytes: parseSize(options.maxValueBytes, name('maxValueBytes')),
    onRemoteFailure: options.onRemoteFailure,
  }
}

type MergedOptions = typeof CACHE_DEFAULTS extends infer Defaults
  ? {
      [Name in keyof Defaults]: Exclude<CacheOptions[Name & keyof CacheOptions], undefined>
    } & CacheOptions
  : never

function mergeLayers(layers: readonly CacheOptions[]): MergedOptions {
  const merged: Record<string, unknown> = { ...CACHE_DEFAULTS }
  for (const layer of layers) {
    for (const option of CACHE_OPTION_NAMES) {
      if (layer[option] !== undefined) merged[option] = layer[option]
    }
  }
  return merged as unknown as MergedOptions
}

/** The tags of all layers together. */
function tagsOfAll(
  layers: readonly CacheOptions[],
  option: string,
): (() => readonly string[]) | undefined {
  const fixed: string[] = []
  const asked: (() => readonly string[])[] = []
  for (const { tags } of layers) {
    if (typeof tags === 'function') asked.push(tags)
    else if (tags !== undefined) {
      assertTags(tags, option)
      fixed.push(...tags)
    }
  }
  if (asked.length > 0) return () => [...fixed, ...asked.flatMap((ask) => ask())]
  return fixed.length === 0 ? undefined : () => fixed
}
