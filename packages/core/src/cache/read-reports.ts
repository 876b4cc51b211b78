/** What reads are counted as and reported by. */

import type { LocalEntry } from '../entry/local-entry.ts'
import { withValue } from '../events/event-value.ts'
import type { CacheEvents, MissReason, UndecodableReason } from '../events/events.ts'
import { Paced } from '../events/paced.ts'
import { ownOf } from './entry-view.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'

/** Of one cache and reason, so many are told of in so long. */
const UNDECODABLE = { periodMs: 10_000, most: 10 } as const

export class ReadReports {
  readonly #node: CacheNode
  readonly #undecodable = new Paced(UNDECODABLE.periodMs, UNDECODABLE.most)

  constructor(node: CacheNode) {
    this.#node = node
  }

  hit(entry: LocalEntry, call: ReadCall, tier: 'local' | 'remote'): void {
    const negative = entry.kind === 'negative'
    if (tier === 'local') call.counters.localHits += 1
    else call.counters.remoteHits += 1
    if (negative) call.counters.negativeHits += 1
    if (!this.#node.events.has('hit')) return
    const event = { cache: call.cache, key: call.fullKey, tier, negative }
    this.#node.events.emit('hit', this.#withValue(event, entry, call))
  }

  miss(call: ReadCall, reason: MissReason): void {
    call.counters.misses += 1
    call.counters.missesBy[reason] += 1
    if (!this.#node.events.has('miss')) return
    this.#node.events.emit('miss', { cache: call.cache, key: call.fullKey, reason })
  }

  stale(entry: LocalEntry, call: ReadCall, reason: CacheEvents['stale']['reason']): void {
    call.counters.staleHits += 1
    if (!this.#node.events.has('stale')) return
    const event = { cache: call.cache, key: call.fullKey, reason }
    this.#node.events.emit('stale', this.#withValue(event, entry, call))
  }

  /** It is not stored in the shared tier: it has more bytes than the policy allows. */
  tooLarge({ cache, fullKey, policy }: ReadCall, bytes: number): void {
    this.#node.events.emit('too-large', {
      cache,
      key: fullKey,
      bytes,
      maxBytes: policy.maxValueBytes,
    })
  }

  /** A load was not kept: the key was changed since it began, or what it is part of may not be cached. */
  discarded({ cache, fullKey }: ReadCall): void {
    this.#node.events.emit('discard', { cache, key: fullKey })
  }

  /** Every one is counted, and some are told: a node with a wrong key would tell of each read. */
  undecodable(call: ReadCall, reason: UndecodableReason, error: unknown): void {
    const { cache, fullKey: key, counters } = call
    counters.undecodable += 1
    const count = this.#undecodable.take(`${reason} ${cache}`, this.#node.clock.now())
    if (count > 0) this.#node.events.emit('undecodable', { cache, key, reason, error, count })
  }

  #withValue<Event extends object>(event: Event, entry: LocalEntry, call: ReadCall): Event {
    return withValue(event, () =>
      entry.kind === 'error' ? undefined : ownOf({ entry }, call, this.#node),
    )
  }
}
