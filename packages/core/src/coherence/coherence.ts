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

import type {
  BusListener,
  BusMessage,
  DoubtMessage,
  KeysMessage,
  TagsMessage,
} from '../contracts/bus.ts'
import type { CancelTimer, Clock } from '../contracts/clock.ts'
import type {
  EntryAddress,
  EvictRequest,
  MutationReply,
  PartitionChanges,
  PutReply,
  SyncReply,
} from '../contracts/remote-store.ts'
import { StoreRefusedError } from '../errors/store-error.ts'
import type { Emitter } from '../events/events.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import { type KeptContext, keepContext, runIn } from '../lifecycle/kept-context.ts'
import type { RemoteTier } from '../remote/remote-tier.ts'
import { Doubts } from './doubts.ts'
import { EvictionQueued } from './eviction-queued.ts'
import { Fuse } from './fuse.ts'
import {
  isMissing,
  type OwnChange,
  OwnChanges,
  REMEMBERED_MS,
  type Repetition,
  type Written,
} from './own-changes.ts'
import { ALL_PARTITIONS, createPartitions, type Partition } from './partitions.ts'
import { groupsOf, RecoveryQueue, type WaitingEvictions } from './recovery-queue.ts'
import { ServerClock } from './server-clock.ts'
import { SleepWatch } from './sleep-watch.ts'
import { tagBehind } from './soft-tags.ts'
import type { Stamp } from './stamp.ts'
import { missingOf, NOTHING, partitionTag, TagClock } from './tag-clock.ts'

/** What coherence tells the cache side to do. */
export interface CoherenceTargets {
  /** Kills flights and deletes (or softens) local entries of these keys, except what already includes `seq`. */
  forget(keys: readonly string[], seq: number, soft?: boolean): void
  /** Opens settle windows. */
  settle(keys: readonly string[], settleMs: number): void
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
const HARD: EvictRequest = { soft: false, settleMs: 0 }
const NO_KEYS: readonly string[] = []
/** No cache has this key: it begins with a colon. */
const NO_KEY = ':'
const NO_TAGS: readonly string[] = []
/** Syncs run this often within one maxStaleness, so that one slow or lost sync does not isolate the node. */
const SYNCS_PER_STALENESS = 2.5
const CONCURRENT_CATCH_UPS = 16
/** How far back a catch-up checks that the store still knows the tags that were invalidated, µs. */
const LOOK_BACK_US = 5_000_000
/** How far back lost tags are looked for at first, µs, and by how much further where even the oldest is missing. */
const LOST_WITHIN_US = 60_000_000
const FURTHER = 10
/** A partition's tag that is so much younger than what was heard of the partition was invalidated after a loss, µs. */
const AFTER_LOSS_US = 5_000_000
/** With evictions waiting, the store is tried at least this often, ms. */
const TRY_EVERY_MS = 800
/** A read waits for so many syncs at most: a process begins with several connections, and each that comes up asks for one. */
const SYNCS_PER_READ = 4
/** Messages that do not fit make this node ask the store, but not more often than this, ms. */
const SUSPICION_EVERY_MS = 200
/** After a message about tags that the store knew nothing of, the next ones wait for a sync, ms. */
const HEARSAY_MS = 5_000
/** So many keys go to the store in one call. */
const KEYS_PER_CALL = 1_000

/** A sync under way. */
interface SentSync {
  readonly at: number
  /** What `trustedSince` was then. */
  readonly since: number
}

/** A partition whose history the store no longer has, and where that stands now. */
interface LostHistory {
  readonly partition: Partition
  readonly head: number
}

export class Coherence {
  readonly tags: TagClock
  readonly server = new ServerClock()
  readonly queue: RecoveryQueue
  readonly #parts: CoherenceParts
  /** Connections, polls and what they lead to outlive the call that happens to start them, and are none of its context. */
  readonly #context: KeptContext = keepContext()
  readonly #partitions = createPartitions()
  readonly #own = new OwnChanges()
  readonly #doubts = new Doubts()
  readonly #fuse = new Fuse()
  readonly #sleep: SleepWatch
  /** The last stamp of each partition. */
  readonly #stamps: (Stamp | undefined)[] = ALL_PARTITIONS.map(() => undefined)
  /** Partitions moved by messages or replies since the running sync was sent. */
  readonly #advanced = new Set<number>()
  #confirmedAt = Number.NEGATIVE_INFINITY
  #changes = 0
  #trustedSince = 0
  #tagsVerifiedAt = Number.NEGATIVE_INFINITY
  /** The store's clock at the last sync, ms: whatever it held by then was born at the tag clock of then or before. */
  #syncedStoreMs = Number.NEGATIVE_INFINITY
  /** Counts what suggests that the store is not what it was (a reconnect, a failover), and up to which a sync has looked. */
  #reconnects = 0
  #reconnectsSeen = 0
  /** The store was there for what waits, and refused it. */
  #isRefused = false
  /** How many syncs were answered. */
  #answered = 0
  #suspectedAt = Number.NEGATIVE_INFINITY
  #hearsayUntil = Number.NEGATIVE_INFINITY
  #cancelSuspicion: CancelTimer | undefined
  #pollMs = Number.POSITIVE_INFINITY
  #cancelPoll: CancelTimer | undefined
  #syncing: Promise<void> | undefined
  #syncAgain = false
  #catchingUpTags = false
  /** Where the clock stood when a look for lost tags began that has not ended. */
  #tagsInQuestion = Number.POSITIVE_INFINITY
  #isVerified = false
  #isStarted = false
  #isClosed = false

