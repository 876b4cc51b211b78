/**
 * The way to a load that another node may run already: ask for the lease until it is granted, another node's result is there,
 * or the wait is over.
 */

import type { ClaimReply, ClaimRequest } from '../contracts/remote-store.ts'
import { field, isEntry } from '../entry/envelope.ts'
import { ageOf } from '../entry/local-entry.ts'
import { StoreUnavailableError } from '../errors/store-error.ts'
import type { Flight } from './flight.ts'
import { Lease, leaseLength, randomId } from './lease.ts'
import { endAsClosed, endIfForsaken, stand } from './load.ts'
import type { LoadPath } from './load-path.ts'
import type { CacheNode } from './node.ts'
import { stopSharing } from './not-shared.ts'
import type { StoredEntries } from './stored-entries.ts'
import { UNSHARED_MS } from './unshared-keys.ts'

/** How often a waiter looks itself, in case the wake-up was lost. */
const POLL_MS = 200

/** Up to so many waiters look that often; more of them look less often, or the store would do nothing else. */
const WAITERS_PER_POLL = 500

/** Claims that answer "filled" with what this node cannot read before the store's copy is given up on. */
const MAX_UNREADABLE_FILLS = 3

export class ClaimPath {
  readonly #node: CacheNode
  readonly #loads: LoadPath
  readonly #stored: StoredEntries

  constructor(node: CacheNode, loads: LoadPath, stored: StoredEntries) {
    this.#node = node
    this.#loads = loads
    this.#stored = stored
  }

  /** `seenAtFirst`: the commit id of the entry that was read and could not be used, 0 for none. */
  async load(flight: Flight, seenAtFirst: number): Promise<void> {
    const { clock } = this.#node
    const { policy } = flight.call
    // Counted from when another node is known to load: before that, the delay may be in our own queue.
    let giveUpAt = Number.POSITIVE_INFINITY
    const token = randomId()
    let seen = seenAtFirst
    let overtake = 0
    let unreadable = 0
    while (!this.#node.isClosed) {
      if (endIfForsaken(this.#node, flight)) return
      if (flight.isMarked && !flight.isUnshared && flight.ask === undefined)
        stopSharing(this.#node, flight, UNSHARED_MS)
      const leaseMs = leaseLength(policy.leaseWaitMs)
      flight.wasWoken = false
      stand(this.#node, flight)
      flight.ask?.look(flight.stamp)
      const reply = await this.#claim(flight, { token, leaseMs, seen, overtake })
      if (reply === undefined) {
        if (flight.missed === 'absent') flight.missed = 'store-away'
        return this.#loads.loadAlone(flight)
      }
      if (reply instanceof Lease) return this.#loadUnder(flight, reply)
      if (reply.kind === 'filled') {
        if (answers(flight, reply.bytes)) {
          const wanting = await this.#takeFilled(flight, reply.bytes)
          if (wanting === undefined) return
          seen = wanting
        } else {
          seen = field.commit(reply.bytes)
        }
        giveUpAt = Math.min(giveUpAt, clock.now() + policy.leaseWaitMs)
        // What was invalidated or has expired since is no sign that the next one will be of no use.
        if (isUnreadable(flight)) unreadable += 1
        if (unreadable > MAX_UNREADABLE_FILLS || clock.now() >= giveUpAt)
          return this.#loads.loadAlone(flight)
        continue
      }
      flight.call.onDecided?.()
      flight.ask?.foundHeld(reply.holder)
      if ((!policy.sync || flight.isUnshared) && flight.ask === undefined)
        return this.#loads.loadAlone(flight)
      giveUpAt = Math.min(giveUpAt, clock.now() + policy.leaseWaitMs)
      const leftMs = giveUpAt - clock.now()
      overtake = leftMs <= 0 ? reply.holder : 0
      if (overtake === 0 && !flight.wasWoken)
        await this.#wait(flight, Math.min(leftMs, reply.remainingMs))
    }
    endAsClosed(this.#node, flight)
  }

  async #loadUnder(flight: Flight, lease: Lease): Promise<void> {
    if (this.#node.isClosed) {
      lease.release()
      endAsClosed(this.#node, flight)
      return
    }
    if (endIfForsaken(this.#node, flight)) {
      lease.release()
      return
    }
    if (lease.isCertain) return this.#loads.loadUnderLease(flight, lease)
    // The claim may still be granted, after an eviction that this load does not know: so it fills nothing.
    try {
      await this.#loads.loadAlone(flight)
    } finally {
      lease.release()
    }
  }

  /**
   * Asks for the lease. Returns the lease, or its holder, or the entry that is there instead; `undefined` when the store was not
   * even asked. A claim whose outcome is unknown may have been granted: it counts as a lease, so that it is given back.
   */
  async #claim(
    { address }: Flight,
    request: ClaimRequest,
  ): Promise<Lease | Exclude<ClaimReply, { kind: 'granted' }> | undefined> {
    const { remote, leases, clock } = this.#node
    if (remote === undefined) return undefined
    const { token, leaseMs } = request
    const sentAt = clock.now()
    let lease: Lease | undefined
    const onLate = (reply: ClaimReply): void => {
      if (reply.kind !== 'granted' || lease?.isSpent === false) return
      leases.release({ address, token, endsAt: clock.now() + leaseMs })
    }
    // Around the reading of the reply, too: a store that answers with something else must not break the call.
    try {
      const reply = await remote.run('claim', (store) => store.claim(address, request), onLate)
      this.#node.knowledge.server.note(reply.nowMs, sentAt, clock.now())
      if (reply.kind !== 'granted') return reply
      lease = new Lease(this.#node, { address, token, leaseMs, isCertain: true })
    } catch (error) {
      remote.reportDefect('claim', error)
      if (error instanceof StoreUnavailableError) return undefined
      lease = new Lease(this.#node, { address, token, leaseMs, isCertain: false })
    }
    return lease
  }

  /**
   * Uses an entry that another node filled meanwhile; returns `undefined` when it served, else the commit id of the entry that could not be used: 0
   * for bytes that are not an entry.
   */
  async #takeFilled(flight: Flight, bytes: Uint8Array): Promise<number | undefined> {
    const found = this.#stored.inspect(bytes, flight)
    flight.call.site.noteFound(typeof found !== 'number')
    if (typeof found === 'number') return found
    if (ageOf(found, this.#node.clock.now()) !== 'fresh') return found.commit
    const entry = await this.#stored.decode(flight, found, bytes)
    if (entry === undefined) return found.commit
    this.#stored.adopt(flight, entry, bytes)
    return undefined
  }

  #wait(flight: Flight, atMostMs: number): Promise<void> {
    const { wakeUps } = this.#node
    const pollMs = POLL_MS * (0.5 + Math.random()) * Math.max(1, wakeUps.size / WAITERS_PER_POLL)
    return wakeUps.wait(flight.address.key, Math.max(1, Math.min(pollMs, atMostMs)))
  }
}

/** Other code wrote it, or it is damaged: this may be so of whatever the others fill. */
function isUnreadable({ missed }: Flight): boolean {
  return missed === 'undecodable' || missed === 'version'
}

/** Whether an entry that another node filled meanwhile may answer a refresh; it may answer any other read. */
function answers({ ask }: Flight, bytes: Uint8Array): boolean {
  if (ask === undefined || !isEntry(bytes) || ask.takes(bytes)) return true
  ask.found(bytes)
  return false
}
