/** A plugin adds codec steps, listens to events and has events of its own, or reads numbers; it never changes what is cached. */

import type { Cache } from '../cache/cache.ts'
import type { Clock } from '../contracts/clock.ts'
import type { PluginParts } from '../contracts/plugin.ts'
import type { AllEvents, EventName, PluginEvents } from '../events/events.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Limiter } from '../limits/limiter.ts'
import type { LimiterOptions } from '../limits/limiter-options.ts'
import type { Locks } from '../locks/locks.ts'
import type { CacheOptions } from '../options/cache-options.ts'
import type { SoftOption } from '../options/evict-options.ts'
import type { ManagerStats } from '../stats/stats.ts'
import type { ManagerHealth } from './health.ts'
import type { ReadyOptions } from './ready-options.ts'
import type { ManagerStatus } from './status.ts'

/** Listens to an event; returns a function that stops it. */
export type Listen = <Name extends EventName>(
  event: Name,
  listener: (event: AllEvents[Name]) => void,
) => () => void

/** A cache manager as a plugin has it; what each member does is said there. */
export interface HostManager {
  readonly namespace: string
  readonly isClosed: boolean
  readonly isShared: boolean
  readonly locks: Locks
  readonly on: Listen
  cache<Value = unknown>(name: string, options?: CacheOptions): Cache<Value>
  limiter(options: LimiterOptions): Limiter
  evictTags(tags: readonly string[], options?: SoftOption): Promise<void>
  clear(options?: SoftOption): Promise<void>
  stats(): ManagerStats
  status(): ManagerStatus
  health(): ManagerHealth
  fleet(): Promise<Fleet>
  ready(options?: ReadyOptions): Promise<void>
  close(): Promise<void>
}

/** What a started plugin can use of its manager. Each call of `start` gets one of its own. */
export interface PluginHost {
  readonly namespace: string
  /** The manager's source of time: instants of `now` are on no calendar, and timers that it makes end with their cancel function. */
  readonly clock: Clock
  /** The manager that starts the plugin. It may be used at once; it connects nothing before its first use. */
  readonly manager: HostManager
  /** The counters and latencies so far: as cheap as a scrape, and not for each event. */
  stats(): ManagerStats
  /**
   * Listens to an event. Listeners cannot change the outcome, and their errors are dropped. They end by themselves when the
   * plugin has stopped. A listener of `hit` makes local hits several times as expensive; `stats()` counts them for nothing.
   */
  readonly on: Listen
  /**
   * The same, in the async context (`AsyncLocalStorage`) of the call that the event is about, and before that call has its answer: for
   * what belongs to a request. An event about several callers has the context of one of them.
   */
  readonly onInCall: Listen
  /**
   * Emits an event of the plugin's own, one of its `events`; does nothing once the plugin has stopped.
   *
   * @throws InvalidOptionError for another name
   */
  emit<Name extends keyof PluginEvents>(event: Name, what: PluginEvents[Name]): void
}

/** Extends one cache manager, or several: `start` is called by each. Started in the order given, stopped in reverse. */
export interface Plugin extends PluginParts {
  /**
   * Called while the manager is made, and not awaited: what it returns may fail later, which is a `background-error` event.
   * What it throws ends the making: the plugins before it are stopped, and `createCacheManager` throws the same.
   */
  start?(host: PluginHost): void
  /** Releases what `start` took; awaited by `close()`, for two seconds at most. What it fails with is a `background-error`. */
  stop?(): void | Promise<void>
}
