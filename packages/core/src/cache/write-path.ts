/**
 * How values are evicted: by key, by tag, by cache, by pattern.
 *
 * An eviction is applied here first, then in the store, which raises the partition's sequence number and publishes in the same step,
 * then here again. An eviction that does not reach the store is valid here, and waits in the recovery queue. In a unit of work
 * (`deferEvictions`), all of this waits for the end of the unit.
 */

import { EvictionQueued } from '../coherence/eviction-queued.ts'
import { softTag } from '../coherence/soft-tags.ts'
import { cacheTag, EVERYTHING, tagName } from '../coherence/tag-clock.ts'
import type { EvictRequest } from '../contracts/remote-store.ts'
import { ClosedError } from '../errors/closed-error.ts'
import type { CacheEvents } from '../events/events.ts'
import { OpenTrace } from '../events/open-trace.ts'
import { CHANNELS } from '../events/traces.ts'
import { ASKED_HERE, markOfTag } from './change-marks.ts'
import { evictionOutcome } from './eviction-outcome.ts'
import type { EvictionUnit } from './eviction-unit.ts'
import { literalBeginning, patternMatcher } from './key-pattern.ts'
import type { CacheNode } from './node.ts'

const PATTERN_CHUNK = 500

/** How far an eviction by pattern has come. */
export interface PatternProgress {
  /** Entries evicted so far. */
  readonly evicted: number
  /** Entries evicted so far on this node only: their eviction waits in the recovery queue. */
  readonly queued: number
  /** Entries looked at so far. */
  readonly scanned: number
}

/** Where an eviction by pattern looks, and how it evicts what it finds. */
export interface PatternPlace {
  readonly cache: string
  /** What the full keys begin with. */
  readonly prefix: string
  readonly soft: boolean
}

type EvictEvent = Omit<CacheEvents['evict'], 'outcome'>

export class WritePath {
  readonly #node: CacheNode

  constructor(node: CacheNode) {
    this.#node = node
  }

  /** Evicts full keys of a cache. @throws EvictionQueued when the store could not be reached; ClosedError */
  async evict(cache: string, fullKeys: readonly string[], request: EvictRequest): Promise<void> {
    const node = this.#node
    if (node.isClosed) throw new ClosedError(node.namespace)
    if (fullKeys.length === 0) return
    const unit = node.unit()
    if (unit !== undefined) return unit.keys(cache, fullKeys, request)
    node.stats.evicted(cache, fullKeys.length)
    for (const key of fullKeys) {
      node.changes.note(key, ASKED_HERE)
      if (request.settleMs > 0) node.settling.open(key, request.settleMs)
    }
    const addresses = fullKeys.map((key) => node.addressOf(key))
    const event = { cache, keys: fullKeys, tags: [], all: false }
    const evicting = this.#reported(event, () => node.coherence.evict(addresses, request))
    for (const key of fullKeys) node.overtakings.note(key, evicting, request.soft)
    await evicting
  }

