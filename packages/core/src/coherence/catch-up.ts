/**
 * Reads what was missed from the store's logs: the changes of a partition, and the tags that were invalidated.
 *
 * A log that does not contain what is known here is another history. For a partition this is reported to the caller; lost
 * tags are invalidated anew (see lost-tags.ts).
 */

import type { PartitionChanges } from '../contracts/remote-store.ts'
import { LOSS_MARK } from './loss-mark.ts'
import { LostTags, type LostTagsParts } from './lost-tags.ts'
import type { Partition } from './partitions.ts'
import type { ConnectedParts } from './parts.ts'
import { missingOf } from './tag-clock.ts'

const NONE: readonly string[] = []
/** How far back a catch-up checks that the store still knows the tags that were invalidated, µs. */
const LOOK_BACK_US = 5_000_000
const NOTHING_IN_QUESTION = Number.POSITIVE_INFINITY

export type CatchUpParts = LostTagsParts & Pick<ConnectedParts, 'targets' | 'clock'>

export class CatchUp {
  readonly #parts: CatchUpParts
  readonly #lostTags: LostTags
  #isReadingTags = false
  /** Where the clock stood when a look for lost tags began that has not ended. */
  #tagsInQuestion = NOTHING_IN_QUESTION

  constructor(parts: CatchUpParts) {
    this.#parts = parts
    this.#lostTags = new LostTags(parts)
  }

  get isReadingTags(): boolean {
    return this.#isReadingTags
  }

  /** True while a look for lost tags has not ended, so that it has to begin again. */
  get hasTagsInQuestion(): boolean {
    return this.#tagsInQuestion !== NOTHING_IN_QUESTION
  }

  /**
   * Reads a partition's log: `level` when nothing is missing any more, `busy` while another call does it, or the store's
   * position when its history is not the one known here.
   */
  async partition(
    partition: Partition,
    cause: 'gap' | 'behind',
  ): Promise<'level' | 'busy' | number> {
    const { remote, targets, knowledge, reports } = this.#parts
    if (partition.catchingUp) return 'busy'
    partition.catchingUp = true
    try {
      const { seq, heard, contested } = partition
      const since = (number: number): Promise<PartitionChanges> =>
        remote.run('changes-since', (store) => store.changesSince(partition.id, number))
      // Reported changes must be part of the history, too: otherwise a later change would hide that they were lost.
      const unproven = contested ?? (heard > seq ? heard : undefined)
      const [changes, proof] = await Promise.all([
        since(seq),
        unproven === undefined ? undefined : since(unproven),
      ])
      const isForeign = changes.kind === 'unknown' || proof?.kind === 'unknown'
      if (isForeign || changes.seq < heard) return changes.seq
      if (partition.contested === contested) partition.contested = undefined
      targets.forget(changes.keys, changes.seq)
      knowledge.own.supersede(partition, changes.keys, { above: seq, upTo: changes.seq })
      for (const key of changes.keys) targets.wake(key)
      if (changes.keys.includes(LOSS_MARK)) knowledge.unverify(partition)
      knowledge.doubts.settle(changes.keys, NONE)
      partition.reach(changes.seq)
      partition.noteTags(knowledge.tags.confirmed)
      reports.gap(partition.id, cause, true)
      return 'level'
    } finally {
      partition.catchingUp = false
    }
  }

  /** Reads the tags that were invalidated since what is known, and looks for those that the store has lost. */
  async tags(): Promise<void> {
    const { remote, knowledge, clock } = this.#parts
    const { tags, doubts } = knowledge
    this.#isReadingTags = true
    try {
      // From somewhat before what is known, to see whether the store still knows it.
      const known = Math.min(this.#tagsInQuestion, tags.confirmed)
      // Until the loss has been handled: reading moves the clock on, and no sync would find the loss again.
      this.#tagsInQuestion = known
      const from = Math.max(0, known - LOOK_BACK_US)
      const last = tags.since(from)
      const changes = await remote.run('tags-since', (store) => store.tagsSince(from))
      const isApart = missingOf(last, changes).length + tags.strangersIn(changes).length > 0
      // Before the changes are applied, because then unknown versions would look known.
      if (isApart) await this.#lostTags.find(known)
      tags.applyChanges(changes)
      doubts.settle(
        NONE,
        changes.tags.map(([tag]) => tag),
      )
      // Doubts below the clock that is known only now.
      const doubted = doubts.tagsAt(clock.now())
      if (tags.confirmed > known && doubted.length > 0) tags.invalidateHere(doubted)
      this.#tagsInQuestion = NOTHING_IN_QUESTION
    } finally {
      this.#isReadingTags = false
    }
  }

  /** The store's tag clock stands at `version`, behind what it once confirmed: puts back what it lost. */
  findLostTags(version: number): Promise<void> {
    return this.#lostTags.find(version)
  }
}
