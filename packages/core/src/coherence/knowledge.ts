/**
 * What this node knows: the position in each partition's history, which tags were invalidated, what
 * this node changed itself, what is in doubt, and when the store last confirmed all of that.
 *
 * Synchronous, without I/O and without timers: reads use it directly, and the files beside it (inbox, sync, outbox) keep
 * it up to date.
 *
 * The change counter moves whenever a decision made earlier might no longer hold (a tag invalidated, a partition
 * unverified, confirmation lost). A hit compares one number with it and needs no other check.
 */

import type { Clock } from '../contracts/clock.ts'
import type { EntryAddress, MutationReply, PutReply } from '../contracts/remote-store.ts'
import type { Stamp } from '../entry/stamp.ts'
import { Doubts } from './doubts.ts'
import { INTERVALS } from './intervals.ts'
import { type EntryOrigin, isOfInstant, type OwnChange, OwnChanges } from './own-changes.ts'
import { ALL_PARTITIONS, createPartitions, type Partition } from './partitions.ts'
import type { RecoveryQueue } from './recovery-queue.ts'
import { ServerClock } from './server-clock.ts'
import { TagClock } from './tag-clock.ts'

const NO_GENERATION = -1
const NEVER = Number.NEGATIVE_INFINITY

export interface KnowledgeParts {
  readonly clock: Clock
  /** Evictions and values that the store does not have yet: its copies of these must not be used. */
  readonly queue: RecoveryQueue
  /** True when there is no remote tier: nothing outside this process can change anything. */
  readonly isAlone: boolean
  /** The store numbers its changes, so that a lost message can be noticed. */
  readonly hasSequences: boolean
}

export class Knowledge {
  readonly tags = new TagClock(() => this.changed())
  readonly server = new ServerClock()
  readonly own = new OwnChanges()
  readonly doubts = new Doubts()
  readonly partitions = createPartitions()
  /** Partitions moved by messages or replies since the running sync was sent. */
  readonly advanced = new Set<number>()
  readonly queue: RecoveryQueue
  /** True when there is no remote tier: nothing outside this process can change anything. */
  readonly isAlone: boolean
  readonly hasSequences: boolean
  readonly #clock: Clock
  /** The last stamp of each partition. */
  readonly #stamps: (Stamp | undefined)[] = ALL_PARTITIONS.map(() => undefined)
  #confirmedAt = NEVER
  #changes = 0
  #trustedSince = 0
  #tagsVerifiedAt = NEVER
  /** The store's clock at the last sync, ms: whatever it held by then was born at the tag clock of then or before. */
  #syncedStoreMs = NEVER
  /** Until when an entry that was born above the tag clock must not be used, monotonic ms. */
  #birthsDoubtedUntil = NEVER
  /** Counts what suggests that the store is not what it was (a reconnect, a failover), and up to which a sync has looked. */
  #suspicions = 0
  #suspicionsSettled = 0

  constructor({ clock, queue, isAlone, hasSequences }: KnowledgeParts) {
    this.#clock = clock
    this.queue = queue
    this.isAlone = isAlone
    this.hasSequences = hasSequences
    if (isAlone) this.#confirmedAt = Number.POSITIVE_INFINITY
  }

  /** Moves whenever the standing of an entry may have changed. */
  get changes(): number {
    return this.#changes
  }

  /** The change counter after the machine last slept: the age of anything older is unknown. */
  get trustedSince(): number {
    return this.#trustedSince
  }

  /** When the store last confirmed every partition and the tag clock, monotonic ms. */
  get confirmedAt(): number {
    return this.#confirmedAt
  }

  /** When the store last confirmed the tag clock, without which its entries cannot be judged, monotonic ms. */
  get tagsVerifiedAt(): number {
    return this.#tagsVerifiedAt
  }

  /** True while the store has confirmed what is known here, and no eviction waits for it. */
  get isVerified(): boolean {
    return this.#tagsVerifiedAt > NEVER && this.queue.size === 0
  }

  /** How often something suggested that the store is not what it was. */
  get suspicions(): number {
    return this.#suspicions
  }

