/**
 * Sends the values that were put while the store was away.
 *
 * A value never replaces something newer. It is sent after a sync, when it is known whether the store still has the history
 * that the value names, and as a put, so that the store refuses it if the key was changed since. If this node knows of a later change,
 * the value is not sent at all: the key is evicted, which is always right.
 *
 * The eviction that takes the place of a waiting value ends when the value is stored. Until then the store's copy is not trusted.
 */

import { decodeHeader, type EntryHeader, FLAG } from '../entry/envelope.ts'
import type { Knowledge } from './knowledge.ts'
import { type ConnectedParts, chunksOf } from './parts.ts'
import type { WaitingPut } from './recovery-queue.ts'
import type { CoherenceReports } from './reports.ts'
import type { StoreChanges } from './store-changes.ts'
import { agedValue, type WaitingEnd } from './waiting-value.ts'

export interface LatePutsParts extends Pick<ConnectedParts, 'remote' | 'clock'> {
  readonly knowledge: Knowledge
  readonly reports: CoherenceReports
  readonly changes: StoreChanges
}

/** What the store holds under a key, and the number of the partition that was known before it was asked. */
interface Seen {
  readonly held: EntryHeader | undefined
  readonly known: number
}

export class LatePuts {
  readonly #parts: LatePutsParts

  constructor(parts: LatePutsParts) {
    this.#parts = parts
  }

  /** Sends the waiting values. Throws what the store fails with; the other values go on waiting. */
  async send(): Promise<void> {
    const { knowledge, reports } = this.#parts
    try {
      for (const chunk of chunksOf(knowledge.queue.puts())) await this.#sendSome(chunk)
    } finally {
      reports.queue()
    }
  }

  async #sendSome(items: readonly WaitingPut[]): Promise<void> {
    const { remote, knowledge } = this.#parts
    // Read before the headers: every change up to these numbers is visible in the headers.
    const known = items.map(({ partition }) => knowledge.partition(partition).seq)
    const held = await remote.run('read-headers', (store) => store.readHeaders(items))
    const sending = items.map((item, i) =>
      this.#sendOne(item, { held: headerOf(held[i]), known: known[i] ?? 0 }),
    )
    await Promise.allSettled(sending)
    await Promise.all(sending)
  }

  async #sendOne(item: WaitingPut, seen: Seen): Promise<void> {
    const { remote, clock, knowledge, changes } = this.#parts
    const { value, key } = item
    const { held } = seen
    // This node was asked for another change while the headers were read.
    if (!knowledge.queue.holds(item)) return
    if (held?.commit === value.commit) return this.#noteStored(item, held)
    const own = headerOf(value.bytes)
    const sent = own && agedValue(value, own, clock.now())
    if (sent === undefined || this.#isOvertaken(item)) {
      knowledge.queue.dropValues([key])
      return
    }
    try {
      const since = sinceOf(item, seen)
      const { stored } = await changes.put(item, value.commit, { ...sent, since })
      // The store never learned of a settle window that was asked for before.
      if (stored || item.settleUntil <= clock.now()) this.#end(item, stored ? 'stored' : 'not-kept')
      else knowledge.queue.dropValues([key])
    } catch (error) {
      remote.reportDefect('put', error)
      // A store that takes the eviction, but not the value, is full, or the value takes too long.
      await this.#evict(item)
    }
  }

  /** Whether this node knows of a later change, or cannot exclude one. */
  #isOvertaken({ key, partition, value }: WaitingPut): boolean {
    const { knowledge } = this.#parts
    const { stamp, cacheTag, tags } = value
    return (
      !knowledge.canFence(stamp, key) ||
      // Judged by the birth that the bytes carry.
      !knowledge.tags.allows(stamp.known, cacheTag, partition, tags) ||
      knowledge.tags.softens(stamp.known, cacheTag, tags)
    )
  }

  /** An earlier attempt has reached the store, and the store has also made every later change of the key. */
  #noteStored(item: WaitingPut, held: EntryHeader): void {
    const { knowledge, clock } = this.#parts
    knowledge.noteFoundPut(item, knowledge.server.placed(held, clock.now()))
    this.#end(item, 'stored')
  }

  async #evict(item: WaitingPut): Promise<void> {
    const settleMs = Math.max(0, item.settleUntil - this.#parts.clock.now())
    await this.#parts.changes.evict([item], { soft: false, settleMs })
    this.#end(item, 'not-kept')
  }

  #end(item: WaitingPut, outcome: WaitingEnd): void {
    const { queue } = this.#parts.knowledge
    // Otherwise there was a later change, and the value was told of it.
    if (!queue.holds(item)) return
    queue.settle({ keys: [item], tags: [] })
    item.value.ended(outcome)
  }
}

/**
 * The number that the put names. If the store holds what this node tried to put before, nothing else has changed the key since.
 * Without this rule, a value would be refused because of an older value of the same node.
 */
function sinceOf({ value, attempts }: WaitingPut, { held, known }: Seen): number {
  if (held === undefined || attempts?.includes(held.commit) !== true) return value.since
  const isSoftened = (held.flags & FLAG.stale) !== 0
  return isSoftened ? value.since : Math.max(value.since, known)
}

function headerOf(bytes: Uint8Array | undefined): EntryHeader | undefined {
  return bytes === undefined ? undefined : decodeHeader(bytes)
}
