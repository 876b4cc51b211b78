/**
 * What this node knows of each partition's history, and how messages, polls and log reads move it.
 *
 * A partition's changes are numbered by the store. A message says "from `previous` to `seq`": if the node stands at
 * `previous`, nothing was missed. Otherwise something was, and the log is asked for it. When the log can't tell (trimmed,
 * flushed, or another history after a failover), every local entry of the partition becomes *unverified*: its generation
 * no longer matches, so the next access compares its commit id with the store before trusting it. Nothing is dropped, so
 * a reconnect causes no herd of loads.
 */

/** Number of partitions of every namespace. Part of the key layout: changing it means a new layout. */
export const PARTITIONS = 64
export const ALL_PARTITIONS: readonly number[] = Array.from({ length: PARTITIONS }, (_, id) => id)

/** How a message or poll fits to what is known. */
export type Fit = 'applied' | 'known' | 'gap' | 'history-lost'

/** One partition as this node sees it. */
export class Partition {
  readonly id: number
  /** Everything up to this sequence number has been applied here. 0 before the first contact. */
  seq = 0
  /** The highest number heard of: above `seq` while something is missing in between. */
  heard = 0
  /** Raised whenever entries of this partition can no longer be taken to be coherent. */
  generation = 0
  /** When the store last confirmed `seq`, on the node's monotonic clock. */
  verifiedAt = Number.NEGATIVE_INFINITY
  /** A log read is under way. */
  catchingUp = false

  constructor(id: number) {
    this.id = id
  }

  /** True after the first contact with the store. */
  get isKnown(): boolean {
    return this.seq > 0
  }

  /** Takes one change into account; tells what has to be done about it. */
  advance(previous: number, seq: number): Fit {
    const { heard } = this
    this.heard = Math.max(heard, seq)
    if (seq <= this.seq) return 'known'
    // A number heard of lies between the two: this change did not follow on a history that contains it.
    if (previous < heard && heard < seq) return 'history-lost'
    if (!this.isKnown) return 'known'
    if (previous === this.seq) {
      this.seq = seq
      return 'applied'
    }
    return previous > this.seq ? 'gap' : 'history-lost'
  }

  /** Compares with a head that was read from the store. */
  compare(head: number): 'level' | 'behind' | 'history-lost' | 'unknown' {
    if (!this.isKnown) return head < this.heard ? 'history-lost' : 'unknown'
    if (head === this.seq && head === this.heard) return 'level'
    return head > this.seq ? 'behind' : 'history-lost'
  }

  /** Starts over at a position whose past is unknown. */
  restart(seq: number): void {
    this.seq = seq
    this.heard = seq
    this.generation += 1
  }
}

/** Returns the partitions of a namespace, in order. */
export function createPartitions(): readonly Partition[] {
  return Array.from({ length: PARTITIONS }, (_, id) => new Partition(id))
}
