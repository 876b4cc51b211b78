/** Reads the numbers of one manager on request. Nothing is counted here that `stats()` counts already. */

import type { BreakerStatus, ManagerStats, ReadStats } from '@larder/core'
import type { PluginHost } from '@larder/core/store'
import type { MetricId } from './definitions.ts'
import { EventCounts } from './event-counts.ts'
import { KnownNames } from './known-names.ts'
import { both, type Labels, type Point, type Reading, seriesOf } from './points.ts'

/** How many caches, methods and limiters have series of their own. */
export const MOST_NAMES = 1_000

/** No cache can have this name. */
const ALL = '(all)'

const BREAKER_STATES: Readonly<Record<BreakerStatus['state'], number>> = {
  closed: 0,
  'half-open': 1,
  open: 2,
}

export class ManagerSource {
  readonly namespace: string
  readonly #host: PluginHost
  readonly #hasMethods: boolean
  readonly #caches = new KnownNames(MOST_NAMES)
  readonly #methods = new KnownNames(MOST_NAMES)
  readonly #events: EventCounts

  constructor(host: PluginHost, options: { readonly methods: boolean }) {
    this.namespace = host.namespace
    this.#host = host
    this.#hasMethods = options.methods
    this.#events = new EventCounts(host, new KnownNames(MOST_NAMES))
  }

  /** Whether it reads the same manager as another one. */
  isLike(other: ManagerSource): boolean {
    return this.manager === other.manager
  }

  get manager(): object {
    return this.#host.manager
  }

  get isClosed(): boolean {
    return this.#host.manager.isClosed
  }

  read(): Reading {
    const stats = this.#host.stats()
    const points = new Points({ namespace: this.namespace }, this.#events.points())
    let ofNone = stats.evictions
    for (const [name, ofCache] of Object.entries(stats.byCache)) {
      addCache(points, { cache: this.#caches.of(name) }, ofCache)
      ofNone -= ofCache.evictions
    }
    // Clearing the whole namespace is counted, and concerns all caches.
    if (ofNone > 0) points.add('cache.evictions', { cache: ALL }, ofNone)
    if (this.#hasMethods) {
      for (const [name, ofMethod] of Object.entries(stats.byMethod)) {
        const labels = { method: this.#methods.of(name) }
        addRequests(points, 'method.requests', labels, ofMethod)
        points.add('method.load.duration', labels, ofMethod.loadLatency)
      }
    }
    addLocal(points, stats)
    addState(points, this.#host)
    return points.reading
  }
}

/** Gathers points; those of names that are counted together, and of providers with the same name, become one. */
class Points {
  readonly reading: Map<MetricId, Point[]>
  readonly #common: Labels
  readonly #at = new Map<string, number>()

  constructor(common: Labels, begun: Reading) {
    this.#common = common
    this.reading = new Map(Array.from(begun, ([id, points]) => [id, [...points]]))
  }

  add(id: MetricId, own: Labels, value: Point['value']): void {
    const points = this.reading.get(id) ?? []
    this.reading.set(id, points)
    const key = seriesOf(id, own)
    const at = this.#at.get(key)
    const labels = { ...this.#common, ...own }
    if (at === undefined) this.#at.set(key, points.push({ labels, value }) - 1)
    else points[at] = { labels, value: both(id, points[at]?.value ?? value, value) }
  }
}

function addCache(points: Points, labels: Labels, stats: ReadStats): void {
  addRequests(points, 'cache.requests', labels, stats)
  for (const [reason, count] of Object.entries(stats.missesBy)) {
    points.add('cache.misses', { ...labels, reason }, count)
  }
  points.add('cache.negative_hits', labels, stats.negativeHits)
  points.add('cache.load.errors', labels, stats.loadErrors)
  points.add('cache.load.duration', labels, stats.loadLatency)
  points.add('cache.remote_read.duration', labels, stats.remoteReadLatency)
  points.add('cache.evictions', labels, stats.evictions)
  points.add('cache.drops', labels, stats.drops)
  points.add('cache.undecodable', labels, stats.undecodable)
}

function addRequests(points: Points, id: MetricId, labels: Labels, stats: ReadStats): void {
  points.add(id, { ...labels, result: 'local' }, stats.localHits)
  points.add(id, { ...labels, result: 'remote' }, stats.remoteHits)
  points.add(id, { ...labels, result: 'stale' }, stats.staleHits)
  points.add(id, { ...labels, result: 'joined' }, stats.joined)
  points.add(id, { ...labels, result: 'miss' }, stats.misses)
}

function addLocal(points: Points, stats: ManagerStats): void {
  points.add('cache.entries', {}, stats.localEntries)
  points.add('cache.size', {}, stats.localBytes)
  points.add('tag.evictions', {}, stats.tagEvictions)
}

function addState(points: Points, { manager }: PluginHost): void {
  const { state, status } = manager.health()
  const { store, coherence, breakers, recoveryQueue } = status
  points.add('degraded', {}, state === 'up' ? 0 : 1)
  points.add('coherence.verified', {}, coherence.state === 'isolated' ? 0 : 1)
  points.add('recovery_queue.length', {}, recoveryQueue.waiting)
  for (const { use, provider, state: breaker } of breakers) {
    points.add('breaker.state', { use, provider }, BREAKER_STATES[breaker])
  }
  const isHeard = store === null || store.bus === 'up' || store.bus === 'none'
  points.add('bus.up', {}, isHeard ? 1 : 0)
  if (store === null) return
  const { unrecovered, ...gaps } = store.busGaps
  for (const [cause, count] of Object.entries(gaps)) points.add('bus.gaps', { cause }, count)
  points.add('bus.unrecovered_gaps', {}, unrecovered)
}
