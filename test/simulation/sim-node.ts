/** One node: a cache manager of the real engine on its own clock, with its own connections. */

import { type Cache, type CacheManager, createCacheManager } from '@larder/core'
import { INTERNALS, type MethodCache, type RemoteStore } from '@larder/core/store'
import type { MemoryRemoteStore } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { simulationCodec } from './codec.ts'
import type { History } from './history.ts'
import type { NodeClock } from './node-clock.ts'
import type { CachePlan, Plan } from './plan.ts'

export const NAMESPACE = 'sim'

/** One cache of a node, by both of its faces. */
export interface NodeCache {
  readonly plan: CachePlan
  readonly method: MethodCache
  readonly cache: Cache
}

export interface SimNodeParts {
  readonly plan: Plan
  readonly store: MemoryRemoteStore
  readonly remote: RemoteStore
  readonly clock: NodeClock
  readonly history: History
  /** Called when it gives the store up. */
  readonly onBlamedStore: (node: SimNode) => void
  /** Called for errors of background work. */
  readonly onBackgroundError: (node: SimNode, text: string) => void
}

export class SimNode {
  readonly index: number
  readonly name: string
  readonly store: MemoryRemoteStore
  readonly clock: NodeClock
  readonly manager: CacheManager
  readonly caches: readonly NodeCache[]
  isAlive = true
  /** True while a fault keeps its connections cut. */
  isCut = false
  /** Since when it hears messages, ms; `Infinity` before. */
  hearsSince = Number.POSITIVE_INFINITY
  /** How often it found that the store had lost history. */
  lossesSeen = 0
  #canAsk = true
  #isVerified = true

  constructor(parts: SimNodeParts) {
    const { plan, store, remote, clock } = parts
    this.index = store.node
    this.name = `n${this.index}`
    this.store = store
    this.clock = clock
    this.manager = createCacheManager({
      namespace: NAMESPACE,
      local: lruStore({ maxEntries: plan.localEntries }),
      remote,
      codec: simulationCodec,
      clock,
      storeTimeout: plan.storeTimeoutMs,
      logger: false,
      default: false,
    })
    this.#report(parts)
    this.caches = plan.caches.map((cache) => ({
      plan: cache,
      method: this.manager[INTERNALS].methodCache({
        method: `Simulation.${cache.name}`,
        cacheName: cache.name,
        options: cache.policy,
        where: `simulation(${cache.name})`,
      }),
      cache: this.manager.cache(cache.name, cache.policy),
    }))
  }

  /** True unless it knows that it cannot use the store. */
  get isWell(): boolean {
    return this.#canAsk && this.#isVerified
  }

  #report({ history, onBackgroundError, onBlamedStore }: SimNodeParts): void {
    const { manager, name } = this
    manager.on('breaker', ({ state }) => {
      this.#canAsk = state === 'closed'
      history.note(name, `breaker ${state}`)
      if (state === 'open') onBlamedStore(this)
    })
    manager.on('coherence', ({ state }) => {
      this.#isVerified = state === 'verified'
      history.note(name, `coherence ${state}`)
    })
    manager.on('bus', ({ state }) => {
      this.hearsSince = state === 'up' ? history.time : Number.POSITIVE_INFINITY
    })
    manager.on('discard', ({ key }) => history.note(name, `fill of ${key} refused`))
    manager.on('bus-gap', ({ partition, reason }) => {
      history.note(name, `gap in ${partition === 'tags' ? 'tags' : `%${partition}`}: ${reason}`)
      if (reason === 'history-lost') this.lossesSeen += 1
    })
    // What became of a put that waited is said later, without the value.
    manager.on('put', ({ key, outcome }) => history.note(name, `put of ${key}: ${outcome}`))
    manager.on('recovery-queue', ({ waiting }) => history.note(name, `${waiting} in the queue`))
    manager.on('background-error', ({ task, error }) =>
      onBackgroundError(this, `${task}: ${error instanceof Error ? error.name : String(error)}`),
    )
  }
}
