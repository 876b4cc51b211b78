/** Stores what was loaded under a lease: for all nodes, and here. */

import type { LocalEntry } from '../entry/local-entry.ts'
import type { Stamp } from '../entry/stamp.ts'
import type { RemoteTier } from '../remote/remote-tier.ts'
import { ASKED_HERE } from './change-marks.ts'
import type { Flight } from './flight.ts'
import { type Keepable, withinMs } from './keep.ts'
import type { Lease } from './lease.ts'
import type { LocalShelf } from './local-shelf.ts'
import type { CacheNode } from './node.ts'
import type { ReadReports } from './read-reports.ts'
import { type Replacement, replace, replaces } from './replace.ts'
import { markOf, sealed, storedForm } from './stored-form.ts'
import { standingAfter, standingNow, tellOthers } from './tell-others.ts'

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
    const result = flight.ask === undefined ? kept : { ...kept, isRefreshed: true }
    const sealing = sealed(this.#node, call, { kept: result, payload, birth: stamp.known })
    const value = sealing instanceof Promise ? await sealing : sealing
    if (value === undefined) return this.#keepHere(flight, entry, payload.length)
    const stored = withinMs(result, this.#mostLifeOf(address.key, remote))
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
    this.#shelf.keepLoaded(flight, entry, bytes.length)
    const sentAt = clock.now()
    const { livesForMs } = stored.lifetimes
    // Around the reading of the reply, too: a store that answers with something else must not break the call.
    try {
      if (replaces(this.#node, flight)) {
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
        this.evictLater(flight)
        return
      }
      // A flight that was killed and is stored all the same: the store lost what killed it, and its lease came back with the history.
      if (flight.isAlive) knowledge.noteOwnFill(address, commit, reply.nowMs)
      if (reply.livesMs < livesForMs) entry.endBy(clock.now() + reply.livesMs)
      this.#keepAgain(flight, entry, bytes.length)
    } catch (error) {
      remote.reportDefect('fill', error)
      // Whether it was stored is unknown: keep it locally as a copy of nothing, so that it
      // is reloaded once it can no longer be trusted by its own age.
      entry.commit = 0
      this.#keepAgain(flight, entry, bytes.length)
      this.evictLater(flight)
    }
  }

  /** Gives the lease up, and leaves a mark in the place of a value: loads of the key are not shared. Never rejects. */
  async mark({ call, address, stamp, unsharedForMs: forMs }: Flight, lease: Lease): Promise<void> {
    const { remote } = this.#node
    if (remote === undefined || lease.isSpent) return
    lease.stop()
    const bytes = markOf(call, stamp.known, forMs)
    try {
      await remote.run('fill', (store) => store.fill(address, lease.token, bytes, forMs))
      lease.spend()
    } catch (error) {
      remote.reportDefect('fill', error)
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
    const outcome = await replace(this.#node, flight, lease, { ...result, keep })
    if (outcome !== 'stored') this.#withdraw(flight, entry)
    if (outcome === 'lost') this.evictLater(flight)
  }

  /** A refresh that was filled has no number that would end what was read of the key while the store was asked. */
  #keepAgain(flight: Flight, entry: LocalEntry, bytes: number): void {
    if (flight.ask === undefined || hasGivenWay(flight)) return
    if (flight.isAlive) this.#shelf.keepLoaded(flight, entry, bytes)
    else this.#forgetHere(flight)
  }

  /** What the store has is older than the result of a refresh: it is evicted as soon as the store can be told. */
  evictLater(flight: Flight): void {
    const { isClosed, coherence } = this.#node
    if (flight.ask === undefined && !flight.standsForRefresh) return
    if (isClosed || hasGivenWay(flight)) return
    if (!flight.isAlive) this.#forgetHere(flight)
    coherence.enqueue([flight.address])
  }

  /** A load that took the place of a refresh and has nothing to keep: what the refresh was to replace must not stay. */
  evictIfUnkept(flight: Flight): void {
    if (flight.standsForRefresh && flight.entry === undefined) this.evictLater(flight)
  }

  /**
   * The result of a refresh stays on this node, and others hold what is older: they are told. What changed the key meanwhile
   * may be newer than the result, or older: then nothing of the key is kept.
   */
  async tell(flight: Flight, entry: LocalEntry, bytes: number): Promise<void> {
    const node = this.#node
    const { call, address, stamp, ask, isAlive } = flight
    if (ask === undefined || node.isClosed || hasGivenWay(flight)) return
    if (!isAlive) this.#forgetHere(flight)
    // The later one tells them.
    if (ask.isSuperseded) return
    const mark = node.changes.begin()
    try {
      const told = await tellOthers(node, address)
      if (told.cause !== undefined && !node.isClosed) node.coherence.enqueue([address])
      const after = node.knowledge.hasSequences ? standingAfter : standingNow
      const standing = after(node, address, told, { stamp, mark })
      if (standing === undefined || !isAlive || ask.isSuperseded) return
      entry.stamp = standing
      this.#shelf.keep({ call, isAlive }, entry, bytes)
    } finally {
      node.changes.end(mark)
    }
  }

  #forgetHere({ address: { key } }: Flight): void {
    const { flights, local } = this.#node
    flights.killReaders(key)
    local?.delete(key)
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
    this.#shelf.keepLoaded(flight, entry, bytes)
    this.evictLater(flight)
  }

  /** The lease was lost, so the key was changed since the load began. */
  #withdraw({ call }: Flight, entry: LocalEntry): void {
    this.#shelf.withdraw(call, entry)
    this.#reports.discarded(call)
  }
}

/**
 * Tells whether a change that this node asked for has ended a refresh: that wins, and tells the others itself. A read that did not join
 * the refresh does not, nor does a later refresh, which may not have replaced anything yet. What others did may be older than the
 * result, though it came later: they may have begun it before.
 */
function hasGivenWay({ isAlive, touchedAt, ask }: Flight): boolean {
  if (isAlive) return false
  return touchedAt === ASKED_HERE || (touchedAt === 0 && ask === undefined)
}
