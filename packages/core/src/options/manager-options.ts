/** What a cache manager is made of, as the user says it, and the checks. */

import type { Clock } from '../contracts/clock.ts'
import type { CodecFactory, ValueType } from '../contracts/codec.ts'
import type { LocalStore } from '../contracts/local-store.ts'
import type { LockProvider } from '../contracts/lock-provider.ts'
import type { Plugin } from '../contracts/plugin.ts'
import type { RateLimitProvider } from '../contracts/rate-limit-provider.ts'
import type { RemoteStore } from '../contracts/remote-store.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { assertBoolean, assertFunction, assertKnownOptions } from './assert-option.ts'
import { assertCacheOptions, type CacheOptions } from './cache-options.ts'
import { type Duration, parseDuration } from './duration.ts'
import { type Logger, resolveLogger } from './logger.ts'

export interface CacheManagerOptions {
  /** The application's prefix in shared stores. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly namespace: string
  /** The in-process tier; leave out for none. */
  readonly local?: LocalStore | undefined
  /** The shared tier; leave out for an in-process cache. */
  readonly remote?: RemoteStore | undefined
  /** Where locks are kept. @default the remote store's own, or without one the local store's */
  readonly locks?: LockProvider | undefined
  /** Where limits are counted. @default the remote store's own, or without one the local store's */
  readonly limits?: RateLimitProvider | undefined
  readonly plugins?: readonly Plugin[] | undefined
  /** Policy of every cache that does not say otherwise. */
  readonly defaults?: CacheOptions | undefined
  /** Classes whose instances may be cached in the shared tier. */
  readonly types?: readonly ValueType[] | undefined
  /** How values become bytes. @default the remote store's own */
  readonly codec?: CodecFactory | undefined
  /** How long one call to the shared tier may take. 1 ms to 1 min. @default '250ms' */
  readonly storeTimeout?: Duration | undefined
  /**
   * Who is told, in a line for a person, when an outage of the remote store begins or ends, and what it was set up wrongly.
   * `console`, pino, winston or anything else with `info`, `warn` and `error`; `false` for silence.
   *
   * @default warnings of the process (`process.emitWarning`, type `LarderWarning`), which Node.js prints on stderr
   */
  readonly logger?: Logger | false | undefined
  /** Make this the manager that decorated methods use. @default true */
  readonly default?: boolean | undefined
  /** Source of time; for tests. */
  readonly clock?: Clock | undefined
}

const NAMES = [
  'namespace',
  'local',
  'remote',
  'locks',
  'limits',
  'plugins',
  'defaults',
  'types',
  'codec',
  'storeTimeout',
  'logger',
  'default',
  'clock',
] as const satisfies readonly (keyof CacheManagerOptions)[]

const WHERE = 'createCacheManager'
const NAMESPACE = /^[A-Za-z0-9_.-]{1,64}$/
const NAME_EXPECTED = '1 to 64 letters, digits, "_", "." or "-"'

export interface ResolvedManagerOptions {
  readonly namespace: string
  readonly local: LocalStore | undefined
  readonly remote: RemoteStore | undefined
  readonly locks: LockProvider | undefined
  readonly limits: RateLimitProvider | undefined
  readonly plugins: readonly Plugin[]
  readonly defaults: CacheOptions
  readonly types: readonly ValueType[]
  readonly codec: CodecFactory | undefined
  readonly storeTimeoutMs: number
  readonly logger: Logger
  readonly isDefault: boolean
  readonly clock: Clock | undefined
}

/** @throws InvalidOptionError naming the first option that is unknown or wrong. */
export function resolveManagerOptions(options: CacheManagerOptions): ResolvedManagerOptions {
  assertKnownOptions(options, NAMES, WHERE)
  assertName(options.namespace, `${WHERE}.namespace`)
  assertMethods(
    options.local,
    ['get', 'set', 'delete', 'clear'],
    `${WHERE}.local`,
    'a local store such as lruStore()',
  )
  assertMethods(
    options.remote,
    ['open', 'read', 'claim', 'fill'],
    `${WHERE}.remote`,
    'a remote store such as redisStore()',
  )
  assertMethods(
    options.locks,
    ['open', 'acquire', 'renew', 'release', 'leave'],
    `${WHERE}.locks`,
    'a lock provider such as redisLocks() or localLocks()',
  )
  assertMethods(
    options.limits,
    ['open', 'decide', 'refund', 'reset'],
    `${WHERE}.limits`,
    'a rate-limit provider such as redisLimits() or localLimits()',
  )
  const { plugins = [], defaults = {}, types = [], codec = options.remote?.codec } = options
  for (const plugin of plugins) assertPlugin(plugin)
  assertCacheOptions(defaults, `${WHERE}.defaults`)
  if (options.default !== undefined) assertBoolean(options.default, `${WHERE}.default`)
  if (options.remote !== undefined) assertFunction(codec, `${WHERE}.codec`)
  return {
    namespace: options.namespace,
    local: options.local,
    remote: options.remote,
    locks: options.locks,
    limits: options.limits,
    plugins,
    defaults,
    types,
    codec,
    storeTimeoutMs: parseDuration(options.storeTimeout ?? '250ms', `${WHERE}.storeTimeout`, {
      min: 1,
      max: 60_000,
    }),
    logger: resolveLogger(options.logger, `${WHERE}.logger`),
    isDefault: options.default ?? true,
    clock: options.clock,
  }
}

/** @throws InvalidOptionError unless `name` can be part of a shared key. */
export function assertName(name: unknown, option: string): asserts name is string {
  if (typeof name === 'string' && NAMESPACE.test(name)) return
  throw new InvalidOptionError({ option, expected: NAME_EXPECTED, received: name })
}

function assertPlugin(plugin: unknown): void {
  const name = (plugin as Partial<Plugin> | null)?.name
  if (typeof name === 'string' && name !== '') return
  throw new InvalidOptionError({
    option: `${WHERE}.plugins`,
    expected: 'an array of plugins, each with a name',
    received: plugin,
  })
}

function assertMethods(
  value: unknown,
  methods: readonly string[],
  option: string,
  expected: string,
): void {
  if (value === undefined) return
  const isComplete =
    typeof value === 'object' &&
    value !== null &&
    methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function')
  if (!isComplete) throw new InvalidOptionError({ option, expected, received: value })
}
