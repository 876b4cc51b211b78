/**
 * The store's tag clock tells another history than this node knows: it went back, and tags were lost. They are invalidated
 * anew, once for all nodes, under new versions: nobody who stands at the store's clock looks for older ones.
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

  /**
   * Looks back from `known` until it finds where the two histories part, and invalidates anew what the store no longer
   * knows, and what this node does not know, because the store's clock was behind what entries had been born at by then.
   */
  async find(known: number): Promise<void> {
    const { remote, knowledge, reports, bump } = this.#parts
    const { tags } = knowledge
    for (let backUs = LOST_WITHIN_US; ; backUs *= FURTHER) {
      const from = Math.max(0, known - backUs)
      const mine = tags.since(from)
      const changes = await remote.run('tags-since', (store) => store.tagsSince(from))
      const lost = new Set([...missingOf(mine, changes), ...tags.strangersIn(changes)])
      if (from > 0 && lost.has(oldestOf([...mine, ...changes.tags]))) continue
      reports.gap('tags', 'history-lost', true)
      if (lost.size > 0) await bump([...lost])
      // With nothing lost, the clock alone went back: it must not mint again what entries were born at.
      else if (changes.version < tags.confirmed) await bump([NOTHING])
      return
    }
  }
}

function oldestOf(tags: readonly (readonly [tag: string, version: number])[]): string {
  const none = ['', Number.POSITIVE_INFINITY] as const
  return tags.reduce((first, each) => (each[1] < first[1] ? each : first), none)[0]
}
