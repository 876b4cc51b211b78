/**
 * Handles partitions whose history in the store is not the one that this node knows, because the store lost it or never had it:
 * doubts all their entries, and makes the lost changes known again.
 *
 * Nodes can repeat their changes of the last minute only. If the loss reaches further back, it is unknown what was evicted since,
 * because nodes that knew may be gone: then all entries of the partition count as evicted, for all nodes.
 */

import type { EvictRequest } from '../contracts/remote-store.ts'
import { decodeHeader } from '../entry/envelope.ts'
import { Fuse } from './fuse.ts'
import { INTERVALS } from './intervals.ts'
import type { Knowledge } from './knowledge.ts'
import { LOSS_MARK } from './loss-mark.ts'
import type { Outbox } from './outbox.ts'
import { isMissing, type Repetition } from './own-changes.ts'
import type { Partition } from './partitions.ts'
import { type ConnectedParts, chunksOf } from './parts.ts'
import type { CoherenceReports } from './reports.ts'
import type { StoreChanges } from './store-changes.ts'
import { partitionTag } from './tag-clock.ts'

const HARD: EvictRequest = { soft: false, settleMs: 0 }

/** A partition whose history the store has lost, and the number at which the store is now. */
export interface LostHistory {
  readonly partition: Partition
  readonly head: number
}

type Changes = Repetition['changes']

export interface LostHistoriesParts extends Pick<ConnectedParts, 'remote' | 'clock'> {
  readonly knowledge: Knowledge
  readonly reports: CoherenceReports
  readonly changes: StoreChanges
  readonly outbox: Outbox
}

export class LostHistories {
  readonly #parts: LostHistoriesParts
  readonly #fuse = new Fuse()

  constructor(parts: LostHistoriesParts) {
    this.#parts = parts
  }

  /** Starts the partitions again; false when that was done too often lately. */
  async seeTo(lost: readonly LostHistory[]): Promise<boolean> {
    const { clock, knowledge, reports, changes, outbox } = this.#parts
    const { tags, queue } = knowledge
    const now = clock.now()
    if (!this.#fuse.admits(now)) return false
    const repetitions: Changes[number][] = []
    const whole: string[] = []
    for (const { partition, head } of lost) {
      const own = knowledge.own.of(partition.id, now)
      const reachesBack = partition.isSince(head, now - INTERVALS.rememberedMs)
      const tag = partitionTag(partition.id)
      const isDone = partition.isInvalidatedBy(tags.mintedFor(tag))
      if (reachesBack && !own.wholePartition) repetitions.push(...own.changes)
      else if (!isDone) whole.push(tag)
      partition.restart(head, now)
      reports.gap(partition.id, 'history-lost', false)
    }
    knowledge.changed()
    if (whole.length > 0) tags.invalidateHere(whole)
    try {
      if (whole.length > 0) await changes.bump(whole)
      await this.#repeat(repetitions)
    } catch (error) {
      // The partitions have started again, so no later sync will find this loss: the queue has to remember it.
      if (whole.length > 0) tags.invalidateHere([...whole, ...queue.addTags(whole)])
      outbox.enqueue(repetitions.map(({ address }) => address))
      throw error
    }
    return true
  }

  /** Evicts again what this node changed lately, except for keys with a newer value since. */
  async #repeat(repetitions: Changes): Promise<void> {
    const { remote, clock, changes, knowledge } = this.#parts
    for (const chunk of chunksOf(repetitions)) {
      const addresses = chunk.map(({ address }) => address)
      const held = await remote.run('read-headers', (store) => store.readHeaders(addresses))
      const now = clock.now()
      const missing = chunk.filter(({ change }, i) => {
        const header = held[i] === undefined ? undefined : decodeHeader(held[i])
        return isMissing(change, header && knowledge.server.placed(header, now))
      })
      await this.#markLoss(chunk.filter((each) => !missing.includes(each)))
      if (missing.length === 0) continue
      let settleMs = 0
      for (const { change } of missing) {
        settleMs = Math.max(settleMs, (change.settleUntil ?? now) - now)
      }
      await changes.evict(
        missing.map(({ address }) => address),
        { soft: false, settleMs },
      )
    }
  }

  /**
   * A lost change that need not be repeated leaves no trace in the log. A node that is at the number to which the history went back
   * would then keep an older copy; and a second loss back to the same number, which takes the newer value with it, could not be
   * noticed. So a mark is evicted: it raises the partitions' numbers and makes nodes compare their copies.
   */
  async #markLoss(newer: Changes): Promise<void> {
    const partitions = new Set(newer.map(({ address }) => address.partition))
    const marks = [...partitions].map((partition) => ({ partition, key: LOSS_MARK }))
    if (marks.length > 0) await this.#parts.changes.evict(marks, HARD)
  }
}
