/**
 * What this node evicted or put within the last minute, and when by the store's clock.
 *
 * Redis replicates asynchronously, and may be restored from a snapshot: it can lose a change that it has acknowledged. The node that
 * asked for the change remembers it, for two purposes. It does not trust an entry from before the change, however the store came to
 * hold it again (I1). And when it finds out that the history was lost, it repeats the change. The memory is bounded: above the cap, a
 * partition is remembered as a whole.
 */

import type { EntryAddress } from '../contracts/remote-store.ts'
import { type EntryHeader, FLAG } from '../entry/envelope.ts'
import { INTERVALS } from './intervals.ts'
import type { Partition } from './partitions.ts'

const CAP_PER_PARTITION = 512
/** The load time in an entry may be too high by so much, ms. */
const ROUNDED_MS = 1
const US_PER_MS = 1_000

/** One change of a key. */
export interface OwnChange {
  /** On this node's monotonic clock, ms. */
  readonly at: number
  /** The partition's number of the change. */
  readonly seq: number
  /** Which of the partition's histories gave that number (see `Partition.history`). Numbers of two histories cannot be compared. */
  readonly history: number
  /** When the store did it, by its clock, ms: an entry that it created later includes the change. */
  readonly doneAt: number
  /** Commit id of a write of this node that includes the change, although the two may have the same instant. */
  commit?: number
  /**
   * Another node has changed the key after that, within the very same millisecond. So an entry from that millisecond may be newer: it is
   * trusted again.
   */
  isSuperseded?: boolean
  /** The old value was kept for when loads fail. */
  readonly isSoft: boolean
  /** The end of the settle window that the change opened, monotonic ms. Absent if it opened none. */
  readonly settleUntil?: number
}

interface ChangesOfPartition {
  readonly keys: Map<string, OwnChange>
  /** The last change that was forgotten to make room. While that is recent, the whole partition counts as changed. */
  forgotten: OwnChange
}

/** What the header of an entry says of the write that made it. */
export interface EntryOrigin {
  readonly commit: number
  /** By the store's clock, ms. */
  readonly createdAt: number
  /** How long the load took before that, ms. */
  readonly loadMs: number
}

const LONG_AGO: OwnChange = {
  at: Number.NEGATIVE_INFINITY,
  seq: 0,
  history: 0,
  doneAt: Number.NEGATIVE_INFINITY,
  isSoft: false,
}

/** What has to be repeated for one partition. */
export interface Repetition {
  readonly changes: readonly { readonly address: EntryAddress; readonly change: OwnChange }[]
  /** True when more was changed than could be remembered. */
  readonly wholePartition: boolean
}

export class OwnChanges {
  readonly #partitions = new Map<number, ChangesOfPartition>()

  /** Remembers a change of a key. Replies may come in another order than that of the changes: the later change counts. */
  note({ partition, key }: EntryAddress, change: OwnChange): void {
    const changes = this.#of(partition)
    const known = changes.keys.get(key)
    const isLate = known !== undefined && known.history === change.history && known.seq > change.seq
    changes.keys.delete(key)
    changes.keys.set(key, isLate ? { ...known, at: change.at } : change)
    if (changes.keys.size > CAP_PER_PARTITION) makeRoom(changes, change.at)
  }

  /** Returns what was changed in the partition within the last minute. */
  of(partition: number, now: number): Repetition {
    const known = this.#partitions.get(partition)
    if (known === undefined) return { changes: [], wholePartition: false }
    const changes = [...known.keys]
      .filter(([, { at }]) => at > now - INTERVALS.rememberedMs)
      .map(([key, change]) => ({ address: { partition, key }, change }))
    return { changes, wholePartition: known.forgotten.at > now - INTERVALS.rememberedMs }
  }

  /** Notes that keys of a partition were changed again, with a number of the store above one number, and up to another. */
  supersede(
    { id, history }: Partition,
    keys: readonly string[],
    { above, upTo }: { readonly above: number; readonly upTo: number },
  ): void {
    const changes = this.#partitions.get(id)
    if (changes === undefined) return
    for (const key of keys) {
      const own = changes.keys.get(key)
      if (own?.history !== history || own.seq > above) continue
      if (isOfInstant(own, upTo)) own.isSuperseded = true
    }
  }

  /** Notes that a write of this node was stored that began after the node's last change of the key. */
  noteWrite({ partition, key }: EntryAddress, commit: number): void {
    const own = this.#partitions.get(partition)?.keys.get(key)
    if (own !== undefined) own.commit = commit
  }

  /** Tells whether an entry that the store returns (and did not soften) is older than this node's change of its key. */
  overtook({ partition, key }: EntryAddress, entry: EntryOrigin, now: number): boolean {
    const changes = this.#partitions.get(partition)
    if (changes === undefined) return false
    const own = changes.keys.get(key) ?? changes.forgotten
    // Only for a while: after a server's clock was set back, nothing that it stores would be trusted here otherwise.
    return own.at > now - INTERVALS.rememberedMs && isBefore(entry, own)
  }

  #of(partition: number): ChangesOfPartition {
    const known = this.#partitions.get(partition)
    if (known !== undefined) return known
    const changes: ChangesOfPartition = { keys: new Map(), forgotten: LONG_AGO }
    this.#partitions.set(partition, changes)
    return changes
  }
}

/** Forgets what has aged; if that is not enough, the oldest of the rest. */
function makeRoom(changes: ChangesOfPartition, now: number): void {
  for (const [key, change] of changes.keys) {
    if (changes.keys.size <= CAP_PER_PARTITION) return
    if (change.at > now - INTERVALS.rememberedMs) changes.forgotten = change
    changes.keys.delete(key)
  }
}

/**
 * Tells whether a change still has to be repeated, given the header of what the store holds now. It must not be repeated if there is
 * a newer value since, because that value would be deleted.
 */
export function isMissing(change: OwnChange, header: EntryHeader | undefined): boolean {
  // Even without an entry, an old load may be under way, whose lease came back with the history.
  if (header === undefined || (header.flags & FLAG.empty) !== 0) return true
  if (change.isSoft && (header.flags & FLAG.stale) !== 0) return false
  // Also if the key was changed again at the same instant: one repetition too many costs a hit, one too few leaves an old value.
  return begunAt(header) <= change.doneAt && header.commit !== change.commit
}

/**
 * Tells whether a change of this number may be of the millisecond of another one. Numbers are microseconds of the store's clock, or
 * less. If they are more, because that clock was set back, too many entries are distrusted.
 */
export function isOfInstant({ doneAt }: Pick<OwnChange, 'doneAt'>, seq: number): boolean {
  return seq < (doneAt + 1) * US_PER_MS
}

function isBefore(entry: EntryOrigin, own: OwnChange): boolean {
  if (own.isSuperseded === true) return begunAt(entry) < own.doneAt
  return begunAt(entry) <= own.doneAt && entry.commit !== own.commit
}

/**
 * When the load of an entry began, by the store's clock, ms. A lease can come back with a history, and its load, begun before
 * the change that ended the lease, fills after it.
 */
function begunAt({ createdAt, loadMs }: EntryOrigin): number {
  return createdAt - Math.max(0, loadMs - ROUNDED_MS)
}
