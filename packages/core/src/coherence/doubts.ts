/**
 * What other nodes evicted and could not tell the store, because it answers reads and refuses writes: a full disk, a replica
 * that became the address of a master, a user without rights.
 *
 * The store still holds it and confirms everything, so only the evicting node would know. It says so on the bus, which works
 * in most of these states, and says it again as long as the eviction waits. Whoever hears it forgets its own copy, once, and
 * does not believe the store's until it has been told of the eviction or nobody repeats the doubt any more.
 */

import type { DoubtMessage } from '../contracts/bus.ts'
import { partitionOf } from '../keys/partition-of.ts'
import { partitionTag } from './tag-clock.ts'

/** How long a doubt holds that nobody repeats, ms: several tries of the evicting node. */
const DOUBTED_FOR_MS = 5_000
const KEY_CAP = 10_000
const TAG_CAP = 1_000
const NO_TAGS: readonly string[] = []

/** What a doubt tells that was not known. */
export interface NewDoubts {
  readonly keys: readonly string[]
  readonly tags: readonly string[]
}

export class Doubts {
  /** Until when, monotonic ms. */
  readonly #keys = new Map<string, number>()
  readonly #tags = new Map<string, number>()

  /** Takes in what another node said at `now` (monotonic ms); returns what has to be forgotten here. */
  note({ keys, tags, isRepeated }: DoubtMessage, now: number): NewDoubts {
    const isNews = (until: number | undefined): boolean =>
      !isRepeated || until === undefined || until <= now
    const newKeys = keys.filter((key) => isNews(this.#keys.get(key)))
    const newTags = new Set(tags.filter((tag) => isNews(this.#tags.get(tag))))
    for (const key of keys) {
      if (hasRoom(this.#keys, key, KEY_CAP, now)) this.#keys.set(key, now + DOUBTED_FOR_MS)
      // Too many to remember: none of the store's copies in the partition is believed.
      else newTags.add(partitionTag(partitionOf(key)))
    }
    for (const tag of tags) {
      if (hasRoom(this.#tags, tag, TAG_CAP, now)) this.#tags.set(tag, now + DOUBTED_FOR_MS)
    }
    return { keys: newKeys, tags: [...newTags] }
  }

  /** True while the store's copy of the key must not be believed. */
  hasKey(key: string, now: number): boolean {
    if (this.#keys.size === 0) return false
    const until = this.#keys.get(key)
    if (until === undefined) return false
    if (until > now) return true
    this.#keys.delete(key)
    return false
  }

  /** The tags that are in doubt. */
  tagsAt(now: number): readonly string[] {
    if (this.#tags.size === 0) return NO_TAGS
    return [...this.#tags].filter(([, until]) => until > now).map(([tag]) => tag)
  }

  /** The store has been told of these: its copies are as good as any. */
  settle(keys: readonly string[], tags: readonly string[]): void {
    if (this.#keys.size > 0) for (const key of keys) this.#keys.delete(key)
    if (this.#tags.size > 0) for (const tag of tags) this.#tags.delete(tag)
  }
}

/** Makes room by what has ended. */
function hasRoom(known: Map<string, number>, name: string, cap: number, now: number): boolean {
  if (known.has(name) || known.size < cap) return true
  for (const [old, until] of known) if (until <= now) known.delete(old)
  return known.size < cap
}
