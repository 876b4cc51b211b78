/**
 * Evictions that could not reach the store, waiting to be run again.
 *
 * The queue is bounded but never drops: past the cap, the partition with the most waiting keys is replaced by its
 * partition tag, and when there are too many tags, everything by `*`. Coarser costs hits; forgetting would cost truth.
 *
 * A value that was put meanwhile waits with the eviction that stands for it: of one key there is one item, so that what was
 * asked for last is what is done. Values are dropped where they do not fit, or something comes after them; the eviction stays.
 */

import type { EntryAddress, EvictRequest } from '../contracts/remote-store.ts'
import { EVERYTHING, partitionTag } from './tag-clock.ts'
import type { WaitingValue } from './waiting-value.ts'

/** An eviction of a key, and how it was asked for. */
export interface WaitingKey extends EntryAddress {
  readonly soft: boolean
  /** When its settle window ends, monotonic ms; that counts from when it was asked for. */
  readonly settleUntil: number
  /** What is to be put in the place of what is evicted. */
  readonly value?: WaitingValue | undefined
  /** Commit ids of values that waited here before: attempts to send them may have arrived, or arrive yet. */
  readonly attempts?: readonly number[] | undefined
}

/** How an eviction, or a put, was asked for. */
export type HowItWaits = Pick<WaitingKey, 'soft' | 'settleUntil' | 'value'>

/** An item with a value. */
export type WaitingPut = WaitingKey & { readonly value: WaitingValue }

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
/** How many attempts are remembered of a key. */
const MOST_ATTEMPTS = 8

/** How many values may wait, and how many bytes they may have together. */
export interface ValueRoom {
  readonly count: number
  readonly bytes: number
}

const VALUE_ROOM: ValueRoom = { count: 1_000, bytes: 16 * 1024 * 1024 }

export class RecoveryQueue {
  // Values are compared by identity in `settle`: an eviction asked for again while an earlier one runs is a new one.
  readonly #keys = new Map<string, WaitingKey>()
  /** What waits of each key: while something does, the store's copy must not be trusted. To be read only. */
  readonly keys: ReadonlyMap<string, WaitingKey> = this.#keys
  readonly #tags = new Map<string, WaitingTag>()
  readonly #keyCap: number
  readonly #tagCap: number
  readonly #room: ValueRoom
  /** What the values take up. */
  readonly #taken = { count: 0, bytes: 0 }
  #escalated: 'none' | 'partition' | 'clear' = 'none'

  constructor(keyCap = KEY_CAP, tagCap = TAG_CAP, room = VALUE_ROOM) {
    this.#keyCap = keyCap
    this.#tagCap = tagCap
    this.#room = room
  }

  get size(): number {
    return this.#keys.size + this.#tags.size
  }

  /** How coarse the queue had to become since it was last empty. */
  get escalated(): 'none' | 'partition' | 'clear' {
    return this.#escalated
  }

  /** True while an eviction of the key waits that does as much as a soft, or a hard, one. */
  covers(key: string, soft: boolean): boolean {
    const waiting = this.#keys.get(key)
    return waiting !== undefined && (soft || !waiting.soft)
  }

  /** What waits to be put under a key. */
  valueOf(key: string): WaitingValue | undefined {
    return this.#keys.get(key)?.value
  }

  /** True while this very item waits: nothing was asked for since. */
  holds(item: WaitingKey): boolean {
    return this.#keys.get(item.key) === item
  }

  /**
   * Adds an eviction of a key; returns tags that now stand for keys that no longer fit, if any. With one that waits
   * already it becomes one: hard if either is, with the window that ends later. A value is left out when there is no room for
   * it, and one that waits already is dropped.
   */
  addKey(
    { partition, key }: EntryAddress,
    { soft: isSoft, settleUntil: until, value }: HowItWaits = HARD,
  ): readonly string[] {
    const known = this.#keys.get(key)
    const soft = isSoft && known?.soft !== false
    const settleUntil = Math.max(until, known?.settleUntil ?? HARD.settleUntil)
    this.#remove(key)
    const item = { partition, key, soft, settleUntil, attempts: attemptsOf(known) }
    this.#place(value !== undefined && this.#hasRoom(value) ? { ...item, value } : item)
    known?.value?.ended('not-kept')
    return this.#keys.size > this.#keyCap ? this.#escalateLargestPartition() : []
  }

