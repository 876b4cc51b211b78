/**
 * Evictions that could not reach the store, waiting to be run again.
 *
 * The queue is bounded but never drops: past the cap, the partition with the most waiting keys is replaced by its
 * partition tag, and when there are too many tags, everything by `*`. Coarser costs hits; forgetting would cost truth.
 */

import type { EntryAddress, EvictRequest } from '../contracts/remote-store.ts'
import { EVERYTHING, partitionTag } from './tag-clock.ts'

/** An eviction of a key, and how it was asked for. */
export interface WaitingKey extends EntryAddress {
  readonly soft: boolean
  /** When its settle window ends, monotonic ms; that counts from when it was asked for. */
  readonly settleUntil: number
}

export interface WaitingEvictions {
  readonly keys: readonly WaitingKey[]
  readonly tags: readonly WaitingTag[]
}

interface WaitingTag {
  readonly tag: string
}

/** Waiting evictions that can be run in one call. */
export interface EvictionGroup {
  readonly members: readonly WaitingKey[]
  readonly request: EvictRequest
}

/** How a key is evicted, by default: hard, without a window. */
const HARD = { soft: false, settleUntil: Number.NEGATIVE_INFINITY } as const
const KEY_CAP = 10_000
const TAG_CAP = 1_000

export class RecoveryQueue {
  // Values are compared by identity in `settle`: an eviction asked for again while an earlier one runs is a new one.
  readonly #keys = new Map<string, WaitingKey>()
  readonly #tags = new Map<string, WaitingTag>()
  readonly #keyCap: number
  readonly #tagCap: number
  #escalated: 'none' | 'partition' | 'clear' = 'none'

  constructor(keyCap = KEY_CAP, tagCap = TAG_CAP) {
    this.#keyCap = keyCap
    this.#tagCap = tagCap
  }

  get size(): number {
    return this.#keys.size + this.#tags.size
  }

  /** How coarse the queue had to become since it was last empty. */
  get escalated(): 'none' | 'partition' | 'clear' {
    return this.#escalated
  }

  /** True while an eviction of the key waits, so that the store's copy must not be believed. */
  hasKey(key: string): boolean {
    return this.#keys.has(key)
  }

  /** True while an eviction of the key waits that does as much as a soft, or a hard, one. */
  covers(key: string, soft: boolean): boolean {
    const waiting = this.#keys.get(key)
    return waiting !== undefined && (soft || !waiting.soft)
  }

  /**
   * Adds an eviction of a key; returns tags that now stand for keys that no longer fit, if any. With one that waits
   * already it becomes one: hard if either is, with the window that ends later.
   */
  addKey(
    { partition, key }: EntryAddress,
    how: Pick<WaitingKey, 'soft' | 'settleUntil'> = HARD,
  ): readonly string[] {
    const known = this.#keys.get(key)
    const soft = how.soft && known?.soft !== false
    const settleUntil = Math.max(how.settleUntil, known?.settleUntil ?? HARD.settleUntil)
    this.#keys.set(key, { partition, key, soft, settleUntil })
    return this.#keys.size > this.#keyCap ? this.#escalateLargestPartition() : []
  }

  /** Adds tag invalidations; returns tags that now stand for tags that no longer fit, if any. */
  addTags(tags: readonly string[]): readonly string[] {
    for (const tag of tags) this.#tags.set(tag, { tag })
    if (this.#tags.size <= this.#tagCap) return []
    this.#keys.clear()
    this.#tags.clear()
    this.#tags.set(EVERYTHING, { tag: EVERYTHING })
    this.#escalated = 'clear'
    return [EVERYTHING]
  }

  /** What waits now, to be run; it stays queued until `settle` says it was done. */
  waiting(): WaitingEvictions {
    return { keys: [...this.#keys.values()], tags: [...this.#tags.values()] }
  }

  /** Removes what was run. */
  settle(done: WaitingEvictions): void {
    for (const item of done.keys) {
      if (this.#keys.get(item.key) === item) this.#keys.delete(item.key)
    }
    for (const item of done.tags) {
      if (this.#tags.get(item.tag) === item) this.#tags.delete(item.tag)
    }
    if (this.size === 0) this.#escalated = 'none'
  }

  #escalateLargestPartition(): readonly string[] {
    const counts = new Map<number, number>()
    for (const { partition } of this.#keys.values()) {
      counts.set(partition, (counts.get(partition) ?? 0) + 1)
    }
    const [largest] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [0]
    for (const { key, partition } of this.#keys.values()) {
      if (partition === largest) this.#keys.delete(key)
    }
    if (this.#escalated === 'none') this.#escalated = 'partition'
    const tag = partitionTag(largest)
    return [tag, ...this.addTags([tag])]
  }
}

/**
 * Sorts waiting evictions into as few calls as their options allow: soft or not, with a window or without. Of different
 * windows the longest holds for all of a call, which costs hits at most.
 */
export function groupsOf(keys: readonly WaitingKey[], now: number): readonly EvictionGroup[] {
  const groups: EvictionGroup[] = []
  for (const soft of [false, true]) {
    for (const hasWindow of [false, true]) {
      const members = keys.filter((key) => key.soft === soft && key.settleUntil > now === hasWindow)
      if (members.length === 0) continue
      let settleMs = 0
      for (const { settleUntil } of members) settleMs = Math.max(settleMs, settleUntil - now)
      groups.push({ members, request: { soft, settleMs } })
    }
  }
  return groups
}
