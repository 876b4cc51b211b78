/**
 * This node's own evictions of the last minute, to be asserted again when the store lost its recent history.
 *
 * Redis replicates asynchronously: a failover can go back behind an eviction that was acknowledged. The node that asked
 * for it remembers, and repeats it. Bounded: past the cap a partition is remembered as a whole.
 */

import type { EntryAddress } from '../contracts/remote-store.ts'

const KEEP_MS = 60_000
const CAP_PER_PARTITION = 512

interface RecentOfPartition {
  readonly keys: Map<string, number>
  /** When keys had to be forgotten for room; until this has aged, the whole partition counts as evicted. */
  overflowedAt: number
}

/** What has to be asserted again for one partition. */
export interface Reassertion {
  readonly addresses: readonly EntryAddress[]
  /** True when more was evicted than could be remembered. */
  readonly wholePartition: boolean
}

export class RecentEvictions {
  readonly #partitions = new Map<number, RecentOfPartition>()

  /** Remembers evictions done at `now` (monotonic ms). */
  note(addresses: readonly EntryAddress[], now: number): void {
    for (const { partition, key } of addresses) {
      const recent = this.#of(partition)
      recent.keys.delete(key)
      recent.keys.set(key, now)
      if (recent.keys.size > CAP_PER_PARTITION) this.#makeRoom(recent, now)
    }
  }

  /** Returns what was evicted in the partition within the last minute. */
  of(partition: number, now: number): Reassertion {
    const recent = this.#partitions.get(partition)
    if (recent === undefined) return { addresses: [], wholePartition: false }
    const addresses: EntryAddress[] = []
    for (const [key, at] of recent.keys) {
      if (at > now - KEEP_MS) addresses.push({ partition, key })
    }
    return { addresses, wholePartition: recent.overflowedAt > now - KEEP_MS }
  }

  #of(partition: number): RecentOfPartition {
    const known = this.#partitions.get(partition)
    if (known !== undefined) return known
    const recent: RecentOfPartition = { keys: new Map(), overflowedAt: Number.NEGATIVE_INFINITY }
    this.#partitions.set(partition, recent)
    return recent
  }

  #makeRoom(recent: RecentOfPartition, now: number): void {
    for (const [key, at] of recent.keys) {
      if (at > now - KEEP_MS) {
        if (recent.keys.size <= CAP_PER_PARTITION) return
        recent.overflowedAt = at
      }
      recent.keys.delete(key)
      if (recent.keys.size <= CAP_PER_PARTITION) return
    }
  }
}
