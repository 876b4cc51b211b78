/**
 * How a put ends: what it wrote is kept here, or the key is evicted in its place, now or as soon as the store can be reached.
 * Until then the value may wait for the store, too.
 */

import { EvictionQueued } from '../coherence/eviction-queued.ts'
import { EVERYTHING } from '../coherence/tag-clock.ts'
import type { WaitingEnd } from '../coherence/waiting-value.ts'
import type { Stamp } from '../entry/stamp.ts'
import type { PutOutcome } from '../events/events.ts'
import { ASKED_HERE, markOfTag } from './change-marks.ts'
import { agedBy, type Keepable, localEntryOf } from './keep.ts'
import type { LocalShelf } from './local-shelf.ts'
import type { CacheNode } from './node.ts'
import type { PutFence } from './put-fence.ts'
import type { ReadCall } from './read-call.ts'
import type { WritePath } from './write-path.ts'

const HARD = { soft: false, settleMs: 0 } as const
/** Of `ChangeMarks`: only what was asked for on this node. */
export const ONLY_HERE = Number.MAX_VALUE

/** What became of a put. */
export interface PutResult {
  readonly outcome: PutOutcome
  /** What the store failed with, if it did: then an eviction of the key waits in the recovery queue, or the value. */
  readonly cause?: unknown
}

/** A put on its way. */
export interface Writing {
  readonly call: ReadCall
  /** The value as it was given; `kept` may be another form of it. */
  readonly value: unknown
  readonly kept: Keepable
  readonly fence: PutFence
  readonly hasBegun: boolean
  /** Changes by others that are not in the fence count from this moment on. */
  readonly mark: number
  /** Bytes of the encoded value, where it was encoded. */
  readonly bytes?: number
}

/** What is known of a value that was written. */
export interface WrittenValue {
  readonly stamp: Stamp
  /** When it was sent, monotonic ms. */
  readonly at: number
  readonly commit: number
  /** Nothing that is newer has changed the key. */
  readonly isLast: boolean
}

/** What is sent to the store. */
export interface Sending {
  readonly bytes: Uint8Array
  readonly commit: number
  readonly stamp: Stamp
  /** When the put was asked for, monotonic ms. */
  readonly askedAt: number
}

export class PutEnds {
  readonly #node: CacheNode
  readonly #shelf: LocalShelf
  readonly #writes: WritePath

  constructor(node: CacheNode, shelf: LocalShelf, writes: WritePath) {
    this.#node = node
    this.#shelf = shelf
    this.#writes = writes
  }

  /** Check and store are one synchronous step. */
  keepLocally({ call, value, kept, bytes }: Writing, written: WrittenValue): PutResult {
    const node = this.#node
    const { local, settling, changes } = node
    const { key } = call.address
    if (!written.isLast) return { outcome: 'not-kept' }
    // As in the store, a put ends the settle window, because its value is known to be true.
    settling.close(key)
    const entry = localEntryOf(node, call.policy, kept, written)
    entry.commit = written.commit
    const isAlone = node.knowledge.isAlone
    changes.note(key, isAlone ? ASKED_HERE : written.stamp.seq, { value })
    this.#shelf.keep({ call, isAlive: true }, entry, bytes ?? this.#shelf.sizeOf(kept))
    return { outcome: local?.peek(key) === entry ? 'stored' : 'not-kept' }
  }

  /** Forgets what is cached or being loaded for this key, because it is older than what is being written. Returns the moment after that. */
  forgetHere(key: string): number {
    const { flights, local, changes, knowledge } = this.#node
    flights.kill(key, Number.POSITIVE_INFINITY)
    local?.delete(key)
    knowledge.queue.dropValues([key])
    changes.note(key, ASKED_HERE)
    return changes.now
  }

  /**
   * True when this node was asked to evict a tag of the value after it was asked to put it. The birth of a `set` does not tell this,
   * because its stamp may be taken after that eviction.
   */
  isEvictedByTag({ call, kept, mark }: Writing): boolean {
    const { changes } = this.#node
    const tags = [EVERYTHING, call.cacheTag, ...kept.tags]
    return tags.some((tag) => changes.hasChanged(markOfTag(tag), mark))
  }

  /** For a value that must not be cached, or that was overtaken: evicts the key, because the cached value is old in any case. */
  async evictInstead(call: ReadCall): Promise<PutResult> {
    try {
      await this.#writes.evict(call.cache, [call.fullKey], HARD)
      return { outcome: 'not-kept' }
    } catch (error) {
      if (error instanceof EvictionQueued) return { outcome: 'not-kept', cause: error.cause }
      throw error
    }
  }

  /** After the store failed, which was reported: the old value may still be there, and a read may have brought it back here. */
  queueInstead({ address }: ReadCall, cause: unknown): PutResult {
    this.#forgetAgain(address.key)
    this.#node.coherence.enqueue([address])
    return { outcome: 'not-kept', cause }
  }

  /**
   * Lets the value wait for the store, together with the eviction that takes its place until then. `since` is the number that the
   * put will name. Meanwhile this node serves the value as an isolated node serves its entries.
   */
  queuePut(writing: Writing, sending: Sending, since: number): boolean {
    const { coherence, changes, events, clock } = this.#node
    const { call, kept, fence, mark } = writing
    const { bytes, commit, stamp, askedAt } = sending
    const { key } = call.address
    this.#forgetAgain(key)
    let isWaiting = false
    const ended = (outcome: WaitingEnd): void => {
      if (isWaiting) events.emit('put', { cache: call.cache, key, outcome })
    }
    const { cacheTag } = call
    const what = { bytes, commit, cacheTag, tags: kept.tags, stamp, since }
    isWaiting = coherence.enqueuePut(call.address, {
      ...what,
      begunAt: fence.begunAt,
      askedAt,
      ended,
    })
    if (!isWaiting) return false
    // A change that this node heard of meanwhile may be newer. The store finds that out by the number.
    const isLast = !changes.hasChanged(key, mark, since)
    const here = { ...writing, kept: agedBy(kept, clock.now() - askedAt) }
    this.keepLocally(here, { stamp: { ...stamp, seq: since }, at: fence.begunAt, commit, isLast })
    return true
  }

  #forgetAgain(key: string): void {
    const { flights, local } = this.#node
    flights.kill(key, Number.POSITIVE_INFINITY)
    local?.delete(key)
  }
}
