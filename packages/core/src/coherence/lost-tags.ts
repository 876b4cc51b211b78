/**
 * Tags that the store no longer knows were invalidated, because its history went back. They are invalidated anew, once for
 * all nodes, under new versions: nobody who stands at the store's clock looks for older ones.
 */

import type { Knowledge } from './knowledge.ts'
import type { ConnectedParts } from './parts.ts'
import type { CoherenceReports } from './reports.ts'
import { missingOf, NOTHING } from './tag-clock.ts'

/** How far back lost tags are looked for at first, µs, and by how much further where even the oldest is missing. */
const LOST_WITHIN_US = 60_000_000
const FURTHER = 10

export interface LostTagsParts extends Pick<ConnectedParts, 'remote'> {
  readonly knowledge: Knowledge
  readonly reports: CoherenceReports
  /** Invalidates tags in the store, under new versions. */
  readonly bump: (tags: readonly string[]) => Promise<void>
}

export class LostTags {
  readonly #parts: LostTagsParts

  constructor(parts: LostTagsParts) {
    this.#parts = parts
  }

  /** The store no longer knows the last tags before `known`: looks further back until it finds where the loss began. */
  async find(known: number): Promise<void> {
    const { remote, knowledge } = this.#parts
    for (let backUs = LOST_WITHIN_US; ; backUs *= FURTHER) {
      const from = Math.max(0, known - backUs)
      const mine = knowledge.tags.since(from)
      const lost = new Set(
        missingOf(mine, await remote.run('tags-since', (store) => store.tagsSince(from))),
      )
      const [oldest] = mine.reduce(
        (first, each) => (each[1] < first[1] ? each : first),
        ['', Number.POSITIVE_INFINITY],
      )
      if (from > 0 && lost.has(oldest)) continue
      await this.putBack(from)
      return
    }
  }

  /** Invalidates again what was invalidated after `since` and is not known to the store any more. */
  async putBack(since: number): Promise<void> {
    const { remote, knowledge, reports, bump } = this.#parts
    const { tags } = knowledge
    reports.gap('tags', 'history-lost', true)
    const changes = await remote.run('tags-since', (store) => store.tagsSince(since))
    const lost = missingOf(tags.since(since), changes)
    if (lost.length > 0) await bump(lost)
    // With nothing lost, the clock alone went back: it must not mint again what entries were born at.
    else if (changes.version < tags.confirmed) await bump([NOTHING])
  }
}