  /** Evicts by the user's tags. @throws EvictionQueued when the store could not be reached; ClosedError */
  async evictTags(tags: readonly string[], soft: boolean): Promise<void> {
    if (this.#node.isClosed) throw new ClosedError(this.#node.namespace)
    if (tags.length === 0) return
    const unit = this.#node.unit()
    if (unit !== undefined) return unit.tags(tags, soft)
    this.#node.stats.tagEvictions += tags.length
    const event = { cache: undefined, keys: [], tags, all: false }
    await this.#reported(event, () => this.#invalidate(tags.map(tagName), soft))
  }

  /** Evicts a whole cache, or everything. @throws EvictionQueued when the store could not be reached; ClosedError */
  async clear(cache: string | undefined, soft: boolean): Promise<void> {
    if (this.#node.isClosed) throw new ClosedError(this.#node.namespace)
    const unit = this.#node.unit()
    if (unit !== undefined) return unit.cache(cache, soft)
    this.#node.stats.evicted(cache, 1)
    const event = { cache, keys: [], tags: [], all: true }
    const tag = cache === undefined ? EVERYTHING : cacheTag(cache)
    await this.#reported(event, () => this.#invalidate([tag], soft))
  }

  #invalidate(tags: readonly string[], soft: boolean): Promise<void> {
    for (const tag of tags) this.#node.changes.note(markOfTag(tag), ASKED_HERE)
    return this.#node.coherence.evictTags(soft ? tags.map(softTag) : tags)
  }

  /**
   * Evicts the keys of a cache that match a pattern, in both tiers. Calls `onQueued`, which may throw, for an eviction that did not
   * reach the store.
   *
   * @throws what the store failed with while its keys were read; ClosedError
   */
  async *evictPattern(
    { cache, prefix, soft }: PatternPlace,
    pattern: string,
    onQueued: (cause: unknown) => void,
  ): AsyncGenerator<PatternProgress, void, undefined> {
    if (this.#node.isClosed) throw new ClosedError(this.#node.namespace)
    const matches = patternMatcher(pattern)
    const done = { evicted: 0, queued: 0, scanned: 0 }
    for await (const keys of this.#everyKey(`${prefix}${literalBeginning(pattern)}`)) {
      const found = keys.filter(
        (key) => key.startsWith(prefix) && matches(key.slice(prefix.length)),
      )
      done.scanned += keys.length
      try {
        await this.evict(cache, found, { soft, settleMs: 0 })
        done.evicted += found.length
      } catch (error) {
        if (!(error instanceof EvictionQueued)) throw error
        done.queued += found.length
        onQueued(error.cause)
      }
      yield { ...done }
    }
  }

  /** Full keys that begin with a prefix, in both tiers. A key that is there during the whole scan is found at least once. */
  keysOf(prefix: string): AsyncGenerator<readonly string[], void, undefined> {
    if (this.#node.isClosed) throw new ClosedError(this.#node.namespace)
    return this.#everyKey(prefix)
  }

  async *#everyKey(prefix: string): AsyncGenerator<readonly string[], void, undefined> {
    const { local, remote } = this.#node
    const held = [...(local?.keys() ?? [])].filter((key) => key.startsWith(prefix))
    for (let i = 0; i < held.length; i += PATTERN_CHUNK) yield held.slice(i, i + PATTERN_CHUNK)
    if (remote?.store.capabilities.scans !== true) return
    await this.#node.coherence.start()
    yield* remote.store.scan(prefix)
  }

  /** Runs the evictions that a unit of work has collected, at its end. @throws what `evictionOutcome` says */
  async evictAll(unit: EvictionUnit): Promise<void> {
    const { keyGroups, tagGroups, caches, insists } = unit.take()
    const evictions = [
      ...keyGroups.map(({ cache, keys, request }) => this.evict(cache, keys, request)),
      ...tagGroups.map(({ tags, soft }) => this.evictTags(tags, soft)),
      ...caches.map(({ name, soft }) => this.clear(name, soft)),
    ]
    const what = 'what a unit of work evicts'
    await evictionOutcome(evictions, insists ? 'throw' : 'queue', what)
  }

  /** Reports an eviction once it is known what became of it. */
  async #reported(event: EvictEvent, evict: () => Promise<void>): Promise<void> {
    const { events, namespace } = this.#node
    const { evict: channel } = CHANNELS
    const trace = channel.hasSubscribers
      ? new OpenTrace(channel, { namespace, manager: events.owner, ...event })
      : undefined
    try {
      await (trace === undefined ? evict() : trace.run(evict))
    } catch (error) {
      if (!(error instanceof EvictionQueued)) trace?.fail(error)
      else {
        trace?.fail(error.cause, { outcome: 'queued' })
        events.emit('evict', { ...event, outcome: 'queued' })
      }
      throw error
    }
    trace?.end({ outcome: 'done' })
    if (events.heard.has('evict')) events.emit('evict', { ...event, outcome: 'done' })
  }
}
