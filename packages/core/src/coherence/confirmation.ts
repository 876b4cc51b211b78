/**
 * Compares the numbers that a sync read with those known here, and confirms what agrees.
 *
 * A head equal to what was applied here confirms everything up to the moment the sync was *sent*; a higher one means that
 * messages were lost, and the log tells which; a lower or foreign one means that the store lost history.
 */

import type { Clock } from '../contracts/clock.ts'
import type { SyncReply } from '../contracts/remote-store.ts'
import type { CatchUp } from './catch-up.ts'
import type { Knowledge } from './knowledge.ts'
import type { LostHistories, LostHistory } from './lost-histories.ts'
import type { Partition } from './partitions.ts'
import type { CoherenceReports } from './reports.ts'

const CONCURRENT_CATCH_UPS = 16

/** A sync under way. */
export interface SentSync {
  /** When it was sent, monotonic ms. */
  readonly at: number
  /** The value of `trustedSince` then. */
  readonly since: number
  /** The tag clock then. */
  readonly tags: number
}

export interface ConfirmationParts {
  readonly clock: Clock
  readonly knowledge: Knowledge
  readonly reports: CoherenceReports
  readonly catchUp: CatchUp
  readonly lostHistories: LostHistories
}

export class Confirmation {
  readonly #parts: ConfirmationParts
  #stopWaiting: () => void = () => undefined

  constructor(parts: ConfirmationParts) {
    this.#parts = parts
  }

  /** False when the machine slept since the sync was sent: its reply may be as old as the sleep was long. */
  isAwakeSince({ since }: SentSync): boolean {
    return since === this.#parts.knowledge.trustedSince
  }

  async tags(reply: SyncReply, sent: SentSync): Promise<void> {
    const { knowledge, reports, catchUp } = this.#parts
    const { tags, queue } = knowledge
    const head = reply.tags
    if (head === undefined) return
    if (tags.isAhead(head)) {
      knowledge.doubtBirths()
      await catchUp.findLostTags(head.version)
    }
    const isInQuestion = catchUp.hasTagsInQuestion
    if (isInQuestion || head.version > tags.confirmed || head.floor > tags.floor) {
      if (tags.confirmed > 0 && !catchUp.isReadingTags) reports.gap('tags', 'behind', true)
      await catchUp.tags()
    }
    // Evictions that were queued meanwhile have not reached the store: nothing is confirmed before they have.
    if (queue.size === 0 && this.isAwakeSince(sent)) knowledge.confirmTags(sent.at)
    knowledge.noteSyncedAt(reply.nowMs)
  }

  /** Returns whether everything that was lost has been handled. */
  async partitions(reply: SyncReply, sent: SentSync): Promise<boolean> {
    const { knowledge, lostHistories } = this.#parts
    const { behind: found, lost } = this.#compare(reply, sent)
    const behind = await this.#afterNews(found, reply, sent)
    while (behind.length > 0) {
      const batch = behind.splice(0, CONCURRENT_CATCH_UPS)
      await Promise.all(batch.map((partition) => this.#catchUp(partition, sent, lost)))
    }
    const isSeenTo = lost.length === 0 || (await lostHistories.seeTo(lost))
    if (isSeenTo) for (const { partition } of lost) this.#confirm(partition, sent)
    knowledge.confirm()
    return isSeenTo
  }

  #compare(reply: SyncReply, sent: SentSync): { behind: Partition[]; lost: LostHistory[] } {
    const { knowledge } = this.#parts
    const behind: Partition[] = []
    const lost: LostHistory[] = []
    for (const partition of knowledge.partitions) {
      const head = knowledge.hasSequences ? reply.heads[partition.id] : undefined
      if (head === undefined) continue
      const found = partition.compare(head)
      if (found === 'unknown') partition.restart(head, sent.at)
      // After a message was applied while the sync was under way, the head is older than what is known here. The message followed
      // without a gap on what was known when the sync was sent, so it includes the head.
      const isOlder = found === 'history-lost' && knowledge.advanced.has(partition.id)
      if (found === 'behind') behind.push(partition)
      else if (found === 'history-lost' && !isOlder) lost.push({ partition, head })
      else if (!isOlder || partition.seq === partition.heard) this.#confirm(partition, sent)
    }
    return { behind, lost }
  }

  /**
   * Where changes wait to be announced, most of what is behind will be level as soon as they are: every node would read every log
   * with every sync. Returns those that are still behind what the sync found by then.
   */
  async #afterNews(behind: Partition[], reply: SyncReply, sent: SentSync): Promise<Partition[]> {
    const { announcedWithinMs = 0, heads } = reply
    if (behind.length === 0 || announcedWithinMs === 0) return behind
    const { clock } = this.#parts
    await new Promise<void>((resolve) => {
      const cancel = clock.schedule(announcedWithinMs, resolve, 'background')
      this.#stopWaiting = () => {
        cancel()
        resolve()
      }
    })
    return behind.filter((partition) => {
      // It followed without a gap on what was known, so it includes the head that was read after the sync was sent.
      const hasReached = partition.seq >= (heads[partition.id] ?? Number.POSITIVE_INFINITY)
      const isLevel = hasReached && partition.contested === undefined
      if (isLevel) this.#confirm(partition, sent)
      return !isLevel
    })
  }

  close(): void {
    this.#stopWaiting()
  }

  async #catchUp(partition: Partition, sent: SentSync, lost: LostHistory[]): Promise<void> {
    const outcome = await this.#parts.catchUp.partition(partition, 'behind')
    if (outcome === 'level') this.#confirm(partition, sent)
    else if (outcome !== 'busy') lost.push({ partition, head: outcome })
  }

  #confirm(partition: Partition, sent: SentSync): void {
    if (!this.isAwakeSince(sent)) return
    partition.verifiedAt = sent.at
    partition.noteTags(sent.tags)
    partition.mark(sent.at)
  }
}
