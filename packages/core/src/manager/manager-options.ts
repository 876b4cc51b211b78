/** The options of a cache manager, and their checks. */

import type { BoardProvider } from '../contracts/board-provider.ts'
import type { Clock } from '../contracts/clock.ts'
import type { CodecFactory, ValueType } from '../contracts/codec.ts'
import type { EventStoreProvider } from '../contracts/event-store-provider.ts'
import type { LocalStore } from '../contracts/local-store.ts'
import type { LockProvider } from '../contracts/lock-provider.ts'
import type { ProviderKind, Providers } from '../contracts/providers.ts'
import type { RateLimitProvider } from '../contracts/rate-limit-provider.ts'
import type { RemoteStore } from '../contracts/remote-store.ts'
import type { SessionProvider } from '../contracts/session-provider.ts'
import type { StreamProvider } from '../contracts/stream-provider.ts'
import type { StructureProvider } from '../contracts/structure-provider.ts'
import type { TopicProvider } from '../contracts/topic-provider.ts'
import type { WriteProvider } from '../contracts/write-provider.ts'
import {
  type FleetOptions,
  type ResolvedFleetOptions,
  resolveFleetOptions,
} from '../fleet/fleet-options.ts'
import { noLimits } from '../limits/no-limits.ts'
import { noLocks } from '../locks/no-locks.ts'
import {
  assertClock,
  assertLocalStore,
  assertPlugins,
  assertRemoteStore,
  assertValueTypes,
} from '../options/assert-contract.ts'
import { assertBoolean, assertFunction, assertKnownOptions } from '../options/assert-option.ts'
import { assertCacheOptions, type CacheOptions } from '../options/cache-options.ts'
import { type Duration, parseDuration } from '../options/duration.ts'
import { type Logger, resolveLogger } from '../options/logger.ts'
import {
  type MeasureStalenessOptions,
  resolveMeasureStaleness,
} from '../options/measure-staleness.ts'
import { assertName } from '../options/name.ts'
import { optionNames } from '../options/option-names.ts'
import { orDefault } from '../options/or-default.ts'
import { assertProvider, PROVIDER_KINDS } from '../options/providers.ts'
import { fleetProviderOf } from './fleet-provider-of.ts'
import type { Plugin } from './plugin.ts'
import { assertPluginEvents } from './plugin-events.ts'

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
  /** Where sessions are kept. @default the remote store's own, or without one the local store's */
  readonly sessions?: SessionProvider | undefined
  /** Where leaderboards, counters and unique visitors are kept. @default the remote store's own, or without one the local store's */
  readonly boards?: BoardProvider | undefined
  /** Where streams of messages are kept. @default the remote store's own, or without one the local store's */
  readonly streams?: StreamProvider | undefined
  /** Where event stores are kept. @default the remote store's own, or without one the local store's */
  readonly eventStore?: EventStoreProvider | undefined
  /** What topics go through. @default the remote store's own, or without one the local store's */
  readonly topics?: TopicProvider | undefined
  /** Where maps, sets and lists are kept. @default the remote store's own, or without one the local store's */
  readonly structures?: StructureProvider | undefined
  /** Where write-behind queues are kept. @default the remote store's own, or without one the local store's */
  readonly writes?: WriteProvider | undefined
  /** Started in this order, stopped in the reverse order. Their codec steps are applied in this order. */
  readonly plugins?: readonly Plugin[] | undefined
  /** The policy of every cache, unless the cache sets an option itself. */
  readonly defaults?: CacheOptions | undefined
  /** Classes whose instances may be cached in the shared tier. */
  readonly types?: readonly ValueType[] | undefined
  /**
   * Without a shared tier: check that values could be cached in one, so that what works in development also works with Redis. A
   * function, or an instance of a class that is not registered, is a `ValueError`. Caches with `remote: false` are not checked.
   * @default true unless NODE_ENV is 'production'
   */
  readonly strictValues?: boolean | undefined
  /** How values become bytes. @default the remote store's own */
  readonly codec?: CodecFactory | undefined
  /**
   * How long one call to the shared tier may take. It gets the same time once more while earlier calls are still being answered.
   * 1 ms to 1 min. @default '250ms'
   */
  readonly storeTimeout?: Duration | undefined
  /**
   * Measures how old what is served from this process really is: one local hit in so many is compared with the shared tier, behind its
   * caller. `stats().staleness` has what was found; beyond `maxStaleness` there is a `too-stale` event. `{}` for one in 1000.
   *
   * @default nothing is measured
   */
  readonly measureStaleness?: MeasureStalenessOptions | undefined
  /**
   * Reports this node to the others: who it is, how it stands and what it has counted, in one command every few seconds. `true`, or
   * what differs. `caches.fleet()`, `larder nodes` and `larder stats` show all nodes that report.
   *
   * @default it does not report
   */
  readonly fleet?: boolean | FleetOptions | undefined
  /**
   * Gets one line when an outage of the remote store begins, one when it ends, and one for each mistake in its setup. `console`, pino,
   * winston or any object with `info`, `warn` and `error`; `false` for none.
   *
   * @default warnings of the process (`process.emitWarning`, type `LarderWarning`), which Node.js prints on stderr
   */
  readonly logger?: Logger | false | undefined
  /**
   * False switches everything off, for tests: each call runs its method, locks exclude nobody, limits admit everybody, sessions,
   * boards, streams, structures, events and topics stay in this process, and no store is used. @default true
   */
  readonly enabled?: boolean | undefined
  /** Make this the manager that decorated methods use, until it is closed. @default true */
  readonly default?: boolean | undefined
  /** Source of time; for tests. */
  readonly clock?: Clock | undefined
}

