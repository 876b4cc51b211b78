/** What this node knew of partitions and tags before a read, load or put began. */

/** Shared by everything that began while nothing changed. */
export interface Stamp {
  readonly partition: number
  /** The tag clock as it stands here. */
  readonly birth: number
  /** The tag clock as the store has confirmed it: the birth of entries that leave this node. */
  readonly known: number
  /** Sequence number of the partition. */
  readonly seq: number
  /** Generation of the partition; -1 when nothing was known about it. */
  readonly generation: number
  /** The change counter. */
  readonly changes: number
}
