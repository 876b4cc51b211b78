/**
 * Sends the values that were put while the store was away.
 *
 * A value never replaces something newer. It is sent after a sync, when it is known whether the history that it names is still
 * the store's, and as a put, so that the store refuses it when the key was changed since. What this node knows to have come
 * after it is not sent at all. Then the key is evicted, which is always right.
 *
 * The eviction that stands for a value is settled by it and not before: until then the store's copy is not believed.
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

  /** Sends what waits. Throws what the store fails with; the rest goes on waiting. */
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
    // Before the headers are read: whatever has a number up to these shows in them.
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
    // Something was asked for while the headers were read.
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
      // The store did not get to know of a window that was asked for before.
      if (stored || item.settleUntil <= clock.now()) this.#end(item, stored ? 'stored' : 'not-kept')
      else knowledge.queue.dropValues([key])
    } catch (error) {
      remote.reportDefect('put', error)
      // A store that takes the eviction does not take the value: it is full, or the value too large for its time.
      await this.#evict(item)
    }
  }

  /** What this node knows to have come after it, or cannot rule out. */
  #isOvertaken({ key, partition, value }: WaitingPut): boolean {
    const { knowledge } = this.#parts
    const { stamp, cacheTag, tags } = value
    return (
      !knowledge.canFence(stamp, key) ||
      // By the birth that the bytes carry.
      !knowledge.tags.allows(stamp.known, cacheTag, partition, tags) ||
      knowledge.tags.softens(stamp.known, cacheTag, tags)
    )
  }

  /** An earlier attempt has reached the store, and whatever was done to the key after it the store has done, too. */
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
    // Otherwise something came after it, and it was told so.
    if (!queue.holds(item)) return
    queue.settle({ keys: [item], tags: [] })
    item.value.ended(outcome)
  }
}

/**
 * The number that the put names. Where the store holds what this node tried to put before, nothing else has changed the key
 * since; without that, a value would be refused because of an older one of the same node.
 */
function sinceOf({ value, attempts }: WaitingPut, { held, known }: Seen): number {
  if (held === undefined || attempts?.includes(held.commit) !== true) return value.since
  const isSoftened = (held.flags & FLAG.stale) !== 0
  return isSoftened ? value.since : Math.max(value.since, known)
}

function headerOf(bytes: Uint8Array | undefined): EntryHeader | undefined {
  return bytes === undefined ? undefined : decodeHeader(bytes)
}
