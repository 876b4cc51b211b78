/**
 * Keeps this node's entries true: applies what the bus says, notices what it failed to say, and makes sure that what this
 * node evicted stays evicted.
 *
 * The rule: a local entry may be served only while its partition was confirmed by the store within the last
 * `maxStaleness`, no matter what the bus delivered (I3). Confirmation comes from `sync`: one round trip that reads every
 * partition's head and the tag clock. A head equal to what was applied here confirms everything up to the moment the sync
 * was *sent*; a higher one means messages were lost, and the log tells which; a lower or foreign one means the store lost
 * history, and the partition's entries become unverified.
 *
 * Messages only make this faster. They are applied in any order, any number of times, from this node too: its own message
 * is a free second delete. A message that does not follow on what is known starts a catch-up at once.
 *
 * Evictions apply here first. If the store cannot be reached they wait in the recovery queue, and no sync counts as
 * confirmation before they have been run: else the node would trust copies it was told to forget.
 *
 * The change counter moves whenever a decision made earlier might no longer hold (a tag invalidated, a partition
 * unverified, confirmation lost). A hit compares one number with it and needs no other check.
 */

import type { BusListener, BusMessage, KeysMessage, TagsMessage } from '../contracts/bus.ts'
import type { CancelTimer, Clock } from '../contracts/clock.ts'
import type {
  EntryAddress,
  EvictRequest,
  MutationReply,
  SyncReply,
} from '../contracts/remote-store.ts'
import type { Emitter } from '../events/events.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { type KeptContext, keepContext, runIn } from '../lifecycle/kept-context.ts'
import type { RemoteTier } from '../remote/remote-tier.ts'
import { createPartitions, PARTITIONS, type Partition } from './partitions.ts'
import { type Reassertion, RecentEvictions } from './recent-evictions.ts'
import { RecoveryQueue } from './recovery-queue.ts'
import { ServerClock } from './server-clock.ts'
import type { Stamp } from './stamp.ts'
import { missingOf, partitionTag, TagClock } from './tag-clock.ts'

/** What coherence tells the cache side to do. */
export interface CoherenceTargets {
  /** Kills flights and deletes (or softens) local entries of these keys, except what already includes `seq`. */
  forget(keys: readonly string[], seq: number, soft?: boolean): void
  /** A lease that this node waits for ended. */
  wake(key: string): void
  /** A sync was answered: the store can be reached. */
  synced?(): void
}

export interface CoherenceParts {
  readonly namespace: string
  readonly remote: RemoteTier | undefined
  readonly clock: Clock
  readonly events: Emitter
  readonly work: BackgroundWork
  readonly targets: CoherenceTargets
  /** The longest life any entry of this node may have, ms; grows as caches are made. */
  readonly longestLifeMs: () => number
}

const NO_GENERATION = -1
const ALL_PARTITIONS: readonly number[] = Array.from({ length: PARTITIONS }, (_, id) => id)
/** Syncs run this often within one maxStaleness, so that one slow or lost sync does not isolate the node. */
const SYNCS_PER_STALENESS = 2.5
const CONCURRENT_CATCH_UPS = 16
/** How far back a catch-up checks that the store still knows the tags that were invalidated, µs. */
const LOOK_BACK_US = 5_000_000
/** A failover is taken to lose no more than the last minute of tag invalidations, µs. */
const LOST_WITHIN_US = 60_000_000

export class Coherence {
  readonly tags: TagClock
  readonly server = new ServerClock()
  readonly queue: RecoveryQueue
  readonly #parts: CoherenceParts
  /** Connections, polls and what they lead to outlive the call that happens to start them, and are none of its context. */
  readonly #context: KeptContext = keepContext()
  readonly #partitions = createPartitions()
  readonly #recent = new RecentEvictions()
  /** The last stamp of each partition. */
  readonly #stamps: (Stamp | undefined)[] = ALL_PARTITIONS.map(() => undefined)
  /** Partitions moved by messages or replies since the running sync was sent. */
  readonly #advanced = new Set<number>()
  #confirmedAt = Number.NEGATIVE_INFINITY
  #changes = 0
  #tagsVerifiedAt = Number.NEGATIVE_INFINITY
  #pollMs = Number.POSITIVE_INFINITY
  #cancelPoll: CancelTimer | undefined
  #syncing: Promise<void> | undefined
  #syncAgain = false
  #catchingUpTags = false
  #isVerified = false
  #isStarted = false
  #isClosed = false

