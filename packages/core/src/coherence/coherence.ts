/**
 * Keeps this node's entries true: applies what the bus says, notices what it failed to say, and makes sure that what this
 * node evicted stays evicted.
 *
 * The rule: a local entry may be served only while its partition was confirmed by the store within the last
 * `maxStaleness`, no matter what the bus delivered (I3, see docs/design/coherence.md). Who does what:
 *
 * - `knowledge.ts`: what is known here. Synchronous; reads ask it and nothing else.
 * - `sync.ts`, `confirmation.ts`: ask the store where it stands, and confirm what agrees.
 * - `inbox.ts`: what the bus and the store's replies say. `suspicion.ts`: what does not fit.
 * - `catch-up.ts`, `lost-tags.ts`, `lost-histories.ts`: what was missed, and what the store itself has lost.
 * - `outbox.ts`, `store-changes.ts`: what this node changes, and what waits while the store is away.
 *
 * This file puts them together. Without a remote tier there is only knowledge.
 */

import type { BusMessage } from '../contracts/bus.ts'
import type { EntryAddress, EvictRequest, MutationReply } from '../contracts/remote-store.ts'
import { CatchUp } from './catch-up.ts'
import { Confirmation } from './confirmation.ts'
import { Inbox } from './inbox.ts'
import { Knowledge } from './knowledge.ts'
import { LostHistories } from './lost-histories.ts'
import { Outbox } from './outbox.ts'
import type { CoherenceParts, ConnectedParts } from './parts.ts'
import { RecoveryQueue } from './recovery-queue.ts'
import { CoherenceReports } from './reports.ts'
import { keysMessage, StoreChanges } from './store-changes.ts'
import { Suspicion } from './suspicion.ts'
import { Sync } from './sync.ts'

const HARD: EvictRequest = { soft: false, settleMs: 0 }

/** The rooms that there are with a remote tier only. */
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

  /** Opens store and bus at the first need; resolves when the first sync has ended, well or badly. Never rejects. */
  async start(): Promise<void> {
    const { namespace, remote } = this.#parts
    if (remote === undefined || this.#rooms === undefined) return
    const { sync, inbox } = this.#rooms
    sync.start(() => {
      remote.store.open(namespace)
      remote.store.bus?.subscribe(namespace, inbox.listener())
    })
    if (this.knowledge.tags.confirmed === 0) await sync.running
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
   * Evicts keys: here, in the store and, through it, everywhere. Resolves when the store did it.
   *
   * @throws EvictionQueued with what the store failed with; what it did not evict then waits in the recovery queue.
   */
  async evict(addresses: readonly EntryAddress[], request: EvictRequest): Promise<void> {
    const { targets, clock } = this.#parts
    const keys = addresses.map((address) => address.key)
    targets.forget(keys, Number.POSITIVE_INFINITY, request.soft)
    if (this.#rooms === undefined) return
    const askedAt = clock.now()
    await this.start()
    await this.#rooms.outbox.evict(addresses, request, askedAt)
  }

  /**
   * Invalidates tags (table names, see tag-clock.ts): here, in the store and, through it, everywhere.
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
   * Takes a mutation of our own into account, like the message that will follow it. `asked`: where the partition was known to
   * stand when it was asked for.
   */
  applyMutation(reply: MutationReply, keys: readonly string[], asked: number): void {
    this.#rooms?.inbox.applyKeys(keysMessage(reply, keys, HARD), asked)
  }

  /** Publishes a mutation for stores that do not publish themselves. */
  async publish(message: BusMessage): Promise<void> {
    await this.#rooms?.changes.publish(message)
  }

  /** Queues evictions that could not be run. */
  enqueue(addresses: readonly EntryAddress[]): void {
    this.#rooms?.outbox.enqueue(addresses)
  }

  close(): void {
    const rooms = this.#rooms
    rooms?.inbox.close()
    rooms?.sync.close()
    rooms?.suspicion.close()
  }
}

/** Builds what talks to the store and hears of it. Each knows the others by what it needs of them only. */
function connect(parts: ConnectedParts, knowledge: Knowledge): Rooms {
  const reports = new CoherenceReports(parts.events, knowledge)
  const suspicion = new Suspicion(parts.clock, () => void sync.run())
  const catchUp = new CatchUp({ ...parts, knowledge, reports, bump: (tags) => changes.bump(tags) })
  const onReconnected = (): void => {
    knowledge.suspect()
    parts.remote.mayBeBack()
    void sync.run()
  }
  const inbox = new Inbox({ ...parts, knowledge, reports, catchUp, suspicion, onReconnected })
  const changes = new StoreChanges({ ...parts, knowledge, inbox, catchUp })
  const onQueued = (): void => sync.schedule()
  const outbox = new Outbox({ ...parts, knowledge, reports, changes, onQueued })
  const lostHistories = new LostHistories({ ...parts, knowledge, reports, changes, outbox })
  const confirmation = new Confirmation({ knowledge, reports, catchUp, lostHistories })
  const sync = new Sync({ ...parts, knowledge, reports, outbox, confirmation })
  return { inbox, changes, outbox, sync, suspicion }
}