  constructor(parts: CoherenceParts, queue = new RecoveryQueue()) {
    this.#parts = parts
    this.queue = queue
    this.#sleep = new SleepWatch(parts.clock)
    this.tags = new TagClock(() => this.#changed())
    if (this.isAlone) this.#confirmedAt = Number.POSITIVE_INFINITY
  }

  /** Moves whenever an earlier verdict on an entry might no longer hold. */
  get changes(): number {
    return this.#changes
  }

  /** The change counter after the machine last slept: how long ago something was that is older, nobody knows. */
  get trustedSince(): number {
    return this.#trustedSince
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
   * would let pass what was invalidated by tags meanwhile. And not after a reconnect before the first sync: the store may
   * have been restored from an old snapshot, with values that were evicted long ago.
   */
  canJudge(maxStalenessMs: number): boolean {
    if (this.isAlone) return true
    if (this.#reconnects !== this.#reconnectsSeen) return false
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
    for (let i = 0; i < SYNCS_PER_READ && !this.canJudge(maxStalenessMs); i++) {
      const answered = this.#answered
      await (this.#syncing ?? this.sync())
      // Where the store answers, another connection came up meanwhile, and the sync was too early to tell of it.
      if (this.#answered === answered) return
    }
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
    this.#lookForSleep()
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
   * @throws EvictionQueued with what the store failed with; what it did not evict then waits in the recovery queue.
   */
  async evict(addresses: readonly EntryAddress[], request: EvictRequest): Promise<void> {
    const { remote, targets, clock } = this.#parts
    const keys = addresses.map((address) => address.key)
    targets.forget(keys, Number.POSITIVE_INFINITY, request.soft)
    if (remote === undefined) return
    const askedAt = clock.now()
    await this.start()
    const outcomes = await Promise.allSettled(
      chunksOf(addresses).map((chunk) => this.#evictChunk(chunk, request, askedAt)),
    )
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  async #evictChunk(
    addresses: readonly EntryAddress[],
    request: EvictRequest,
    askedAt: number,
  ): Promise<void> {
    try {
      await this.#evictInStore(addresses, request)
    } catch (error) {
      // Again: a read that started after the first delete may have brought the old value back. Where the store has done it,
      // its number tells what is older, which a put that came after this eviction is not.
      const keys = addresses.map(({ key }) => key)
      this.#parts.targets.forget(keys, Number.POSITIVE_INFINITY, request.soft)
      if (error instanceof EvictionQueued) this.#enqueue(addresses, request, askedAt)
      throw error
    }
  }

  /** @throws EvictionQueued for what the store fails with, and for nothing else; it is for the caller to queue. */
  async #evictInStore(addresses: readonly EntryAddress[], request: EvictRequest): Promise<void> {
    const { remote, clock } = this.#parts
    if (remote === undefined) return
    const asQueued = (error: unknown): never => {
      remote.reportDefect('evict', error)
      throw new EvictionQueued(error)
    }
    // A `set` that was given up, here or elsewhere, may arrive yet.
    const replies = await remote.evict(addresses, { ...request, voids: true }).catch(asQueued)
    for (const reply of replies) {
      const evicted = addresses.filter(({ partition }) => partition === reply.partition)
      const { soft: isSoft, settleMs } = request
      const window = settleMs > 0 ? { settleUntil: clock.now() + settleMs } : {}
      const change = { ...this.#changeOf(reply), isSoft, ...window }
      for (const address of evicted) this.#own.note(address, { ...change })
      const message = keysMessage(
        reply,
        evicted.map(({ key }) => key),
        request,
      )
      this.#applyKeys(message)
      await this.publish(message).catch(asQueued)
    }
  }

  /**
   * Invalidates tags (table names, see tag-clock.ts): here, in the store and, through it, everywhere.
   *
   * @throws EvictionQueued with what the store failed with; the invalidation then waits in the recovery queue.
   */
  async evictTags(tags: readonly string[]): Promise<void> {
    const { remote } = this.#parts
    this.tags.invalidateHere(tags)
    if (remote === undefined) return
    await this.start()
    try {
      await this.#bump(tags)
    } catch (error) {
      remote.reportDefect('bump-tags', error)
      this.tags.invalidateHere(this.queue.addTags(tags))
      this.#tellDoubt({ keys: NO_KEYS, tags, isRepeated: false })
      this.#queued()
      throw new EvictionQueued(error)
    }
  }

  /** Takes a mutation of our own into account, like the message that will follow it. */
  applyMutation(reply: MutationReply, keys: readonly string[]): void {
    this.#applyKeys(keysMessage(reply, keys, HARD))
  }

  /** Publishes a mutation for stores that do not publish themselves. */
  async publish(message: BusMessage): Promise<void> {
    const { remote } = this.#parts
    if (remote === undefined || remote.store.capabilities.publishes) return
    await remote.store.bus?.publish?.(message)
  }

  /** Remembers a put of our own, for when the store forgets it. */
  noteOwnPut(address: EntryAddress, commit: number, reply: PutReply): void {
    const change = this.#changeOf(reply)
    this.#own.note(address, reply.stored ? { ...change, commit } : change)
  }

  #changeOf({ partition, seq, nowMs }: MutationReply): OwnChange {
    const state = this.#partition(partition)
    // Where something later was heard of before this reply came, it may have been about the same key.
    const isSuperseded = this.#hasSequences && state.heard > seq
    const doneAt = state.noteTime(nowMs)
    return { at: this.#parts.clock.now(), seq, doneAt, isSoft: false, isSuperseded }
  }

  /** Remembers that the store took a load of our own, begun after whatever was changed here before. */
  noteOwnFill(address: EntryAddress, commit: number, nowMs: number): void {
    this.#partition(address.partition).noteTime(nowMs)
    this.#own.noteWrite(address, commit)
  }

  /**
   * True while the store's copy of the key is known to be wrong: an eviction of it waits, here or on a node that said so.
   */
  isInDoubt(key: string): boolean {
    return this.queue.hasKey(key) || this.#doubts.hasKey(key, this.#parts.clock.now())
  }

  /**
   * Tells whether an entry that was read from the store comes from a history that was lost: it is older than this node's
   * own change of it, or was born above what the store's tag clock stood at later.
   */
  isOutlived(address: EntryAddress, birth: number, written: Written): boolean {
    if (birth > this.tags.confirmed && written.createdAt < this.#syncedStoreMs) return true
    // Without a history there is no clock but the nodes', which order nothing.
    if (!this.#hasSequences) return false
    return this.#own.overtook(address, written, this.#parts.clock.now())
  }

  /** Queues evictions that could not be run. */
  enqueue(addresses: readonly EntryAddress[]): void {
    this.#enqueue(addresses)
  }

  close(): void {
    this.#isClosed = true
    this.#cancelPoll?.()
    this.#cancelSuspicion?.()
  }

  async #syncOnce(): Promise<void> {
    const { remote, clock } = this.#parts
    if (remote === undefined) return
    try {
      await this.#drainQueue()
      const sent = { at: clock.now(), since: this.#trustedSince }
      const reconnects = this.#reconnects
      this.#advanced.clear()
      const reply = await remote.run('sync', (store) => store.sync(ALL_PARTITIONS))
      this.#answered += 1
      this.#lookForSleep()
      if (this.#isStillAwake(sent)) {
        this.server.note(reply.nowMs, sent.at, clock.now())
        await this.#confirmTags(reply, sent)
        if (await this.#confirmPartitions(reply, sent)) this.#reconnectsSeen = reconnects
        this.#parts.targets.synced?.()
      } else {
        // The reply may be as old as the sleep was long.
        this.#syncAgain = true
      }
    } catch (error) {
      // Not confirming is all there is to do.
      remote.reportDefect('sync', error)
    }
    this.#reportState()
  }

  /** After a sleep nothing that was known counts, neither confirmations nor the age of what was read or loaded. */
  #lookForSleep(): void {
    if (!this.#sleep.hasSlept()) return
    for (const partition of this.#partitions) partition.doubt()
    this.#tagsVerifiedAt = Number.NEGATIVE_INFINITY
    // Like after a reconnect: nothing of the store can be judged before the next sync.
    this.#reconnects += 1
    this.#changed()
    this.#trustedSince = this.#changes
    this.#confirm()
    this.#reportState()
  }

  #isStillAwake({ since }: SentSync): boolean {
    return since === this.#trustedSince
  }

  async #confirmTags(reply: SyncReply, sent: SentSync): Promise<void> {
    const head = reply.tags
    if (head === undefined) return
    if (this.tags.isAhead(head)) await this.#invalidateLost(head.version)
    const isInQuestion = this.#tagsInQuestion !== Number.POSITIVE_INFINITY
    if (isInQuestion || head.version > this.tags.confirmed || head.floor > this.tags.floor) {
      if (this.tags.confirmed > 0 && !this.#catchingUpTags) this.#reportGap('tags', 'behind', true)
      await this.#catchUpTags()
    }
    // What was queued meanwhile has not reached the store: nothing is confirmed before it has.
    if (this.queue.size === 0 && this.#isStillAwake(sent)) this.#tagsVerifiedAt = sent.at
    this.#syncedStoreMs = reply.nowMs
  }

  /** Returns whether whatever was lost has been seen to. */
  async #confirmPartitions(reply: SyncReply, sent: SentSync): Promise<boolean> {
    const behind: Partition[] = []
    const lost: LostHistory[] = []
    const confirm = (partition: Partition): void => {
      if (!this.#isStillAwake(sent)) return
      partition.verifiedAt = sent.at
      partition.mark(sent.at)
    }
    for (const partition of this.#partitions) {
      const head = this.#hasSequences ? reply.heads[partition.id] : undefined
      if (head === undefined) continue
      const found = partition.compare(head)
      if (found === 'unknown') partition.restart(head, sent.at)
      // A message applied while the sync was under way makes the head the older knowledge. What was applied follows
      // on what was there when the sync was sent without a gap, so it includes the head.
      const isOlder = found === 'history-lost' && this.#advanced.has(partition.id)
      if (found === 'behind') behind.push(partition)
      else if (found === 'history-lost' && !isOlder) lost.push({ partition, head })
      else if (!isOlder || partition.seq === partition.heard) confirm(partition)
    }
    while (behind.length > 0) {
      const batch = behind.splice(0, CONCURRENT_CATCH_UPS)
      await Promise.all(
        batch.map(async (partition) => {
          const outcome = await this.#catchUp(partition, 'behind')
          if (outcome === 'level') confirm(partition)
          else if (outcome !== 'busy') lost.push({ partition, head: outcome })
        }),
      )
    }
    const isSeenTo = lost.length === 0 || (await this.#loseHistories(lost))
    if (isSeenTo) for (const { partition } of lost) confirm(partition)
    this.#confirm()
    return isSeenTo
  }

  async #drainQueue(): Promise<void> {
    if (this.queue.size === 0) return
    const waiting = this.queue.waiting()
    // A connection may not outlast the refusal, so that afterwards nobody could be told.
    if (this.#isRefused) this.#tellWaiting(waiting)
    try {
      await this.#runWaiting(waiting)
      this.#isRefused = false
    } catch (error) {
      const cause = error instanceof EvictionQueued ? error.cause : error
      if (cause instanceof StoreRefusedError) this.#isRefused = true
      this.#tellWaiting(waiting)
      throw error
    } finally {
      // Also when it failed, each time: whoever watches must see that it goes on.
      this.#reportQueue()
    }
  }

  #tellWaiting({ keys, tags }: WaitingEvictions): void {
    for (const soft of [false, true]) {
      const found = keys.filter((waiting) => waiting.soft === soft)
      const names = found.map(({ key }) => key)
      this.#tellDoubt({ keys: names, tags: NO_TAGS, soft, isRepeated: true })
    }
    this.#tellDoubt({ keys: NO_KEYS, tags: tags.map(({ tag }) => tag), isRepeated: true })
  }

  async #runWaiting({ keys, tags }: WaitingEvictions): Promise<void> {
    if (tags.length > 0) {
      await this.#bump(tags.map((item) => item.tag))
      this.queue.settle({ keys: [], tags })
    }
    for (const { request, members } of groupsOf(keys, this.#parts.clock.now())) {
      for (const chunk of chunksOf(members)) {
        await this.#evictInStore(chunk, request)
        this.queue.settle({ keys: chunk, tags: [] })
      }
    }
  }

  /** Tells the others what the store could not be told. Where even that fails, their own deadlines are all there is. */
  #tellDoubt({ keys, tags, soft = false, isRepeated }: Omit<DoubtMessage, 'kind'>): void {
    const { remote, work } = this.#parts
    const bus = remote?.store.bus
    if (bus?.publish === undefined) return
    const how = soft ? { soft } : {}
    const messages: Omit<DoubtMessage, 'kind' | 'isRepeated'>[] = chunksOf(keys).map((chunk) => ({
      keys: chunk,
      tags: NO_TAGS,
      ...how,
    }))
    if (tags.length > 0) messages.push({ keys: NO_KEYS, tags })
    const sent = messages.map((each) => bus.publish?.({ kind: 'doubt', ...each, isRepeated }))
    work.run('doubt', Promise.allSettled(sent))
  }

  async #bump(tags: readonly string[]): Promise<void> {
    const { remote, longestLifeMs } = this.#parts
    if (remote === undefined) return
    const bump = await remote.run('bump-tags', (store) =>
      // Above every birth of this node, also above those that it gave while it could not ask.
      store.bumpTags(tags, Math.floor(this.tags.now), longestLifeMs()),
    )
    await this.publish({ kind: 'tags', ...bump, tags })
    if (this.tags.applyBump(tags, bump) === 'gap') await this.#catchUpTags()
  }

  #listener(): BusListener {
    const { events } = this.#parts
    return {
      onMessage: (message) => this.#receive(message),
      onUp: () => {
        events.emit('bus', { state: 'up', reason: undefined })
        this.#reconnected()
      },
      onDoubt: () => this.#reconnected(),
      onDown: (reason) => events.emit('bus', { state: 'down', reason }),
      // Whatever it was meant to say, the next sync finds out.
      onGarbage: () => this.#reportGap('tags', 'gap', false),
    }
  }

  /** The store may be another one than before, or stand elsewhere in its history: it is asked before it is believed. */
  #reconnected(): void {
    this.#reconnects += 1
    this.#parts.remote?.mayBeBack()
    void this.sync()
  }

  #receive(message: BusMessage): void {
    if (this.#isClosed) return
    if (message.kind === 'wake') this.#parts.targets.wake(message.key)
    else if (message.kind === 'keys') this.#applyKeys(message)
    else if (message.kind === 'tags') this.#applyTags(message)
    else this.#applyDoubt(message)
  }

  #applyKeys(message: KeysMessage): void {
    const { targets, events, work } = this.#parts
    const partition = this.#partitions[message.partition]
    if (partition === undefined) return
    targets.forget(message.keys, message.seq, message.soft)
    if (message.settleMs !== undefined) targets.settle(message.keys, message.settleMs)
    for (const key of message.keys) targets.wake(key)
    if (events.has('invalidated')) events.emit('invalidated', { keys: message.keys, tags: [] })
    const fit = this.#hasSequences ? partition.advance(message.previous, message.seq) : 'applied'
    if (fit === 'applied') this.#doubts.settle(message.keys, NO_TAGS)
    if (!this.#hasSequences) return
    // Of what has this very number, this is the message.
    if (fit === 'applied' || fit === 'known')
      this.#own.supersede(partition.id, message.keys, message.seq - 1)
    if (fit === 'applied' || fit === 'gap') this.#advanced.add(partition.id)
    if (fit === 'gap') work.run('catch-up', this.#closeGap(partition))
    if (fit === 'history-lost') this.#suspect()
  }

  async #closeGap(partition: Partition): Promise<void> {
    if (typeof (await this.#catchUp(partition, 'gap')) === 'number') this.#suspect()
  }

  /**
   * A message does not fit to what is known. It may be about another store, or come from a history that is over: only a
   * sync tells, and only what a sync found is acted upon. Not at every such message, or those who disagree would keep each
   * other, and the store, busy.
   */
  #suspect(): void {
    const { clock } = this.#parts
    if (this.#cancelSuspicion !== undefined || this.#isClosed) return
    const inMs = this.#suspectedAt + SUSPICION_EVERY_MS - clock.now()
    const ask = (): void => {
      this.#cancelSuspicion = undefined
      this.#suspectedAt = clock.now()
      void this.sync()
    }
    if (inMs <= 0) ask()
    else this.#cancelSuspicion = clock.schedule(inMs, ask, 'background')
  }

  #applyDoubt(message: DoubtMessage): void {
    const { targets, events, clock } = this.#parts
    const { keys: doubted, tags } = this.#doubts.note(message, clock.now())
    const { soft = false } = message
    // What waits here was forgotten here, the way it was asked for.
    const keys = doubted.filter((key) => !this.queue.covers(key, soft))
    if (keys.length > 0) targets.forget(keys, Number.POSITIVE_INFINITY, soft)
    if (tags.length > 0) this.tags.invalidateHere(tags)
    const isNews = keys.length + tags.length > 0
    if (isNews && events.has('invalidated'))
      events.emit('invalidated', { keys, tags: tags.map(tagBehind) })
  }

  #applyTags(message: TagsMessage): void {
    const { events, work, clock } = this.#parts
    const fit = this.tags.applyBump(message.tags, message, true)
    if (fit === 'applied') this.#doubts.settle(NO_KEYS, message.tags)
    if (events.has('invalidated')) {
      events.emit('invalidated', { keys: [], tags: message.tags.map(tagBehind) })
    }
    if (fit !== 'gap' || this.#catchingUpTags) return
    if (clock.now() < this.#hearsayUntil) {
      this.#suspect()
      return
    }
    this.#reportGap('tags', 'gap', true)
    work.run('catch-up', this.#verifyTags(message.version))
  }

  /** Catches up with what a message named. Where the store knows nothing of it, such messages are not run after for a while. */
  async #verifyTags(version: number): Promise<void> {
    await this.#catchUpTags()
    const { clock } = this.#parts
    if (this.tags.confirmed < version) this.#hearsayUntil = clock.now() + HEARSAY_MS
  }

  /**
   * Reads what was missed from the log: `level` when nothing is missing any more, `busy` while another one does it, or the
   * store's position when its history is not the one known here.
   */
  async #catchUp(
    partition: Partition,
    cause: 'gap' | 'behind',
  ): Promise<'level' | 'busy' | number> {
    const { remote, targets } = this.#parts
    if (remote === undefined || partition.catchingUp) return 'busy'
    partition.catchingUp = true
    try {
      const { seq, heard, contested } = partition
      const since = (number: number): Promise<PartitionChanges> =>
        remote.run('changes-since', (store) => store.changesSince(partition.id, number))
      // What was heard of has to be part of the history, too: else a later change would hide that it was lost.
      const unproven = contested ?? (heard > seq ? heard : undefined)
      const [changes, proof] = await Promise.all([
        since(seq),
        unproven === undefined ? undefined : since(unproven),
      ])
      const isForeign = changes.kind === 'unknown' || proof?.kind === 'unknown'
      if (isForeign || changes.seq < heard) return changes.seq
      if (partition.contested === contested) partition.contested = undefined
      targets.forget(changes.keys, changes.seq)
      this.#own.supersede(partition.id, changes.keys, seq)
      for (const key of changes.keys) targets.wake(key)
      this.#doubts.settle(changes.keys, NO_TAGS)
      partition.reach(changes.seq)
      this.#reportGap(partition.id, cause, true)
      return 'level'
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
      const known = Math.min(this.#tagsInQuestion, this.tags.confirmed)
      // Until it has been seen to: what is read here moves the clock on, and no sync would find the loss again.
      this.#tagsInQuestion = known
      const from = Math.max(0, known - LOOK_BACK_US)
      const last = this.tags.since(from)
      const changes = await remote.run('tags-since', (store) => store.tagsSince(from))
      this.tags.applyChanges(changes)
      this.#doubts.settle(
        NO_KEYS,
        changes.tags.map(([tag]) => tag),
      )
      if (missingOf(last, changes).length > 0) await this.#findLostTags(known)
      this.#tagsInQuestion = Number.POSITIVE_INFINITY
    } finally {
      this.#catchingUpTags = false
    }
  }

  /** The store no longer knows the last tags before `known`: looks further back until it finds where the loss began. */
  async #findLostTags(known: number): Promise<void> {
    const { remote } = this.#parts
    if (remote === undefined) return
    for (let backUs = LOST_WITHIN_US; ; backUs *= FURTHER) {
      const from = Math.max(0, known - backUs)
      const mine = this.tags.since(from)
      const lost = new Set(
        missingOf(mine, await remote.run('tags-since', (store) => store.tagsSince(from))),
      )
      const [oldest] = mine.reduce(
        (first, each) => (each[1] < first[1] ? each : first),
        ['', Number.POSITIVE_INFINITY],
      )
      if (from > 0 && lost.has(oldest)) continue
      await this.#invalidateLost(from)
      return
    }
  }

  /**
   * The store lost tag invalidations: those after `since` that it no longer knows are invalidated anew, once for all nodes.
   * Under new versions, because nobody who stands at the store's clock looks for older ones.
   */
  async #invalidateLost(since: number): Promise<void> {
    const { remote } = this.#parts
    if (remote === undefined) return
    this.#reportGap('tags', 'history-lost', true)
    const changes = await remote.run('tags-since', (store) => store.tagsSince(since))
    const lost = missingOf(this.tags.since(since), changes)
    if (lost.length > 0) await this.#bump(lost)
    // With nothing lost, the clock alone went back: it must not mint again what entries were born at.
    else if (changes.version < this.tags.confirmed) await this.#bump([NOTHING])
  }

  /**
   * The store no longer has, or never had, the history this node knows of these: doubts everything of them, and sees to it
   * that what was lost is known again; false when it was done too often lately.
   *
   * What nodes repeat reaches back for a while only. Where the loss reaches further back, nobody knows what was evicted
   * since, and some who knew may be gone: then all entries of the partition count as evicted, for all nodes.
   */
  async #loseHistories(lost: readonly LostHistory[]): Promise<boolean> {
    const now = this.#parts.clock.now()
    if (!this.#fuse.admits(now)) return false
    const repetitions: Repetition['changes'][number][] = []
    const whole: string[] = []
    for (const { partition, head } of lost) {
      const own = this.#own.of(partition.id, now)
      const reachesBack = partition.isSince(head, now - REMEMBERED_MS)
      const tag = partitionTag(partition.id)
      const isDone = this.tags.mintedFor(tag) > partition.heard + AFTER_LOSS_US
      if (reachesBack && !own.wholePartition) repetitions.push(...own.changes)
      else if (!isDone) whole.push(tag)
      partition.restart(head, now)
      this.#reportGap(partition.id, 'history-lost', false)
    }
    this.#changed()
    if (whole.length > 0) this.tags.invalidateHere(whole)
    try {
      if (whole.length > 0) await this.#bump(whole)
      await this.#repeat(repetitions)
    } catch (error) {
      // The partitions have started over, so no sync will find the loss a second time: the queue has to remember it.
      if (whole.length > 0) this.tags.invalidateHere(this.queue.addTags(whole))
      this.#enqueue(repetitions.map(({ address }) => address))
      throw error
    }
    return true
  }

  /** Evicts again what this node changed lately, except where somebody has written a newer value since. */
  async #repeat(changes: Repetition['changes']): Promise<void> {
    const { remote } = this.#parts
    if (remote === undefined) return
    for (const chunk of chunksOf(changes)) {
      const addresses = chunk.map(({ address }) => address)
      const held = await remote.run('read-headers', (store) => store.readHeaders(addresses))
      const missing = chunk.filter(({ change }, i) => isMissing(change, held[i]))
      await this.#markLoss(chunk.filter((each) => !missing.includes(each)))
      if (missing.length === 0) continue
      let settleMs = 0
      const now = this.#parts.clock.now()
      for (const { change } of missing) {
        settleMs = Math.max(settleMs, (change.settleUntil ?? now) - now)
      }
      await this.#evictInStore(
        missing.map(({ address }) => address),
        { soft: false, settleMs },
      )
    }
  }

  /**
   * What need not be repeated leaves no trace in the log, though it was lost: another loss that goes back to the same place,
   * and takes the newer value with it, could not be noticed. So the partitions' numbers are moved by evicting a key of nobody.
   */
  async #markLoss(newer: Repetition['changes']): Promise<void> {
    const partitions = new Set(newer.map(({ address }) => address.partition))
    const marks = [...partitions].map((partition) => ({ partition, key: NO_KEY }))
    if (marks.length > 0) await this.#evictInStore(marks, HARD)
  }

  #enqueue(
    addresses: readonly EntryAddress[],
    { soft, settleMs }: EvictRequest = HARD,
    askedAt = this.#parts.clock.now(),
  ): void {
    const settleUntil = settleMs > 0 ? askedAt + settleMs : Number.NEGATIVE_INFINITY
    for (const address of addresses) {
      const coarser = this.queue.addKey(address, { soft, settleUntil })
      if (coarser.length > 0) this.tags.invalidateHere(coarser)
    }
    const keys = addresses.map(({ key }) => key)
    this.#tellDoubt({ keys, tags: NO_TAGS, soft, isRepeated: false })
    this.#queued()
  }

  #queued(): void {
    // Waiting evictions mean that the store's copies are not to be believed: nothing is confirmed until they ran.
    this.#tagsVerifiedAt = Number.NEGATIVE_INFINITY
    this.#confirm()
    this.#reportQueue()
    this.#reportState()
    this.#schedulePoll()
  }

