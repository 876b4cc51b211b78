/**
 * What this node knows of each partition's history, and how messages, polls and log reads move it.
 *
 * A partition's changes are numbered by the store. A message says "from `previous` to `seq`": if the node stands at
 * `previous`, nothing was missed. Otherwise something was, and the log is asked for it. When the log cannot tell (it was trimmed or
 * flushed, or has another history after a failover), every local entry of the partition becomes *unverified*: its generation
 * no longer matches, so the next access compares its commit id with the store before trusting it. Nothing is dropped,
 * so many loads at once after a reconnect are avoided.
 */

import { INTERVALS } from './intervals.ts'

/** Number of partitions of every namespace. Part of the key layout: changing it means a new layout. */
export const PARTITIONS = 64
export const ALL_PARTITIONS: readonly number[] = Array.from({ length: PARTITIONS }, (_, id) => id)

/** A position in a history, and when a node stood there. */
interface Mark {
  readonly seq: number
  readonly at: number
}

/** How many positions a node remembers. Together they span a minute. */
const MARKS = 6

/** Stands for a number where another node asked for the change. */
export const NOT_ASKED = 0

/** How a message or poll fits what is known. */
export type Fit = 'applied' | 'known' | 'gap' | 'history-lost'

/** One partition as this node sees it. */
export class Partition {
  readonly id: number
  /** Everything up to this sequence number has been applied here. 0 before the first contact. */
  seq = 0
  /** The highest number heard of: above `seq` while something is missing in between. */
  heard = 0
  /**
   * A number that was heard of and that a later message leaves out: one of the two is of another history. The store's log
   * tells whether it knows the number.
   */
  contested: number | undefined
  /** Raised whenever this node can no longer assume that its entries of the partition are coherent. */
  generation = 0
  /** Counts the histories that the store is known to have begun here. Numbers of two histories cannot be compared. */
  history = 0
  /** When the store last confirmed `seq`, on the node's monotonic clock. */
  verifiedAt = Number.NEGATIVE_INFINITY
  /** The tag clock as known then, or at the last change heard of. Changes that are not known yet come after it. */
  #tagsThen = Number.POSITIVE_INFINITY
  /** A log read is under way. */
  catchingUp = false
  #latestMs = 0
  /** Positions of the last minute, the oldest first. */
  #marks: readonly Mark[] = []

  constructor(id: number) {
    this.id = id
  }

  /** True after the first contact with the store. */
  get isKnown(): boolean {
    return this.seq > 0
  }

  /**
   * Takes one change into account; tells what has to be done about it. `asked`: the highest number heard of when this node
   * asked for the change. A store whose number was below that has lost its history, and may get it back without the change.
   */
  advance(previous: number, seq: number, asked = NOT_ASKED): Fit {
    const { heard } = this
    this.heard = Math.max(heard, seq)
    if (previous < asked && seq <= heard) return this.#contest(seq)
    if (seq <= this.seq) return 'known'
    // A number that was heard of lies between the two: the history that this change belongs to does not contain it.
    if (previous < heard && heard < seq) return this.#contest(heard)
    if (!this.isKnown) return 'known'
    if (previous === this.seq) {
      this.seq = seq
      return 'applied'
    }
    return previous > this.seq ? 'gap' : this.#contest(this.seq)
  }

  /** Compares with a head that was read from the store. */
  compare(head: number): 'level' | 'behind' | 'history-lost' | 'unknown' {
    const isContested = this.contested !== undefined
    if (!this.isKnown) return head < this.heard || isContested ? 'history-lost' : 'unknown'
    if (head > this.seq) return 'behind'
    if (head < this.heard) return 'history-lost'
    return isContested ? 'behind' : 'level'
  }

  #contest(seq: number): 'history-lost' {
    this.contested ??= seq
    return 'history-lost'
  }

  /**
   * Takes in an instant of the store's clock, ms; returns the highest one known, which may not be the last: the clock may be set
   * back, and a change after that is later in any case.
   */
  noteTime(storeMs: number): number {
    this.#latestMs = Math.max(this.#latestMs, storeMs)
    return this.#latestMs
  }

  /** Takes in an answer of the log: everything up to `seq`. */
  reach(seq: number): void {
    this.seq = Math.max(this.seq, seq)
    this.heard = Math.max(this.heard, seq)
  }

  /** Takes in a lower bound of the tag clock at the moment when the partition was confirmed, or a change of it was heard of. */
  noteTags(version: number): void {
    this.#tagsThen = Number.isFinite(this.#tagsThen) ? Math.max(this.#tagsThen, version) : version
  }

  /**
   * Tells whether the partition was invalidated at a version of the tag clock that is above everything known of the partition, and so
   * above the birth of every entry that the known changes were about.
   */
  isInvalidatedBy(version: number): boolean {
    return version > Math.max(this.#tagsThen, this.heard)
  }

  /** Starts again at a position; what was before it is unknown. */
  restart(seq: number, now: number): void {
    this.seq = seq
    this.heard = seq
    this.contested = undefined
    this.generation += 1
    this.history += 1
    this.#marks = [{ seq, at: now }]
  }

  /** From now on, earlier copies are compared with the store, which may hold newer entries that no message told of. */
  unverify(): void {
    this.generation += 1
  }

  /** From now on the age of everything is unknown: each entry has to be compared, and no position of the last minute counts as known. */
  doubt(): void {
    this.generation += 1
    this.verifiedAt = Number.NEGATIVE_INFINITY
    this.#marks = []
  }

  /** Notes the position from time to time, so that the highest possible age of a change is known later. */
  mark(now: number): void {
    const last = this.#marks.at(-1)
    if (!this.isKnown || (last !== undefined && now - last.at < INTERVALS.markEveryMs)) return
    this.#marks = [...this.#marks.slice(1 - MARKS), { seq: this.seq, at: now }]
  }

  /** Tells whether all changes after `seq` that are known here were made after `since` (monotonic ms). */
  isSince(seq: number, since: number): boolean {
    return this.#marks.some((mark) => mark.at >= since && mark.seq <= seq)
  }
}

/** Returns the partitions of a namespace, in order. */
export function createPartitions(): readonly Partition[] {
  return Array.from({ length: PARTITIONS }, (_, id) => new Partition(id))
}

/** Returns the number of a full key's partition: 32-bit FNV-1a over UTF-16 units, with a final mix so that the low bits spread. */
export function partitionOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  }
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  hash ^= hash >>> 12
  return (hash >>> 0) % PARTITIONS
}