const NAMES = optionNames<CacheManagerOptions>({
  namespace: true,
  local: true,
  remote: true,
  locks: true,
  limits: true,
  sessions: true,
  boards: true,
  streams: true,
  eventStore: true,
  topics: true,
  structures: true,
  writes: true,
  plugins: true,
  defaults: true,
  types: true,
  strictValues: true,
  codec: true,
  storeTimeout: true,
  measureStaleness: true,
  fleet: true,
  logger: true,
  enabled: true,
  default: true,
  clock: true,
})

/** The defaults. */
export const MANAGER_DEFAULTS = {
  storeTimeout: '250ms',
  enabled: true,
  default: true,
} as const satisfies Partial<CacheManagerOptions>

const WHERE = 'createCacheManager'

/** The providers that were given apart from the stores. */
type GivenProviders = { readonly [Kind in ProviderKind]: Providers[Kind] | undefined }

export interface ResolvedManagerOptions extends GivenProviders {
  readonly namespace: string
  readonly local: LocalStore | undefined
  readonly remote: RemoteStore | undefined
  readonly plugins: readonly Plugin[]
  readonly defaults: CacheOptions
  readonly types: readonly ValueType[]
  readonly strictValues: boolean
  readonly codec: CodecFactory | undefined
  readonly storeTimeoutMs: number
  /** One local hit in so many is compared with the store; absent for none. */
  readonly measureEvery: number | undefined
  /** Absent where the node does not report. */
  readonly fleet: ResolvedFleetOptions | undefined
  readonly logger: Logger
  readonly isEnabled: boolean
  /** Whether to look for mistakes and report them. */
  readonly isDevelopment: boolean
  readonly isDefault: boolean
  readonly clock: Clock | undefined
}

/** @throws InvalidOptionError naming the first option that is unknown or wrong. */
export function resolveManagerOptions(options: CacheManagerOptions): ResolvedManagerOptions {
  assertKnownOptions(options, NAMES, WHERE)
  assertName(options.namespace, `${WHERE}.namespace`)
  const { local, remote, clock } = options
  if (local !== undefined) assertLocalStore(local, `${WHERE}.local`)
  if (remote !== undefined) assertRemoteStore(remote, `${WHERE}.remote`)
  for (const kind of PROVIDER_KINDS) assertProvider(kind, options[kind], `${WHERE}.${kind}`)
  if (clock !== undefined) assertClock(clock, `${WHERE}.clock`)
  const { plugins = [], defaults = {}, types = [], codec = remote?.codec } = options
  assertPlugins(plugins, `${WHERE}.plugins`)
  assertPluginEvents(plugins, `${WHERE}.plugins`)
  assertValueTypes(types, `${WHERE}.types`)
  assertCacheOptions(defaults, `${WHERE}.defaults`)
  if (options.strictValues !== undefined) {
    assertBoolean(options.strictValues, `${WHERE}.strictValues`)
  }
  if (options.enabled !== undefined) assertBoolean(options.enabled, `${WHERE}.enabled`)
  if (options.default !== undefined) assertBoolean(options.default, `${WHERE}.default`)
  if (options.remote !== undefined || options.codec !== undefined)
    assertFunction(codec, `${WHERE}.codec`)
  return {
    namespace: options.namespace,
    ...storesOf(options),
    plugins,
    defaults,
    types,
    strictValues: options.strictValues ?? process.env['NODE_ENV'] !== 'production',
    codec,
    storeTimeoutMs: parseDuration(
      orDefault(options.storeTimeout, MANAGER_DEFAULTS.storeTimeout),
      `${WHERE}.storeTimeout`,
      { min: 1, max: 60_000 },
    ),
    measureEvery:
      options.measureStaleness === undefined
        ? undefined
        : resolveMeasureStaleness(options.measureStaleness, `${WHERE}.measureStaleness`),
    fleet: fleetOf(options),
    logger: resolveLogger(options.logger, `${WHERE}.logger`),
    isEnabled: orDefault(options.enabled, MANAGER_DEFAULTS.enabled),
    isDevelopment: options.enabled !== false && process.env['NODE_ENV'] !== 'production',
    isDefault: orDefault(options.default, MANAGER_DEFAULTS.default),
    clock,
  }
}

/** @throws InvalidOptionError, also for stores that keep no heartbeats: nobody would see what is reported */
function fleetOf(options: CacheManagerOptions): ResolvedFleetOptions | undefined {
  const fleet = resolveFleetOptions(options.fleet, `${WHERE}.fleet`)
  if (fleet !== undefined && options.enabled !== false) fleetProviderOf(options)
  return fleet
}

/** The stores that a manager works with: none of the given ones when it is switched off. */
function storesOf(
  options: CacheManagerOptions,
): GivenProviders & Pick<ResolvedManagerOptions, 'local' | 'remote'> {
  const { enabled = MANAGER_DEFAULTS.enabled, local, remote } = options
  const of = enabled ? options : local
  const given = Object.fromEntries(PROVIDER_KINDS.map((kind) => [kind, of?.[kind]]))
  if (enabled) return { ...(given as GivenProviders), local, remote }
  // What is kept stays in this process: a login has to work in a test, too.
  const off = { locks: noLocks(), limits: noLimits(), local: undefined, remote: undefined }
  return { ...(given as GivenProviders), ...off }
}