  #reportQueue(): void {
    const { size, escalated } = this.queue
    this.#parts.events.emit('recovery-queue', { waiting: size, escalated })
  }

  #schedulePoll(): void {
    this.#cancelPoll?.()
    if (this.#isClosed || !this.#isStarted) return
    const mostMs =
      this.queue.size > 0 || !Number.isFinite(this.#pollMs) ? TRY_EVERY_MS : this.#pollMs
    const base = Math.min(this.#pollMs, mostMs)
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

  get #hasSequences(): boolean {
    return this.#parts.remote?.store.capabilities.sequences === true
  }

  #partition(id: number): Partition {
    const partition = this.#partitions[id]
    if (partition === undefined) throw new RangeError(`No partition ${id}`)
    return partition
  }
}

function keysMessage(
  { partition, previous, seq }: MutationReply,
  keys: readonly string[],
  { soft, settleMs }: EvictRequest,
): KeysMessage {
  return {
    kind: 'keys',
    partition,
    previous,
    seq,
    keys,
    ...(soft ? { soft } : {}),
    ...(settleMs > 0 ? { settleMs } : {}),
  }
}

function chunksOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const chunks: (readonly Item[])[] = []
  for (let i = 0; i < items.length; i += KEYS_PER_CALL)
    chunks.push(items.slice(i, i + KEYS_PER_CALL))
  return chunks
}
