/**
 * Keeps this node's entries up to date: applies the messages of the bus, notices lost ones, and makes sure that what this
 * node evicted stays evicted.
 *
 * The rule: a local entry may be served only while its partition was confirmed by the store within the last
 * `maxStaleness`, no matter what the bus delivered (I3, see docs/design/coherence.md). The files:
 *
 * - `knowledge.ts`: what is known here. Synchronous; reads use only this.
 * - `sync.ts`, `confirmation.ts`: read the store's numbers, and confirm what agrees.
 * - `inbox.ts`: the messages of the bus and the store's replies. `suspicion.ts`: numbers that do not fit.
 * - `catch-up.ts`, `lost-tags.ts`, `lost-histories.ts`: what was missed, and what the store itself has lost.
 * - `outbox.ts`, `store-changes.ts`: what this node changes, and what waits while the store is away. `late-puts.ts`: what of
 *   that is to be put.
 *
 * This file puts them together. Without a remote tier there is only knowledge.
 */

import { randomInt } from 'node:crypto'
import type { BusMessage } from '../contracts/bus.ts'
import type { EntryAddress, EvictRequest, MutationReply } from '../contracts/remote-store.ts'
import { CatchUp } from './catch-up.ts'
import { Confirmation } from './confirmation.ts'
import { Inbox } from './inbox.ts'
import { Knowledge } from './knowledge.ts'
import { LatePuts } from './late-puts.ts'
import { LostHistories } from './lost-histories.ts'
import { Outbox } from './outbox.ts'
import type { CoherenceParts, ConnectedParts } from './parts.ts'
import { RecoveryQueue } from './recovery-queue.ts'
import { CoherenceReports } from './reports.ts'
import { keysMessage, StoreChanges } from './store-changes.ts'
import { Suspicion } from './suspicion.ts'
import { Sync } from './sync.ts'
import type { WaitingValue } from './waiting-value.ts'

const HARD: EvictRequest = { soft: false, settleMs: 0 }
/** For all calls but the first ones. */
const STARTED = Promise.resolve()
/** Of the numbers that nodes draw for themselves. */
const SENDERS = 2 ** 47

/** The parts that only exist with a remote tier. */
interface Rooms {
  readonly inbox: Inbox
  readonly changes: StoreChanges
  readonly outbox: Outbox
  readonly sync: Sync
  readonly suspicion: Suspicion
}

export class Coherence {
  readonly knowledge: Knowledge
  readonly #parts: CoherenceParts
  readonly #rooms: Rooms | undefined

  constructor(parts: CoherenceParts, queue = new RecoveryQueue()) {
    const { remote, clock } = parts
    const hasSequences = remote?.store.capabilities.sequences === true
    this.#parts = parts
    this.knowledge = new Knowledge({ clock, queue, isAlone: remote === undefined, hasSequences })
    if (remote !== undefined) this.#rooms = connect({ ...parts, remote }, this.knowledge)
  }

