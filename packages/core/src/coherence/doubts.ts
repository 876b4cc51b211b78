/**
 * Evictions of other nodes that the store does not have, because it answers reads and refuses writes: a full disk, a replica
 * that became the address of a master, a user without rights.
 *
 * The store still holds it and confirms everything, so only the evicting node would know. It sends a doubt on the bus, which works
 * in most of these states, and repeats it as long as the eviction waits. A node that hears it drops its own copy, once, and
 * does not use the store's copy until the store has the eviction, or the doubt is not repeated any more.
 */

import type { DoubtMessage } from '../contracts/bus.ts'
import { INTERVALS } from './intervals.ts'
import { partitionOf } from './partitions.ts'
import { partitionTag } from './tag-clock.ts'

const KEY_CAP = 10_000
const TAG_CAP = 1_000
const NO_TAGS: readonly string[] = []

interface Doubt {
  /** Monotonic ms. */
  readonly until: number
  /** Copies may be kept for failed loads; false as soon as one message did not allow it. */
  readonly soft: boolean
}

/** The part of a doubt that was not known. */
export interface NewDoubts {
  readonly keys: readonly string[]
  readonly tags: readonly string[]
}

export class Doubts {
  readonly #keys = new Map<string, Doubt>()
  /** To be read only. */
  readonly keys: ReadonlyMap<string, unknown> = this.#keys
  readonly #tags = new Map<string, Doubt>()

  /** Takes in a doubt at `now` (monotonic ms); returns what must be dropped here. */
  note({ keys, tags, soft = false, isRepeated }: DoubtMessage, now: number): NewDoubts {
    // Also a repetition of a hard eviction after a soft one: its first message did not arrive.
    const isNews = (known: Doubt | undefined): boolean =>
      !isRepeated || known === undefined || known.until <= now || (known.soft && !soft)
    const until = now + INTERVALS.doubtedForMs
    const newKeys = keys.filter((key) => isNews(this.#keys.get(key)))
    const newTags = new Set(tags.filter((tag) => isNews(this.#tags.get(tag))))
    for (const key of keys) {
      const known = this.#keys.get(key)
      const wasHard = known !== undefined && known.until > now && !known.soft
      if (hasRoom(this.#keys, key, KEY_CAP, now))
        this.#keys.set(key, { until, soft: soft && !wasHard })
      // Too many to remember: none of the store's copies in the partition is used.
      else newTags.add(partitionTag(partitionOf(key)))
    }
    // The name of a tag tells how it was evicted.
    for (const tag of tags) {
      if (hasRoom(this.#tags, tag, TAG_CAP, now)) this.#tags.set(tag, { until, soft: false })
    }
    return { keys: newKeys, tags: [...newTags] }
  }

  /** True while the store's copy of the key must not be used. */
  hasKey(key: string, now: number): boolean {
    const known = this.#keys.get(key)
    if (known === undefined) return false
    if (known.until > now) return true
    this.#keys.delete(key)
    return false
  }

  /** The tags that are in doubt. */
  tagsAt(now: number): readonly string[] {
    if (this.#tags.size === 0) return NO_TAGS
    return [...this.#tags].filter(([, { until }]) => until > now).map(([tag]) => tag)
  }

  /** The store has these evictions now: its copies may be used. */
  settle(keys: readonly string[], tags: readonly string[]): void {
    if (this.#keys.size > 0) for (const key of keys) this.#keys.delete(key)
    if (this.#tags.size > 0) for (const tag of tags) this.#tags.delete(tag)
  }
}

/** Makes room by dropping ended doubts. */
function hasRoom(known: Map<string, Doubt>, name: string, cap: number, now: number): boolean {
  if (known.has(name) || known.size < cap) return true
  for (const [old, { until }] of known) if (until <= now) known.delete(old)
  return known.size < cap
}