  constructor(parts: CoherenceParts, queue = new RecoveryQueue()) {
    this.#parts = parts
    this.queue = queue
    this.tags = new TagClock(() => this.#changed())
    if (this.isAlone) this.#confirmedAt = Number.POSITIVE_INFINITY
  }

  /** Moves whenever an earlier verdict on an entry might no longer hold. */
  get changes(): number {
    return this.#changes
  }

  /** When the store last confirmed every partition and the tag clock, monotonic ms. */
  get confirmedAt(): number {
    return this.#confirmedAt
  }

  /** True when there is no remote tier: nothing outside this process can change anything. */
  get isAlone(): boolean {
    return this.#parts.remote === undefined
  }

  /** When the store last confirmed the tag clock, without which its entries cannot be judged, monotonic ms. */
  get tagsVerifiedAt(): number {
    return this.#tagsVerifiedAt
  }

  /**
   * Tells whether an entry of the store can be judged: by a tag clock that is at most `maxStalenessMs` behind. An older one
   * would let pass what was invalidated by tags meanwhile.
   */
  canJudge(maxStalenessMs: number): boolean {
    if (this.isAlone) return true
    const isLate = this.#parts.clock.now() - this.#tagsVerifiedAt >= maxStalenessMs
    return this.tags.confirmed > 0 && !isLate
  }

  /** Takes down what a read or load that begins now stands on. Must be called before it begins. */
  stamp(partition: number): Stamp {
    const state = this.#partition(partition)
    const generation = this.isAlone || state.isKnown ? state.generation : NO_GENERATION
    const last = this.#stamps[partition]
    const isLevel =
      last !== undefined &&
      last.seq === state.seq &&
      last.changes === this.#changes &&
      last.birth === this.tags.now &&
      last.generation === generation
    if (isLevel) return last
    const stamp = {
      partition,
      birth: this.tags.now,
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
    return Math.min(this.#tagsVerifiedAt, this.#partition(partition).verifiedAt)
  }

  /** Tells whether the partition's history has gone on without a break since the stamp: its word still counts. */
  isLevel(stamp: Stamp): boolean {
    return stamp.generation === this.#partition(stamp.partition).generation
  }

  /** Asks for syncs often enough for entries that may be `maxStalenessMs` behind at most. */
  requireStaleness(maxStalenessMs: number): void {
    const pollMs = maxStalenessMs / SYNCS_PER_STALENESS
    if (pollMs >= this.#pollMs) return
    this.#pollMs = pollMs
    if (this.#isStarted) this.#schedulePoll()
  }

  /** Opens store and bus at the first need; resolves when the first sync has ended, well or badly. Never rejects. */
  async start(): Promise<void> {
    this.#open()
    if (!this.isAlone && this.tags.confirmed === 0) await this.#syncing
  }

  /** The same, and sees to it that entries of the store can be judged, if that is possible now. Never rejects. */
  async prepareToJudge(maxStalenessMs: number): Promise<void> {
    await this.start()
    if (!this.canJudge(maxStalenessMs)) await (this.#syncing ?? this.sync())
  }

  #open(): void {
    const { remote, namespace } = this.#parts
    if (remote === undefined || this.#isClosed || this.#isStarted) return
    this.#isStarted = true
    runIn(this.#context, () => {
      remote.store.open(namespace)
      remote.store.bus?.subscribe(namespace, this.#listener())
      void this.sync()
    })
  }

  /** Runs a sync, or joins the one under way and has another follow it. Never rejects. */
  sync(): Promise<void> {
    if (this.#isClosed || this.#parts.remote === undefined) return Promise.resolve()
    if (this.#syncing !== undefined) {
      this.#syncAgain = true
      return this.#syncing
    }
    const run = runIn(this.#context, () => this.#syncOnce()).finally(() => {
      this.#syncing = undefined
      this.#schedulePoll()
      if (this.#syncAgain) {
        this.#syncAgain = false
        void this.sync()
      }
    })
    this.#syncing = run
    return run
  }

  /**
   * Evicts keys: here, in the store and, through it, everywhere. Resolves when the store did it.
   *
   * @throws what the store failed with; the eviction then waits in the recovery queue.
   */
  async evict(addresses: readonly EntryAddress[], request: EvictRequest): Promise<void> {
    const { remote, targets, clock } = this.#parts
    const keys = addresses.map((address) => address.key)
    targets.forget(keys, Number.POSITIVE_INFINITY, request.soft)
    if (remote === undefined) return
    await this.start()
    this.#recent.note(addresses, clock.now())
    try {
      const replies = await remote.evict(addresses, request)
      for (const reply of replies) this.applyMutation(reply, keysOf(addresses, reply.partition))
      await this.#publishEvictions(replies, addresses)
    } catch (error) {
      this.#enqueue(addresses)
      throw error
    } finally {
      // Again: a read that started between the first delete and the store's step may have brought the old value back.
      targets.forget(keys, Number.POSITIVE_INFINITY, request.soft)
    }
  }

  /**
   * Invalidates tags (table names, see tag-clock.ts): here, in the store and, through it, everywhere.
   *
   * @throws what the store failed with; the invalidation then waits in the recovery queue.
   */
  async evictTags(tags: readonly string[]): Promise<void> {
    const { remote } = this.#parts
    this.tags.invalidateHere(tags)
    if (remote === undefined) return
    await this.start()
    try {
      await this.#bump(tags)
    } catch (error) {
      this.tags.invalidateHere(this.queue.addTags(tags))
      this.#queued()
      throw error
    }
  }

  /** Takes a mutation of our own into account, like the message that will follow it. */
  applyMutation(reply: MutationReply, keys: readonly string[]): void {
    this.#applyKeys({
      kind: 'keys',
      partition: reply.partition,
      previous: reply.previous,
      seq: reply.seq,
      keys,
    })
  }

  /** Publishes a mutation for stores that do not publish themselves. */
  async publish(message: BusMessage): Promise<void> {
    const { remote } = this.#parts
    if (remote === undefined || remote.store.capabilities.publishes) return
    await remote.store.bus?.publish?.(message)
  }

  /** Remembers a write of our own, to be asserted again if the store forgets it. */
  noteOwnWrite(address: EntryAddress): void {
    this.#recent.note([address], this.#parts.clock.now())
  }

  /** Queues evictions that could not be run. */
  enqueue(addresses: readonly EntryAddress[]): void {
    this.#enqueue(addresses)
  }

  close(): void {
    this.#isClosed = true
    this.#cancelPoll?.()
  }

  async #syncOnce(): Promise<void> {
    const { remote, clock } = this.#parts
    if (remote === undefined) return
    try {
      await this.#drainQueue()
      const sentAt = clock.now()
      this.#advanced.clear()
      const reply = await remote.run('sync', (store) => store.sync(ALL_PARTITIONS))
      this.server.note(reply.nowMs, sentAt, clock.now())
      await this.#confirmTags(reply, sentAt)
      await this.#confirmPartitions(reply, sentAt)
      this.#parts.targets.synced?.()
    } catch {
      // Already reported by the remote tier. Not confirming is all there is to do.
    }
    this.#reportState()
  }

  async #confirmTags(reply: SyncReply, sentAt: number): Promise<void> {
    const head = reply.tags
    if (head === undefined) return
    if (this.tags.isAhead(head)) await this.#assertTags(head.version)
    if (head.version > this.tags.confirmed || head.floor > this.tags.floor) {
      if (this.tags.confirmed > 0 && !this.#catchingUpTags) this.#reportGap('tags', 'behind', true)
      await this.#catchUpTags()
    }
    // What was queued meanwhile has not reached the store: nothing is confirmed before it has.
    if (this.queue.size === 0) this.#tagsVerifiedAt = sentAt
  }

  async #confirmPartitions(reply: SyncReply, sentAt: number): Promise<void> {
    const behind: Partition[] = []
    for (const partition of this.#partitions) {
      const head = reply.heads[partition.id]
      if (head === undefined) continue
      const found = partition.compare(head)
      if (found === 'unknown') partition.restart(head)
      // A message applied while the sync was under way makes the head the older knowledge. What was applied follows
      // on what was there when the sync was sent without a gap, so it includes the head.
      const isOlder = found === 'history-lost' && this.#advanced.has(partition.id)
      if (found === 'history-lost' && !isOlder) await this.#loseHistory(partition, head)
      if (found === 'behind') behind.push(partition)
      else if (!isOlder || partition.seq === partition.heard) partition.verifiedAt = sentAt
    }
    while (behind.length > 0) {
      const batch = behind.splice(0, CONCURRENT_CATCH_UPS)
      await Promise.all(
        batch.map(async (partition) => {
          if (await this.#catchUp(partition, 'behind')) partition.verifiedAt = sentAt
        }),
      )
    }
    this.#confirm()
  }

  async #drainQueue(): Promise<void> {
    const { remote, events, clock } = this.#parts
    if (remote === undefined || this.queue.size === 0) return
    const waiting = this.queue.waiting()
    if (waiting.tags.length > 0) await this.#bump(waiting.tags.map((item) => item.tag))
    if (waiting.keys.length > 0) {
      const replies = await remote.evict(waiting.keys, { soft: false, settleMs: 0 })
      // The store knows of them since now, not since they were asked for.
      this.#recent.note(waiting.keys, clock.now())
      for (const reply of replies) this.applyMutation(reply, keysOf(waiting.keys, reply.partition))
      await this.#publishEvictions(replies, waiting.keys)
    }
    this.queue.settle(waiting)
    events.emit('recovery-queue', { waiting: this.queue.size, escalated: this.queue.escalated })
  }

  async #bump(tags: readonly string[]): Promise<void> {
    const { remote, longestLifeMs } = this.#parts
    if (remote === undefined) return
    const bump = await remote.run('bump-tags', (store) =>
      store.bumpTags(tags, this.tags.confirmed, longestLifeMs()),
    )
    await this.publish({ kind: 'tags', ...bump, tags })
    if (this.tags.applyBump(tags, bump) === 'gap') await this.#catchUpTags()
  }

  async #publishEvictions(
    replies: readonly MutationReply[],
    addresses: readonly EntryAddress[],
  ): Promise<void> {
    for (const { partition, previous, seq } of replies) {
      const keys = keysOf(addresses, partition)
      await this.publish({ kind: 'keys', partition, previous, seq, keys })
    }
  }

