/**
 * The better of LRU and S3-FIFO, as the load shows it: both orders are kept for the keys, and the values are those that
 * the leader holds. A key that only one of them holds, when it is asked for, is a point for that one; enough points
 * ahead of the leader, and the other leads.
 *
 * Holding what the better of two shadow caches holds: Subramanian, Smaragdakis, Loh: "Adaptive caches: effective shaping
 * of cache behavior to workloads", MICRO 2006. A hit costs one look-up for both orders. Where they disagree about
 * everything, twice as many keys are remembered as values are held.
 */

import type { Key, Policy, PolicyCache } from './policy.ts'
import { type Linked, Queue } from './queue.ts'
import { type Queued, S3Queues } from './s3-queues.ts'

export const betterOfTwo: Policy = {
  name: 'better of LRU and S3-FIFO',
  create: (capacity) => new BetterOfTwo(capacity),
}

/** Points, by capacity, that make the other one lead: fewer are noise, and changing costs what only the old one held. */
const LEAD_SHARE = 0.25
const LEAST_LEAD = 16

type Leader = 'lru' | 's3-fifo'

interface Entry extends Queued<Entry> {
  value: object | undefined
  readonly recency: Place
}

/** An entry's place in the order of use. */
interface Place extends Linked<Place> {
  entry: Entry | undefined
  isIn: boolean
}

class BetterOfTwo implements PolicyCache {
  readonly #capacity: number
  readonly #lead: number
  readonly #entries = new Map<Key, Entry>()
  readonly #recent = new Queue<Place>()
  readonly #queues: S3Queues<Entry>
  #leader: Leader = 'lru'
  /** Points of S3-FIFO over LRU. */
  #points = 0
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#lead = Math.max(LEAST_LEAD, Math.round(capacity * LEAD_SHARE))
    this.#queues = new S3Queues(capacity, (entry) => this.#left(entry))
  }

  get size(): number {
    return this.#size
  }

  get(key: Key): object | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const { recency, value } = entry
    const isInBoth = recency.isIn && entry.queue !== undefined
    if (isInBoth) {
      this.#recent.touch(recency)
      this.#queues.use(entry)
    } else this.#usedByOne(entry)
    return value
  }

  set(key: Key, value: object): void {
    const entry = this.#entries.get(key) ?? this.#added(key)
    if (entry.value === undefined) this.#size += 1
    entry.value = value
  }

  #added(key: Key): Entry {
    const recency: Place = { entry: undefined, isIn: false, newer: undefined, older: undefined }
    const entry: Entry = {
      key,
      value: undefined,
      recency,
      uses: 0,
      queue: undefined,
      newer: undefined,
      older: undefined,
    }
    recency.entry = entry
    this.#entries.set(key, entry)
    this.#queues.add(entry)
    this.#addRecent(recency)
    return entry
  }

  #usedByOne(entry: Entry): void {
    const { recency } = entry
    if (recency.isIn) {
      this.#recent.touch(recency)
      this.#queues.add(entry)
      this.#points = Math.max(-this.#lead, this.#points - 1)
    } else {
      this.#queues.use(entry)
      this.#addRecent(recency)
      this.#points = Math.min(this.#lead, this.#points + 1)
    }
    if (this.#points === -this.#lead) this.#follow('lru')
    if (this.#points === this.#lead) this.#follow('s3-fifo')
  }

  #addRecent(recency: Place): void {
    if (this.#recent.size >= this.#capacity) {
      const oldest = this.#recent.takeOldest()
      if (oldest?.entry !== undefined) {
        oldest.isIn = false
        this.#left(oldest.entry)
      }
    }
    recency.isIn = true
    this.#recent.add(recency)
  }

  #follow(leader: Leader): void {
    if (this.#leader === leader) return
    this.#leader = leader
    for (const entry of this.#entries.values()) if (!this.#isLed(entry)) this.#forget(entry)
  }

  #left(entry: Entry): void {
    if (!this.#isLed(entry)) this.#forget(entry)
    if (!entry.recency.isIn && entry.queue === undefined) this.#entries.delete(entry.key)
  }

  #isLed(entry: Entry): boolean {
    return this.#leader === 'lru' ? entry.recency.isIn : entry.queue !== undefined
  }

  #forget(entry: Entry): void {
    if (entry.value === undefined) return
    entry.value = undefined
    this.#size -= 1
  }
}
