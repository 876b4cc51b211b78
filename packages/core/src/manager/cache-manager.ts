/** The manager: makes caches over one local and one remote tier, and owns everything that has to be closed. */

import type { Cache } from '../cache/cache.ts'
import { evictionOutcomeOf } from '../cache/eviction-outcome.ts'
import type { CacheNode } from '../cache/node.ts'
import type { WritePath } from '../cache/write-path.ts'
import { INTERNALS } from '../contracts/internals.ts'
import { forgetDefaultManager, setDefaultManager } from '../decorators/bound/bound-method.ts'
import { bindObject } from '../decorators/bound/bound-objects.ts'
import type {
  MethodCache,
  MethodCacheProvider,
  MethodDescription,
} from '../decorators/bound/method-cache.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { Emitter } from '../events/emitter.ts'
import { eventNamed } from '../events/event-table.ts'
import type { AllEvents, EventName } from '../events/events.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Limiter } from '../limits/limiter.ts'
import type { LimiterOptions } from '../limits/limiter-options.ts'
import { type ResolvedLimiter, resolveLimiter } from '../limits/resolve-limiter.ts'
import type { Locks } from '../locks/locks.ts'
import { assertFunction, assertTags } from '../options/assert-option.ts'
import type { CacheOptions } from '../options/cache-options.ts'
import { resolveEvictOptions, type SoftOption } from '../options/evict-options.ts'
import type { ManagerStats } from '../stats/stats.ts'
import { PendingWrites } from '../writes/pending-writes.ts'
import type { SessionParts } from './create-sessions.ts'
import { endWork } from './end-work.ts'
import { buildEngine } from './engine.ts'
import { forTools } from './for-tools.ts'
import type { ManagerHealth } from './health.ts'
import { type BoardParts, type EventStoreParts, LateParts, type TopicParts } from './late-parts.ts'
import {
  type CacheManagerOptions,
  type ResolvedManagerOptions,
  resolveManagerOptions,
} from './manager-options.ts'
import { ManagerReport } from './manager-report.ts'
import { NamedCaches } from './named-caches.ts'
import type { HostManager } from './plugin.ts'
import { type ReadyOptions, resolveReadyOptions } from './ready-options.ts'
import { runInUnit } from './run-in-unit.ts'
import { StartedPlugins } from './started-plugins.ts'
import type { ManagerStatus } from './status.ts'
import { takeStores } from './used-stores.ts'

/**
 * Creates a cache manager; it becomes the default one for decorated methods unless `default: false`.
 *
 * Nothing connects before the first use, or with `fleet` the first heartbeat, and nothing here fails because a store is away.
 *
 * @throws InvalidOptionError when an option is unknown or wrong.
 * @example
 * const caches = createCacheManager({ namespace: 'shop', local: lruStore(), remote: redisStore({ url }) })
 */
export function createCacheManager(options: CacheManagerOptions): CacheManager {
  return new CacheManager(resolveManagerOptions(options))
}

const HARD = { soft: false, settleMs: 0 } as const

