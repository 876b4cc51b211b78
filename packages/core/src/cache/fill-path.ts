/** Stores what was loaded under a lease: for all nodes, and here. */

import type { LocalEntry } from '../entry/local-entry.ts'
import type { Stamp } from '../entry/stamp.ts'
import type { RemoteTier } from '../remote/remote-tier.ts'
import type { Flight } from './flight.ts'
import { type Keepable, withinMs } from './keep.ts'
import type { Lease } from './lease.ts'
import type { LocalShelf } from './local-shelf.ts'
import type { CacheNode } from './node.ts'
import type { ReadReports } from './read-reports.ts'
import { canReplace, type Replacement, replace } from './replace.ts'
import { sealed, storedForm } from './stored-form.ts'

/** A result that is kept, and what the codec made of it. */
export interface Loaded {
  readonly kept: Keepable
  readonly payload: Uint8Array
}

export class FillPath {
  readonly #node: CacheNode
  readonly #reports: ReadReports
  readonly #shelf: LocalShelf

  constructor(node: CacheNode, reports: ReadReports, shelf: LocalShelf) {
    this.#node = node
    this.#reports = reports
    this.#shelf = shelf
  }

  /** Never rejects because of the store. */
  async fill(flight: Flight, lease: Lease, { kept, payload }: Loaded): Promise<void> {
    const { call, address, stamp } = flight
    const { remote, clock, knowledge } = this.#node
    const entry = flight.entry
    if (remote === undefined || entry === undefined) return
    const sealing = sealed(this.#node, call, { kept, payload, birth: stamp.known })
    const value = sealing instanceof Promise ? await sealing : sealing
    if (value === undefined) return this.#keepHere(flight, entry, payload.length)
    const stored = withinMs(kept, this.#mostLifeOf(address.key, remote))
    const bytes = storedForm(call, stored, value)
    const { commit } = value
    if (bytes.length > call.policy.maxValueBytes) {
      this.#reports.tooLarge(call, bytes.length)
      return this.#keepHere(flight, entry, bytes.length)
    }
    // Given back already, because the manager closes.
    if (lease.isSpent) return
    lease.stop()
    entry.commit = commit
    // Kept before the store has answered: until then the flight hands the same value out anyway.
    this.#shelf.keep(flight, entry, bytes.length)
    const sentAt = clock.now()
    const { livesForMs } = stored.lifetimes
    // Around the reading of the reply, too: a store that answers with something else must not break the call.
    try {
      if (canReplace(this.#node, flight)) {
        await this.#replace(flight, lease, { bytes, livesMs: livesForMs, commit })
        return
      }
      const reply = await remote.run('fill', (store) =>
        store.fill(address, lease.token, bytes, livesForMs),
      )
      lease.spend()
      knowledge.server.note(reply.nowMs, sentAt, clock.now())
      if (!reply.stored) {
        this.#withdraw(flight, entry)
        return
      }
      // A flight that was killed and is stored all the same: the store lost what killed it, and its lease came back with the history.
      if (flight.isAlive) knowledge.noteOwnFill(address, commit, reply.nowMs)
      if (reply.livesMs < livesForMs) entry.endBy(clock.now() + reply.livesMs)
    } catch (error) {
      remote.reportDefect('fill', error)
      // Whether it was stored is unknown: keep it locally as a copy of nothing, so that it
      // is reloaded once it can no longer be trusted by its own age.
      entry.commit = 0
      this.evictLater(flight)
    }
  }

  /** Stores the result of a refresh in the place of what the store has. @throws what the store fails with */
  async #replace(flight: Flight, lease: Lease, result: Omit<Replacement, 'keep'>): Promise<void> {
    const { call, entry } = flight
    if (entry === undefined) return
    const keep = (on: Stamp): void => {
      entry.stamp = on
      this.#shelf.keep({ call, isAlive: true }, entry, result.bytes.length)
    }
    const isStored = await replace(this.#node, flight, lease, { ...result, keep })
    if (!isStored) this.#withdraw(flight, entry)
  }

  /**
   * What the store has is older than the result of a refresh: it is evicted as soon as the store can be told. Not where
   * something has changed the key meanwhile: that wins, and has told the others itself.
   */
  evictLater({ ask, address, isAlive }: Flight): void {
    const { isClosed, coherence } = this.#node
    if (ask !== undefined && isAlive && !isClosed) coherence.enqueue([address])
  }

  /**
   * How long the store may keep what was loaded for a key, ms. A store with leases knows the window itself, unless what was
   * stored in it has expired since. It counts from when the eviction arrived there: it is to be the stricter one, for only
   * what it has limited itself tells others that the window stands.
   */
  #mostLifeOf(key: string, { store, timeoutMs }: RemoteTier): number {
    const end = this.#node.settling.endOf(key)
    if (end === Number.POSITIVE_INFINITY) return end
    return Math.ceil(end - this.#node.clock.now()) + (store.capabilities.leases ? timeoutMs : 0)
  }

  /** It cannot be stored for all. */
  #keepHere(flight: Flight, entry: LocalEntry, bytes: number): void {
    this.#shelf.keep(flight, entry, bytes)
    this.evictLater(flight)
  }

  /** The lease was lost, so the key was changed since the load began. */
  #withdraw({ call }: Flight, entry: LocalEntry): void {
    this.#shelf.withdraw(call, entry)
    this.#reports.discarded(call)
  }
}
