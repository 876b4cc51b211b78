/**
 * What this node knows of each partition's history, and how messages, polls and log reads move it.
 *
 * A partition's changes are numbered by the store. A message says "from `previous` to `seq`": if the node stands at
 * `previous`, nothing was missed. Otherwise something was, and the log is asked for it. When the log can't tell (trimmed,
 * flushed, or another history after a failover), every local entry of the partition becomes *unverified*: its generation
 * no longer matches, so the next access compares its commit id with the store before trusting it. Nothing is dropped, so
 * a reconnect causes no herd of loads.
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

/** How many positions a node remembers: together a minute. */
const MARKS = 6

/** In the place of a number: another node asked for the change. */
export const NOT_ASKED = 0

/** How a message or poll fits to what is known. */
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
  /** Raised whenever entries of this partition can no longer be taken to be coherent. */
  generation = 0
  /** Counts the histories that the store began here, as far as that was noticed: numbers of one are not in order with another's. */
  history = 0
  /** When the store last confirmed `seq`, on the node's monotonic clock. */
  verifiedAt = Number.NEGATIVE_INFINITY
  /** What the tag clock was known to stand at then, or at the last change that was heard of: that is older than what comes above. */
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
   * Takes one change into account; tells what has to be done about it. `asked`: what had been heard of when this node asked
   * for the change; a store that stood before that has lost its history, and may find it again without the change.
   */
  advance(previous: number, seq: number, asked = NOT_ASKED): Fit {
    const { heard } = this
    this.heard = Math.max(heard, seq)
    if (previous < asked && seq <= heard) return this.#contest(seq)
    if (seq <= this.seq) return 'known'
    // A number heard of lies between the two: this change did not follow on a history that contains it.
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
   * Learns an instant of the store's clock, ms; returns the latest one known. Not the last one: the clock may be set back,
   * and a change after that is later in any case.
   */
  noteTime(storeMs: number): number {
    this.#latestMs = Math.max(this.#latestMs, storeMs)
    return this.#latestMs
  }

  /** Takes over what the log told: everything up to `seq`. */
  reach(seq: number): void {
    this.seq = Math.max(this.seq, seq)
    this.heard = Math.max(this.heard, seq)
  }

  /** Learns what the tag clock stood at, or above, when the partition was confirmed or a change of it was heard of. */
  noteTags(version: number): void {
    this.#tagsThen = Number.isFinite(this.#tagsThen) ? Math.max(this.#tagsThen, version) : version
  }

  /**
   * Tells whether the partition was invalidated by a version of the tag clock that is above everything known of it: above
   * the birth of whatever the changes heard of were about.
   */
  isInvalidatedBy(version: number): boolean {
    return version > Math.max(this.#tagsThen, this.heard)
  }

  /** Starts over at a position whose past is unknown. */
  restart(seq: number, now: number): void {
    this.seq = seq
    this.heard = seq
    this.contested = undefined
    this.generation += 1
    this.history += 1
    this.#marks = [{ seq, at: now }]
  }

  /** Copies of before are to be compared with the store: it may hold newer ones that nobody was told of. */
  unverify(): void {
    this.generation += 1
  }

  /** The age of everything is unknown: no entry is coherent until it is compared, and no position counts as known within the last minute. */
  doubt(): void {
    this.generation += 1
    this.verifiedAt = Number.NEGATIVE_INFINITY
    this.#marks = []
  }

  /** Notes the position now and then, so that it is known later how old a change is at the most. */
  mark(now: number): void {
    const last = this.#marks.at(-1)
    if (!this.isKnown || (last !== undefined && now - last.at < INTERVALS.markEveryMs)) return
    this.#marks = [...this.#marks.slice(1 - MARKS), { seq: this.seq, at: now }]
  }

  /** Tells whether everything that was changed after `seq`, as far as it is known here, was changed after `since` (monotonic ms). */
  isSince(seq: number, since: number): boolean {
    return this.#marks.some((mark) => mark.at >= since && mark.seq <= seq)
  }
}

/** Returns the partitions of a namespace, in order. */
export function createPartitions(): readonly Partition[] {
  return Array.from({ length: PARTITIONS }, (_, id) => new Partition(id))
}