export class CacheManager implements HostManager, MethodCacheProvider, AsyncDisposable {
  readonly namespace: string
  readonly #options: ResolvedManagerOptions
  readonly #events: Emitter = new Emitter(this)
  readonly #node: CacheNode
  readonly #writes: WritePath
  readonly #caches: NamedCaches
  readonly #plugins: StartedPlugins
  readonly #parts: LateParts
  readonly #report: ManagerReport
  /** For decorators and integrations. */
  readonly [INTERNALS] = {
    methodCache: (method: MethodDescription): MethodCache => {
      if (this.isClosed) throw new ClosedError(this.namespace, method.method)
      return this.#caches.methodCache(method)
    },
    limiter: (limiter: ResolvedLimiter): Limiter => this.#parts.limiter(() => limiter),
    sessions: (): SessionParts => this.#parts.of('sessions'),
    boards: (): BoardParts => this.#parts.of('boards'),
    streams: () => this.#parts.of('streams'),
    eventStore: (): EventStoreParts => this.#parts.of('eventStore'),
    topics: (): TopicParts => this.#parts.of('topics'),
    structures: () => this.#parts.of('structures'),
    writes: () => this.#parts.of('writes'),
    /** By full keys, whatever the scope. */
    evictKeys: (cache: string, fullKeys: readonly string[]): Promise<void> =>
      this.#reported(this.#writes.evict(cache, fullKeys, HARD), `keys of ${cache}`),
    ...forTools(() => ({ options: this.#options, node: this.#node })),
  }
  #closing: Promise<void> | undefined

  /** Use `createCacheManager`. */
  constructor(options: ResolvedManagerOptions) {
    this.namespace = options.namespace
    this.#options = options
    const engine = buildEngine(options, this.#events, this)
    this.#node = engine.node
    this.#writes = engine.writes
    takeStores(options, this)
    this.#parts = new LateParts({ options, node: this.#node })
    this.#node.pendingWrites = new PendingWrites(() => this.#parts.of('writes'))
    this.#report = new ManagerReport(options, this.#node, () => this.#parts.breakers())
    this.#caches = new NamedCaches(options, engine)
    this.#node.local?.open((key) => this.#reportDrop(key))
    const { clock, work } = this.#node
    const stats = (): ManagerStats => this.stats()
    const place = { clock, work, events: this.#events, stats }
    this.#plugins = new StartedPlugins(options.plugins, place)
    this.#startPlugins()
    if (options.fleet !== undefined) this.#report.fleet(this.#caches.defaults.maxStalenessMs)
    if (options.isDefault) setDefaultManager(this)
  }

  get isClosed(): boolean {
    return this.#node.isClosed
  }

  /** True with a shared tier. */
  get isShared(): boolean {
    return this.#options.remote !== undefined && this.#options.defaults.remote !== false
  }

  /**
   * Returns a named cache with a policy of its own over the manager's defaults. Without options it is the cache as decorated methods
   * or an earlier call have it.
   *
   * @throws InvalidOptionError, also when an earlier call named other options
   */
  cache<Value = unknown>(name: string, options: CacheOptions = {}): Cache<Value> {
    return this.#caches.cache<Value>(name, options)
  }

  /**
   * Takes locks: those of the remote store, or without one those of this process.
   *
   * @throws InvalidOptionError when no store of this manager has locks; ClosedError
   */
  get locks(): Locks {
    return this.#parts.of('locks')
  }

  /**
   * Makes a limiter over the remote store's limits, or without one those of this process.
   *
   * @throws InvalidOptionError, also when no store of this manager has limits; ClosedError
   * @example const { allowed } = await caches.limiter({ limit: 100, per: '1m' }).consume('ip:1.2.3.4')
   */
  limiter(options: LimiterOptions): Limiter {
    return this.#parts.limiter(() => resolveLimiter(options, { where: 'limiter' }))
  }

  /**
   * Lets decorated methods that are called on this object use this manager, whichever is the default one. A `manager` of the
   * class's `@CacheConfig` comes first. Returns the object. For classes that two managers of a process have objects of.
   *
   * @throws InvalidOptionError for what has no class, is frozen, or is bound to another manager that is open; ClosedError
   * @example const users = caches.bind(new UserService())
   */
  bind<Target extends object>(object: Target): Target {
    return bindObject(this, object, 'bind.object')
  }

  /** Evicts every entry that carries one of the tags, in any cache. */
  async evictTags(tags: readonly string[], options?: SoftOption): Promise<void> {
    const { soft } = resolveEvictOptions(options, 'manager.evictTags', 'evictTags')
    assertTags(tags, 'evictTags.tags')
    await this.#reported(this.#writes.evictTags(tags, soft), 'tags')
  }

  /** Evicts every entry of the namespace. */
  async clear(options?: SoftOption): Promise<void> {
    const { soft } = resolveEvictOptions(options, 'manager.clear', 'clear')
    await this.#reported(this.#writes.clear(undefined, soft), 'the namespace')
  }

  /**
   * Runs a unit of work, such as a transaction. Evictions asked for in it, by decorated methods or otherwise, are collected
   * and run when its promise settles; a value that is put in it evicts its key then. What is loaded in it is handed out and
   * not kept. Units inside a unit are part of it.
   *
   * When the work fails, the evictions run as well: it may have failed after the commit, and an unnecessary eviction only costs a load.
   *
   * @returns what the work returns
   * @throws what the work throws; RecoveryQueueError, after the work is done, when an eviction with
   *   `onRemoteFailure: 'throw'` did not reach the store; ClosedError
   * @example await caches.deferEvictions(() => db.transaction((tx) => rename(tx, id, name)))
   */
  async deferEvictions<Result>(work: () => Promise<Result> | Result): Promise<Result> {
    assertFunction(work, 'deferEvictions.work')
    if (this.isClosed) throw new ClosedError(this.namespace, 'deferEvictions')
    if (this.#node.unit() !== undefined) return work()
    return runInUnit(this, this.#writes, work)
  }

  /**
   * Adds a listener for an event; returns a function that removes it. Listeners cannot change the outcome, and what they throw or
   * reject with is ignored. They run in the async context (`AsyncLocalStorage`) of this call, because an event is often about several
   * callers.
   */
  on<Name extends EventName>(event: Name, listener: (event: AllEvents[Name]) => void): () => void {
    const name = eventNamed(event, 'on.event', this.#plugins.events)
    assertFunction(listener, 'on.listener')
    return this.#events.on(name as Name, listener)
  }

  /** Returns the counters and latencies so far. */
  stats(): ManagerStats {
    return this.#node.stats.snapshot(this.#node.local)
  }

  /** Returns the state of the manager: remote store, bus, coherence, what waits. Plain JSON; asks nobody. */
  status(): ManagerStatus {
    return this.#report.status(this.#caches.defaults.maxStalenessMs)
  }

  /**
   * Tells whether it is well, for a readiness probe: up, or degraded, which is not down, or closed. Plain JSON, and costs
   * nothing. A liveness probe needs nothing of a cache.
   */
  health(): ManagerHealth {
    return this.#report.health(this.#caches.defaults.maxStalenessMs)
  }

  /**
   * Returns all nodes of the namespace that report (option `fleet`), each with its state and counters, and their sum. Asks the store.
   *
   * @throws InvalidOptionError when no store of this manager keeps heartbeats; StoreTimeoutError, or what the store failed with; ClosedError
   */
  async fleet(): Promise<Fleet> {
    if (this.isClosed) throw new ClosedError(this.namespace, 'fleet')
    return this.#report.fleet(this.#caches.defaults.maxStalenessMs).list()
  }

  /**
   * Connects, and resolves when the remote store answers and messages of other nodes arrive; at once without a remote store. You need
   * not wait for it: reads work before that.
   *
   * @throws StoreSetupError at once; StoreUnavailableError after the timeout, with the reason as its cause; ClosedError
   */
  async ready(options: ReadyOptions = {}): Promise<void> {
    const { maxStalenessMs } = this.#caches.defaults
    await this.#report.untilReady(maxStalenessMs, resolveReadyOptions(options))
  }

  /**
   * Stops refreshes and polls, aborts running loads, waits shortly for background work, closes the stores and the plugins.
   *
   * Afterwards nothing of the manager keeps the process alive. Calling it again returns the same promise.
   */
  close(): Promise<void> {
    this.#closing ??= this.#closeOnce()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #closeOnce(): Promise<void> {
    const { wakeUps, settling, coherence, local, remote, closing } = this.#node
    forgetDefaultManager(this)
    closing.abort(new ClosedError(this.namespace))
    coherence.close()
    this.#report.close()
    this.#caches.close()
    wakeUps.wakeAll()
    // First, because a caller that waits for a lock would delay everything after it.
    await Promise.all([this.#parts.close(), this.#report.leave()])
    await endWork(this.#node)
    await this.#parts.closeStores()
    settling.clear()
    local?.close()
    await remote?.close()
    await this.#plugins.stop()
    this.#events.clear()
  }

  /** @throws what a plugin throws; then nothing of this manager is left */
  #startPlugins(): void {
    try {
      this.#plugins.start(this)
    } catch (error) {
      this.close().catch(() => undefined)
      throw error
    }
  }

  #reported(eviction: Promise<void>, what: string): Promise<void> {
    return evictionOutcomeOf(this.#node, [eviction], this.#options.defaults.onRemoteFailure, what)
  }

  #reportDrop(fullKey: string): void {
    const cache = fullKey.slice(0, fullKey.indexOf(':'))
    this.#node.stats.of(cache).drops += 1
    if (this.#events.heard.has('drop')) this.#events.emit('drop', { cache, key: fullKey })
  }
}