  /** Adds tag invalidations; returns tags that now stand for tags that no longer fit, if any. */
  addTags(tags: readonly string[]): readonly string[] {
    for (const tag of tags) this.#tags.set(tag, { tag })
    if (this.#tags.size <= this.#tagCap) return []
    this.#tags.clear()
    this.#tags.set(EVERYTHING, { tag: EVERYTHING })
    this.#escalated = 'clear'
    this.#removeAll([...this.#keys.keys()])
    return [EVERYTHING]
  }

  /** Something came after the values of these keys: only their evictions go on waiting. Returns the keys that had one. */
  dropValues(keys: Iterable<string> = [...this.#keys.keys()]): readonly string[] {
    if (this.#taken.count === 0) return []
    const dropped: WaitingPut[] = []
    for (const key of keys) {
      const item = this.#keys.get(key)
      if (!isPut(item)) continue
      const { value, ...eviction } = item
      this.#remove(key)
      this.#place({ ...eviction, attempts: attemptsOf(item) })
      dropped.push(item)
    }
    // At last, because a listener may call this node again.
    for (const { value } of dropped) value.ended('not-kept')
    return dropped.map(({ key }) => key)
  }

  /** What waits now, to be run; it stays queued until `settle` says it was done. */
  waiting(): WaitingEvictions {
    return { keys: [...this.#keys.values()], tags: [...this.#tags.values()] }
  }

  /** The values that wait now. */
  puts(): readonly WaitingPut[] {
    return this.#taken.count === 0 ? [] : [...this.#keys.values()].filter(isPut)
  }

  /** Removes what was run. */
  settle(done: WaitingEvictions): void {
    for (const item of done.keys) {
      if (this.holds(item)) this.#remove(item.key)
    }
    for (const item of done.tags) {
      if (this.#tags.get(item.tag) === item) this.#tags.delete(item.tag)
    }
    if (this.size === 0) this.#escalated = 'none'
  }

  #hasRoom({ bytes }: WaitingValue): boolean {
    const { count, bytes: taken } = this.#taken
    return count < this.#room.count && taken + bytes.length <= this.#room.bytes
  }

  #place(item: WaitingKey): void {
    this.#keys.set(item.key, item)
    if (item.value !== undefined) this.#count(1, item.value)
  }

  #remove(key: string): void {
    const value = this.#keys.get(key)?.value
    this.#keys.delete(key)
    if (value !== undefined) this.#count(-1, value)
  }

  #count(by: 1 | -1, { bytes }: WaitingValue): void {
    this.#taken.count += by
    this.#taken.bytes += by * bytes.length
  }

  /** Removes keys for which something coarser stands now, and their values with them. */
  #removeAll(keys: readonly string[]): void {
    const values = keys.map((key) => this.valueOf(key))
    for (const key of keys) this.#remove(key)
    for (const value of values) value?.ended('not-kept')
  }

  #escalateLargestPartition(): readonly string[] {
    const counts = new Map<number, number>()
    for (const { partition } of this.#keys.values()) {
      counts.set(partition, (counts.get(partition) ?? 0) + 1)
    }
    const [largest] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [0]
    const concerned = [...this.#keys.values()].filter(({ partition }) => partition === largest)
    if (this.#escalated === 'none') this.#escalated = 'partition'
    const tag = partitionTag(largest)
    const coarser = [tag, ...this.addTags([tag])]
    this.#removeAll(concerned.map(({ key }) => key))
    return coarser
  }
}

function attemptsOf(item: WaitingKey | undefined): readonly number[] | undefined {
  const { value, attempts = [] } = item ?? {}
  return value === undefined ? item?.attempts : [...attempts, value.commit].slice(-MOST_ATTEMPTS)
}

function isPut(item: WaitingKey | undefined): item is WaitingPut {
  return item?.value !== undefined
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