  /**
   * Tells whether an entry of the store can be judged: by a tag clock that is at most `maxStalenessMs` behind. An older one
   * would allow entries that were invalidated by tags meanwhile. After a reconnect it is false until the first sync: the store may
   * have been restored from an old snapshot, with values that were evicted long ago.
   */
  canJudge(maxStalenessMs: number): boolean {
    if (this.isAlone) return true
    if (this.#suspicions !== this.#suspicionsSettled) return false
    const isLate = this.#clock.now() - this.#tagsVerifiedAt >= maxStalenessMs
    return this.tags.confirmed > 0 && !isLate
  }

  /** Notes what is known when a read or load begins. Must be called before it begins. */
  stamp(partition: number): Stamp {
    const state = this.partition(partition)
    const generation = this.isAlone || state.isKnown ? state.generation : NO_GENERATION
    const last = this.#stamps[partition]
    const isLevel =
      last !== undefined &&
      last.seq === state.seq &&
      last.changes === this.#changes &&
      last.birth === this.tags.now &&
      last.known === this.tags.confirmed &&
      last.generation === generation
    if (isLevel) return last
    const stamp = {
      partition,
      birth: this.tags.now,
      known: this.tags.confirmed,
      seq: state.seq,
      generation,
      changes: this.#changes,
    }
    this.#stamps[partition] = stamp
    return stamp
  }

  /** When the store last confirmed this partition and the tag clock, monotonic ms. */
  verifiedAt(partition: number): number {
    if (this.isAlone) return Number.POSITIVE_INFINITY
    return Math.min(this.#tagsVerifiedAt, this.partition(partition).verifiedAt)
  }

  /** Tells whether the partition's history has continued without a break since the stamp, so that its numbers are comparable. */
  isLevel(stamp: Stamp): boolean {
    return stamp.generation === this.partition(stamp.partition).generation
  }

  /**
   * Tells whether the store can tell later whether something came after what stands on this stamp. Not where it numbers
   * nothing or the history is another one, nor for a key that another node could not evict.
   */
  canFence(stamp: Stamp, key: string): boolean {
    return this.hasSequences && this.isLevel(stamp) && !this.doubts.hasKey(key, this.#clock.now())
  }

  /** True while the store's copy of the key is known to be wrong: an eviction of it waits, here or on a node that said so. */
  isInDoubt(key: string): boolean {
    if (this.queue.keys.has(key)) return true
    // Of most reads the way ends here.
    return this.doubts.keys.size > 0 && this.doubts.hasKey(key, this.#clock.now())
  }

  /**
   * Tells whether an entry that was read from the store comes from a history that was lost: it is older than this node's
   * own change of it, or was born above what the store's tag clock stood at later.
   */
  isOutlived(address: EntryAddress, birth: number, written: EntryOrigin): boolean {
    const now = this.#clock.now()
    const placed = this.server.placed(written, now)
    // Of the very millisecond of the sync, it may be from before or after: to doubt too much costs a hit.
    const isDoubted = placed.createdAt <= this.#syncedStoreMs || now < this.#birthsDoubtedUntil
    if (isDoubted && birth > this.tags.confirmed) return true
    // Without a history there are only the clocks of the nodes, which do not order anything.
    if (!this.hasSequences) return false
    return this.own.overtook(address, placed, now)
  }

  /** Remembers a put of this node, in case the store loses it. `asked`: see `changeOf`. */
  noteOwnPut(address: EntryAddress, commit: number, reply: PutReply, asked: number): void {
    const change = this.changeOf(reply, asked)
    this.own.note(address, reply.stored ? { ...change, commit } : change)
  }

  /** Remembers a put of this node that the store was found to hold, though its reply was lost. */
  noteFoundPut(address: EntryAddress, { commit, createdAt }: EntryOrigin): void {
    const state = this.partition(address.partition)
    const doneAt = state.noteTime(createdAt)
    // Its number is not known; it is among those that were caught up with.
    const { seq, history } = state
    this.own.note(address, { at: this.#clock.now(), seq, history, doneAt, isSoft: false, commit })
  }

  /** Remembers that the store accepted a load of this node, which began after all earlier changes of this node. */
  noteOwnFill(address: EntryAddress, commit: number, nowMs: number): void {
    this.partition(address.partition).noteTime(nowMs)
    this.own.noteWrite(address, commit)
  }

  /**
   * A change of this node, with the store's reply. `asked`: what had been heard of the partition (`Partition.heard`) when
   * the change was asked for. A store that stood before that is in a history that was not noticed here yet.
   */
  changeOf({ partition, previous, seq, nowMs }: MutationReply, asked: number): OwnChange {
    const state = this.partition(partition)
    const isAnew = this.hasSequences && previous < asked
    const history = isAnew ? state.history + 1 : state.history
    // Where a later change was reported before this reply came, it may concern the same key.
    const isFollowed = this.hasSequences && !isAnew && state.heard > seq
    const at = this.#clock.now()
    const doneAt = state.noteTime(this.server.latest(nowMs, at))
    const isSuperseded = isFollowed && isOfInstant({ doneAt }, state.heard)
    return { at, seq, history, doneAt, isSoft: false, isSuperseded }
  }

  /** @throws RangeError for what is not a partition */
  partition(id: number): Partition {
    const partition = this.partitions[id]
    if (partition === undefined) throw new RangeError(`No partition ${id}`)
    return partition
  }

  /** The store's tag clock went back: until all nodes have noticed, births above it belong to a history that is over. */
  doubtBirths(): void {
    this.#birthsDoubtedUntil = this.#clock.now() + INTERVALS.rememberedMs
  }

  /** Changes of the partition were lost, and will not be repeated: entries of it are compared with the store. */
  unverify(partition: Partition): void {
    partition.unverify()
    this.changed()
  }

  /** The standing of entries may have changed. */
  changed(): void {
    this.#changes += 1
  }

  /** The store confirmed the tag clock, in a reply to what was sent at `at` (monotonic ms). */
  confirmTags(at: number): void {
    this.#tagsVerifiedAt = at
  }

  /** The store's clock stood at `storeMs` when a sync read the tag clock. */
  noteSyncedAt(storeMs: number): void {
    this.#syncedStoreMs = storeMs
  }

  /** The store's copies must not be used until it has confirmed the tag clock again. */
  distrustStore(): void {
    this.#tagsVerifiedAt = NEVER
    this.confirm()
  }

  /** Computes the oldest confirmation, which the hit path compares with. */
  confirm(): void {
    let oldest = this.#tagsVerifiedAt
    for (const partition of this.partitions) {
      if (partition.verifiedAt < oldest) oldest = partition.verifiedAt
    }
    this.#confirmedAt = oldest
  }

  /** The store may be another one than before, or stand elsewhere in its history: it is asked before its copies are used. */
  suspect(): void {
    this.#suspicions += 1
  }

  /** A sync has checked everything that was suspicious when it was sent. */
  settleSuspicions(upTo: number): void {
    this.#suspicionsSettled = upTo
  }

  /** The machine slept: nothing that was known counts: neither confirmations nor the age of entries. */
  distrustEverything(): void {
    for (const partition of this.partitions) partition.doubt()
    // As after a reconnect: entries of the store cannot be judged before the next sync.
    this.suspect()
    this.changed()
    this.#trustedSince = this.#changes
    this.distrustStore()
  }
}