  #listener(): BusListener {
    const { events } = this.#parts
    return {
      onMessage: (message) => this.#receive(message),
      onUp: () => {
        events.emit('bus', { state: 'up', reason: undefined })
        void this.sync()
      },
      onDoubt: () => void this.sync(),
      onDown: (reason) => events.emit('bus', { state: 'down', reason }),
      // Whatever it was meant to say, the next sync finds out.
      onGarbage: () => this.#reportGap('tags', 'gap', false),
    }
  }

  #receive(message: BusMessage): void {
    if (this.#isClosed) return
    if (message.kind === 'wake') this.#parts.targets.wake(message.key)
    else if (message.kind === 'keys') this.#applyKeys(message)
    else if (message.kind === 'tags') this.#applyTags(message)
  }

  #applyKeys(message: KeysMessage): void {
    const { targets, events, work } = this.#parts
    const partition = this.#partitions[message.partition]
    if (partition === undefined) return
    targets.forget(message.keys, message.seq)
    for (const key of message.keys) targets.wake(key)
    if (events.has('invalidated')) events.emit('invalidated', { keys: message.keys, tags: [] })
    const fit = partition.advance(message.previous, message.seq)
    if (fit === 'applied' || fit === 'gap') this.#advanced.add(partition.id)
    if (fit === 'gap') work.run('catch-up', this.#catchUp(partition, 'gap'))
    if (fit === 'history-lost') work.run('catch-up', this.#loseHistory(partition, message.seq))
  }

  #applyTags(message: TagsMessage): void {
    const { events, work } = this.#parts
    const fit = this.tags.applyBump(message.tags, message)
    if (events.has('invalidated')) events.emit('invalidated', { keys: [], tags: message.tags })
    if (fit !== 'gap' || this.#catchingUpTags) return
    this.#reportGap('tags', 'gap', true)
    work.run('catch-up', this.#catchUpTags())
  }

  /** Reads what was missed from the log; false when another catch-up is under way or the log could not tell. */
  async #catchUp(partition: Partition, cause: 'gap' | 'behind'): Promise<boolean> {
    const { remote, targets } = this.#parts
    if (remote === undefined || partition.catchingUp) return false
    partition.catchingUp = true
    try {
      const from = partition.seq
      const { heard } = partition
      const changes = await remote.run('changes-since', (store) =>
        store.changesSince(partition.id, from),
      )
      if (changes.kind === 'unknown' || changes.seq < heard) {
        await this.#loseHistory(partition, changes.seq)
        return true
      }
      targets.forget(changes.keys, changes.seq)
      for (const key of changes.keys) targets.wake(key)
      partition.seq = Math.max(partition.seq, changes.seq)
      this.#reportGap(partition.id, cause, true)
      return true
    } finally {
      partition.catchingUp = false
    }
  }

  async #catchUpTags(): Promise<void> {
    const { remote } = this.#parts
    if (remote === undefined) return
    this.#catchingUpTags = true
    try {
      // From somewhat before what is known, to see whether the store still knows it.
      const known = this.tags.confirmed
      const from = Math.max(0, known - LOOK_BACK_US)
      const last = this.tags.since(from)
      const changes = await remote.run('tags-since', (store) => store.tagsSince(from))
      this.tags.applyChanges(changes)
      if (missingOf(last, changes).length > 0) {
        await this.#assertTags(Math.max(0, known - LOST_WITHIN_US))
      }
    } finally {
      this.#catchingUpTags = false
    }
  }

  /**
   * The store lost tag invalidations: those after `since` that it no longer knows are invalidated anew, once for all nodes.
   * Under new versions, because nobody who stands at the store's clock looks for older ones.
   */
  async #assertTags(since: number): Promise<void> {
    const { remote } = this.#parts
    if (remote === undefined) return
    this.#reportGap('tags', 'history-lost', true)
    const changes = await remote.run('tags-since', (store) => store.tagsSince(since))
    const lost = missingOf(this.tags.since(since), changes)
    // Never the clock alone: a store that stands at our number is taken to know what led there.
    if (lost.length > 0) await this.#bump(lost)
  }

  /** The store no longer has, or never had, the history this node knows: doubt everything of the partition. */
  async #loseHistory(partition: Partition, seq: number): Promise<void> {
    partition.restart(seq)
    this.#changed()
    this.#reportGap(partition.id, 'history-lost', false)
    const own = this.#recent.of(partition.id, this.#parts.clock.now())
    try {
      await this.#assertAgain(partition, own)
    } catch (error) {
      // The partition has started over, so no sync will find the loss a second time: the queue has to remember it.
      if (own.wholePartition) {
        const tags = [partitionTag(partition.id)]
        this.tags.invalidateHere([...tags, ...this.queue.addTags(tags)])
      }
      this.#enqueue(own.addresses)
      throw error
    }
  }

  /** Repeats what this node evicted lately. */
  async #assertAgain(partition: Partition, own: Reassertion): Promise<void> {
    const { remote } = this.#parts
    if (own.wholePartition) await this.#bump([partitionTag(partition.id)])
    if (own.addresses.length === 0 || remote === undefined) return
    const replies = await remote.evict(own.addresses, { soft: false, settleMs: 0 })
    for (const reply of replies) this.applyMutation(reply, keysOf(own.addresses, reply.partition))
  }

  #enqueue(addresses: readonly EntryAddress[]): void {
    for (const address of addresses) {
      const coarser = this.queue.addKey(address)
      if (coarser.length > 0) this.tags.invalidateHere(coarser)
    }
    this.#queued()
  }

  #queued(): void {
    const { events } = this.#parts
    // Waiting evictions mean that the store's copies are not to be believed: nothing is confirmed until they ran.
    this.#tagsVerifiedAt = Number.NEGATIVE_INFINITY
    this.#confirm()
    events.emit('recovery-queue', { waiting: this.queue.size, escalated: this.queue.escalated })
    this.#reportState()
    this.#schedulePoll()
  }

  #schedulePoll(): void {
    this.#cancelPoll?.()
    if (this.#isClosed || !this.#isStarted) return
    const base = Number.isFinite(this.#pollMs) ? this.#pollMs : 800
    // Jitter, so that the nodes of a fleet do not poll in step.
    const delay = base * (0.75 + Math.random() / 4)
    this.#cancelPoll = runIn(this.#context, () =>
      this.#parts.clock.schedule(delay, () => void this.sync(), 'background'),
    )
  }

  #reportState(): void {
    const isVerified = this.#tagsVerifiedAt > Number.NEGATIVE_INFINITY && this.queue.size === 0
    if (isVerified === this.#isVerified) return
    this.#isVerified = isVerified
    this.#parts.events.emit('coherence', { state: isVerified ? 'verified' : 'isolated' })
  }

  #reportGap(
    partition: number | 'tags',
    cause: 'gap' | 'behind' | 'history-lost',
    recovered: boolean,
  ): void {
    this.#parts.events.emit('bus-gap', { partition, cause, recovered })
  }

  #changed(): void {
    this.#changes += 1
  }

  /** Works out the oldest confirmation of all, which the hit path compares with. */
  #confirm(): void {
    let oldest = this.#tagsVerifiedAt
    for (const partition of this.#partitions) {
      if (partition.verifiedAt < oldest) oldest = partition.verifiedAt
    }
    this.#confirmedAt = oldest
  }

  #partition(id: number): Partition {
    const partition = this.#partitions[id]
    if (partition === undefined) throw new RangeError(`No partition ${id}`)
    return partition
  }
}

function keysOf(addresses: readonly EntryAddress[], partition: number): readonly string[] {
  return addresses.filter((address) => address.partition === partition).map(({ key }) => key)
}
