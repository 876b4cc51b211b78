/**
 * The store's tag clock has another history than this node knows: it went back, and invalidations of tags were lost. They are
 * repeated, once for all nodes, under new versions: a node whose clock equals the store's does not look for older ones.
 */

import type { Knowledge } from './knowledge.ts'
import type { ConnectedParts } from './parts.ts'
import type { CoherenceReports } from './reports.ts'
import { missingOf, NOTHING } from './tag-clock.ts'

/** How far back lost tags are searched at first, µs, and how much further each time if even the oldest one is missing. */
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
   * Searches back from `known` for the point where the two histories differ. Invalidates again what the store no longer knows, and
   * also what this node did not know: at that time the store's clock was below the birth of existing entries.
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
      // Nothing was lost, only the clock went back: it must not mint versions again that are births of entries.
      else if (changes.version < tags.confirmed) await bump([NOTHING])
      return
    }
  }
}

function oldestOf(tags: readonly (readonly [tag: string, version: number])[]): string {
  const none = ['', Number.POSITIVE_INFINITY] as const
  return tags.reduce((first, each) => (each[1] < first[1] ? each : first), none)[0]
}