  /** Opens store and bus at the first use; resolves when the first sync has ended, well or badly. Never rejects. */
  start(): Promise<void> {
    const { namespace, remote } = this.#parts
    if (remote === undefined || this.#rooms === undefined) return STARTED
    const { sync, inbox } = this.#rooms
    sync.start(() => {
      remote.store.open(namespace)
      remote.store.bus?.subscribe(namespace, inbox.listener())
    })
    return this.knowledge.tags.confirmed === 0 ? Promise.resolve(sync.running) : STARTED
  }

  /** The same, and makes entries of the store judgeable, if that is possible now. Never rejects. */
  async prepareToJudge(maxStalenessMs: number): Promise<void> {
    await this.start()
    await this.#rooms?.sync.prepareToJudge(maxStalenessMs)
  }

  /** Asks for syncs often enough for entries that may be `maxStalenessMs` behind at most. */
  requireStaleness(maxStalenessMs: number): void {
    this.#rooms?.sync.requireStaleness(maxStalenessMs)
  }

  /** Runs a sync, or joins the one under way and has another follow it. Never rejects. */
  sync(): Promise<void> {
    return this.#rooms?.sync.run() ?? Promise.resolve()
  }

  /**
   * Evicts keys: on this node, in the store and, through it, on all nodes. Resolves when the store did it.
   *
   * @throws EvictionQueued with what the store failed with; what it did not evict then waits in the recovery queue.
   */
  async evict(addresses: readonly EntryAddress[], request: EvictRequest): Promise<void> {
    const { targets, clock } = this.#parts
    const keys = addresses.map((address) => address.key)
    this.knowledge.queue.dropValues(keys)
    targets.forget(keys, Number.POSITIVE_INFINITY, request.soft)
    if (this.#rooms === undefined) return
    const askedAt = clock.now()
    await this.start()
    await this.#rooms.outbox.evict(addresses, request, askedAt)
  }

  /**
   * Invalidates tags (table names, see tag-clock.ts): on this node, in the store and, through it, on all nodes.
   *
   * @throws EvictionQueued with what the store failed with; the invalidation then waits in the recovery queue.
   */
  async evictTags(tags: readonly string[]): Promise<void> {
    this.knowledge.tags.invalidateHere(tags)
    if (this.#rooms === undefined) return
    await this.start()
    await this.#rooms.outbox.evictTags(tags)
  }

  /**
   * Applies a mutation of this node, like the message that will follow it. `asked`: the number of the partition
   * that had been heard of when the mutation was requested.
   */
  applyMutation(reply: MutationReply, keys: readonly string[], asked: number): void {
    const message = keysMessage(reply, keys, HARD)
    this.#rooms?.inbox.applyKeys(message, asked, reply.announcedWithinMs)
  }

  /** Publishes a mutation for stores that do not publish themselves. */
  async publish(message: BusMessage): Promise<void> {
    await this.#rooms?.changes.publish(message)
  }

  /** Queues evictions that could not be run. */
  enqueue(addresses: readonly EntryAddress[]): void {
    this.#rooms?.outbox.enqueue(addresses)
  }

  /** Queues a put that could not be run; false when only its eviction waits. */
  enqueuePut(address: EntryAddress, value: WaitingValue): boolean {
    return this.#rooms?.outbox.enqueuePut(address, value) ?? false
  }

  close(): void {
    const rooms = this.#rooms
    this.knowledge.queue.dropValues()
    rooms?.inbox.close()
    rooms?.sync.close()
    rooms?.suspicion.close()
  }
}

/** Builds the parts that talk to the store. Each gets only what it needs of the others. */
function connect(parts: ConnectedParts, knowledge: Knowledge): Rooms {
  const reports = new CoherenceReports(parts.events, knowledge)
  const suspicion = new Suspicion(parts.clock, () => void sync.run())
  const catchUp = new CatchUp({ ...parts, knowledge, reports, bump: (tags) => changes.bump(tags) })
  const onReconnected = (): void => {
    knowledge.suspect()
    parts.remote.mayBeBack()
    void sync.run()
  }
  const sender = 1 + randomInt(SENDERS)
  const heard = { knowledge, reports, catchUp, suspicion, sender, onReconnected }
  const inbox = new Inbox({ ...parts, ...heard })
  const changes = new StoreChanges({ ...parts, knowledge, inbox, catchUp })
  const onQueued = (): void => sync.schedule()
  const outbox = new Outbox({ ...parts, knowledge, reports, changes, sender, onQueued })
  const lostHistories = new LostHistories({ ...parts, knowledge, reports, changes, outbox })
  const confirmation = new Confirmation({ ...parts, knowledge, reports, catchUp, lostHistories })
  const latePuts = new LatePuts({ ...parts, knowledge, reports, changes })
  const sync = new Sync({ ...parts, knowledge, reports, outbox, latePuts, confirmation })
  return { inbox, changes, outbox, sync, suspicion }
}
