/**
 * Makes sure that what this node evicted stays evicted.
 *
 * Evictions apply here first, then in the store and, through it, everywhere. If the store cannot be reached they wait in
 * the recovery queue, and no sync counts as confirmation before they have been run: otherwise the node would trust copies that
 * it was told to forget.
 */

import type { DoubtMessage } from '../contracts/bus.ts'
import type { EntryAddress, EvictRequest } from '../contracts/remote-store.ts'
import { StoreRefusedError } from '../errors/store-error.ts'
import { EvictionQueued } from './eviction-queued.ts'
import type { Knowledge } from './knowledge.ts'
import { type ConnectedParts, chunksOf } from './parts.ts'
import { groupsOf, type HowItWaits, type WaitingEvictions } from './recovery-queue.ts'
import type { CoherenceReports } from './reports.ts'
import type { StoreChanges } from './store-changes.ts'
import type { WaitingValue } from './waiting-value.ts'

const HARD: EvictRequest = { soft: false, settleMs: 0 }
const NONE: readonly string[] = []

type Doubted = Omit<DoubtMessage, 'kind' | 'sender'>

export interface OutboxParts extends Pick<ConnectedParts, 'remote' | 'clock' | 'work' | 'targets'> {
  readonly knowledge: Knowledge
  readonly reports: CoherenceReports
  readonly changes: StoreChanges
  /** How this node calls itself in what it tells others. */
  readonly sender: number
  /** Something waits: the store must be tried again soon. */
  readonly onQueued: () => void
}

export class Outbox {
  readonly #parts: OutboxParts
  /** The store answered, and refused the waiting evictions. */
  #isRefused = false

  constructor(parts: OutboxParts) {
    this.#parts = parts
  }

  /**
   * Evicts keys in the store, which were forgotten here at `askedAt` (monotonic ms). Resolves when the store did it.
   *
   * @throws EvictionQueued with what the store failed with; what it did not evict then waits in the recovery queue.
   */
  async evict(
    addresses: readonly EntryAddress[],
    request: EvictRequest,
    askedAt: number,
  ): Promise<void> {
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
    const { changes, targets } = this.#parts
    try {
      await changes.evict(addresses, request)
    } catch (error) {
      // Again: a read that started after the first delete may have brought the old value back. Where the store has the eviction,
      // its number tells what is older; a put after this eviction is not older.
      const keys = addresses.map(({ key }) => key)
      targets.forget(keys, Number.POSITIVE_INFINITY, request.soft)
      if (error instanceof EvictionQueued) this.enqueue(addresses, request, askedAt)
      throw error
    }
  }

  /**
   * Invalidates tags in the store, which were invalidated here.
   *
   * @throws EvictionQueued with what the store failed with; the invalidation then waits in the recovery queue.
   */
  async evictTags(tags: readonly string[]): Promise<void> {
    const { remote, knowledge, changes } = this.#parts
    try {
      await changes.bump(tags)
    } catch (error) {
      remote.reportDefect('bump-tags', error)
      // Again: the first number may lie below what was read meanwhile, by a clock that was not known exactly, or not at all.
      knowledge.tags.invalidateHere([...tags, ...knowledge.queue.addTags(tags)])
      this.#tellDoubt({ keys: NONE, tags, isRepeated: false })
      this.#queued()
      throw new EvictionQueued(error)
    }
  }

  /** Queues evictions that could not be run. */
  enqueue(
    addresses: readonly EntryAddress[],
    { soft, settleMs }: EvictRequest = HARD,
    askedAt = this.#parts.clock.now(),
  ): void {
    const settleUntil = settleMs > 0 ? askedAt + settleMs : Number.NEGATIVE_INFINITY
    for (const address of addresses) this.#add(address, { soft, settleUntil })
    const keys = addresses.map(({ key }) => key)
    this.#tellDoubt({ keys, tags: NONE, soft, isRepeated: false })
    this.#queued()
  }

  /** Queues a put that could not be run; false when only its eviction waits, because there is no room for the value. */
  enqueuePut(address: EntryAddress, value: WaitingValue): boolean {
    this.#add(address, { soft: false, settleUntil: Number.NEGATIVE_INFINITY, value })
    this.#tellDoubt({ keys: [address.key], tags: NONE, isRepeated: false })
    this.#queued()
    return this.#parts.knowledge.queue.valueOf(address.key) === value
  }

  #add(address: EntryAddress, how: HowItWaits): void {
    const { tags, queue } = this.#parts.knowledge
    const coarser = queue.addKey(address, how)
    if (coarser.length > 0) tags.invalidateHere(coarser)
  }

  #queued(): void {
    const { knowledge, reports, onQueued } = this.#parts
    // Waiting evictions mean that the store's copies must not be used: nothing is confirmed until they ran.
    knowledge.distrustStore()
    reports.queue()
    reports.state()
    onQueued()
  }

  /** Runs the waiting evictions. Throws the store's error; the rest continues to wait. */
  async drain(): Promise<void> {
    const { knowledge, reports } = this.#parts
    const waiting = knowledge.queue.waiting()
    // The connection may end before the refusal does, and then other nodes could not be told.
    if (this.#isRefused) this.#tellWaiting(waiting)
    this.#isRefused = false
    if (knowledge.queue.size === 0) return
    try {
      await this.#run(waiting)
    } catch (error) {
      // That they wait was told when they began to.
      throw error instanceof EvictionQueued ? error.cause : error
    } finally {
      // Also when it failed, each time: an observer must see that it goes on.
      reports.queue()
    }
  }

  /** What waits could not be run, because of what the store failed with: the others are told again. */
  tellAgain(error: unknown): void {
    const { queue } = this.#parts.knowledge
    if (queue.size === 0) return
    if (error instanceof StoreRefusedError) this.#isRefused = true
    this.#tellWaiting(queue.waiting())
  }

  async #run({ keys, tags }: WaitingEvictions): Promise<void> {
    const { knowledge, changes, clock } = this.#parts
    const { queue } = knowledge
    if (tags.length > 0) {
      await changes.bump(tags.map((item) => item.tag))
      queue.settle({ keys: [], tags })
    }
    // What is to be put waits for the sync that follows.
    const evictions = keys.filter(({ value }) => value === undefined)
    for (const { request, members } of groupsOf(evictions, clock.now())) {
      for (const chunk of chunksOf(members)) {
        await changes.evict(chunk, request)
        queue.settle({ keys: chunk, tags: [] })
      }
    }
  }

  #tellWaiting({ keys, tags }: WaitingEvictions): void {
    for (const soft of [false, true]) {
      const members = keys.filter((waiting) => waiting.soft === soft)
      const names = members.map(({ key }) => key)
      this.#tellDoubt({ keys: names, tags: NONE, soft, isRepeated: true })
    }
    this.#tellDoubt({ keys: NONE, tags: tags.map(({ tag }) => tag), isRepeated: true })
  }

  /** Tells the other nodes what the store could not be told. Where even that fails, only their own deadlines limit staleness. */
  #tellDoubt({ keys, tags, soft = false, isRepeated }: Doubted): void {
    const { remote, work, sender } = this.#parts
    const { bus } = remote.store
    if (bus?.publish === undefined) return
    const how = { isRepeated, ...(soft ? { soft } : {}) }
    const messages: Doubted[] = chunksOf(keys).map((chunk) => ({ keys: chunk, tags: NONE, ...how }))
    if (tags.length > 0) messages.push({ keys: NONE, tags, ...how })
    const sent = messages.map((each) => bus.publish?.({ kind: 'doubt', ...each, sender }))
    work.run('doubt', Promise.allSettled(sent))
  }
}
