/** What a read, load or put stands on: what this node knew of the coherence protocol before it began. */

/** Shared by everything that began while nothing changed. */
export interface Stamp {
  readonly partition: number
  /** The tag clock as it stands here. */
  readonly birth: number
  /** The tag clock as the store has confirmed it: what leaves this node was born at it. */
  readonly known: number
  /** Sequence number of the partition. */
  readonly seq: number
  /** Generation of the partition; -1 when nothing was known of it. */
  readonly generation: number
  /** The change counter. */
  readonly changes: number
}
