/** What follows a miss: run the loader, hand its value out, then keep it: in the store under the lease, and locally. */

import type { LocalEntry } from '../entry/local-entry.ts'
import { measureValue } from '../entry/measure.ts'
import type { Stamp } from '../entry/stamp.ts'
import type { RemoteTier } from '../remote/remote-tier.ts'
import { Flight } from './flight.ts'
import { handOut } from './hand-out.ts'
import { isTrusted } from './judge.ts'
import {
  type Keepable,
  keepable,
  keepableError,
  localEntryOf,
  storedForm,
  withinMs,
} from './keep.ts'
import type { Lease } from './lease.ts'
import { type LoadOutcome, runLoader } from './load.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import type { ReadReports } from './read-reports.ts'
import { canReplace, replace } from './replace.ts'
import { assertKeepable, encodeKept, ownCopy, takeIn } from './value-forms.ts'
import type { EncodedValue } from './value-pipeline.ts'

/** A guess at the memory of an entry besides its payload. */
const ENTRY_OVERHEAD_BYTES = 200

export class LoadPath {
  readonly #node: CacheNode
  readonly #reports: ReadReports

  constructor(node: CacheNode, reports: ReadReports) {
    this.#node = node
    this.#reports = reports
  }

  /** Loads without the store: there is none, it is not used here, or it cannot be reached. */
  async loadAlone(flight: Flight): Promise<void> {
    const { coherence, knowledge } = this.#node
    // A cache that stays local hears of evictions, too; nothing here has to wait for that.
    if (!knowledge.isAlone && knowledge.tags.confirmed === 0) void coherence.start()
    const outcome = await this.#load(flight)
    try {
      const kept = this.#keepableOf(flight, outcome)
      if (kept !== undefined) {
        const { call, stamp, at } = flight
        assertKeepable(this.#node, call, kept)
        const entry = localEntryOf(this.#node, call.policy, kept, stamp, at)
        flight.entry = entry
        this.keepLocally(flight, entry, this.#sizeOf(kept))
      }
      this.#settle(flight, asKept(outcome, kept))
    } finally {
      this.#node.flights.end(flight)
    }
  }

  /** Loads as the holder of the lease, and fills the store for everybody. */
  async loadUnderLease(flight: Flight, lease: Lease): Promise<void> {
    try {
      const outcome = await this.#load(flight)
      const kept = this.#keepableOf(flight, outcome)
      if (kept === undefined || this.#node.values === undefined) {
        this.#settle(flight, outcome)
        return
      }
      // Encoded before the caller has the value: it might change it. Throws for what cannot come back the same.
      const { call, stamp, at } = flight
      const encoding = encodeKept(this.#node, call, kept)
      flight.entry = localEntryOf(this.#node, call.policy, kept, stamp, at)
      this.#settle(flight, asKept(outcome, kept))
      if (encoding === undefined) {
        this.keepLocally(flight, flight.entry)
        return
      }
      await this.#fill(flight, lease, kept, encoding)
    } finally {
      // What became of a fill that failed is not known: if it stored, the lease is gone, and this does nothing.
      lease.release()
      this.#node.flights.end(flight)
    }
  }

  /** Stores an entry in the local tier if the flight is still alive. Check and store are one synchronous step. */
  keepLocally(flight: Flight, entry: LocalEntry, bytes = 0): void {
    const { local, settling } = this.#node
    const { key } = flight.address
    if (!flight.isAlive || !flight.call.policy.local || local === undefined) return
    const endOfWindow = settling.endOf(key)
    if (entry.livesUntil > endOfWindow) entry.endBy(endOfWindow)
    flight.entry = entry
    local.set(key, entry, ENTRY_OVERHEAD_BYTES + bytes + 2 * key.length)
  }

  #load(flight: Flight): Promise<LoadOutcome> {
    const { call, candidate } = flight
    call.onDecided?.()
    flight.ask?.close()
    if (!flight.isSettled && flight.ask === undefined) this.#reports.miss(call)
    return runLoader(this.#node, flight, {
      previous: candidate?.kind === 'value' ? this.#previous(call, candidate) : undefined,
      onSoftTimeout: () => this.#serveFallback(flight, 'timeout'),
    })
  }

  /** A loader may do what it likes with the value it is to replace, where each caller has a copy of its own. */
  #previous({ policy }: ReadCall, { value }: LocalEntry): unknown {
    return policy.isolation === 'cloned' ? ownCopy(this.#node, policy, value) : value
  }

  #keepableOf(flight: Flight, outcome: LoadOutcome): Keepable | undefined {
    const kept = this.#decide(flight, outcome)
    return kept === undefined ? undefined : takeIn(this.#node, flight.call, kept)
  }

  /** Decides whether and how the outcome is kept. */
  #decide(flight: Flight, outcome: LoadOutcome): Keepable | undefined {
    const { call } = flight
    if (call.rules.keeps?.() === false) {
      this.#reportRefused(flight)
      return undefined
    }
    if (outcome.kind !== 'error') return keepable(call, outcome, this.#node.events)
    // What it fails with then is the callers' doing.
    if (outcome.isGivenUp) return undefined
    const kept = keepableError(call, outcome, this.#node.events)
    // A refresh that fails leaves what there is; nobody is told that in its place.
    const stays = flight.ask === undefined ? this.#canFallBack(flight) : this.#isAtHand(flight)
    return stays ? undefined : kept
  }

  #settle(flight: Flight, outcome: LoadOutcome): void {
    if (outcome.kind !== 'error') {
      flight.resolve(outcome.value)
      return
    }
    const { candidate, call } = flight
    if (candidate !== undefined && this.#canFallBack(flight)) {
      const now = this.#node.clock.now()
      candidate.backOff(now, call.policy.errorBackoffMs, flight.stamp.birth)
      this.keepLocally(flight, candidate)
      this.#serveFallback(flight, 'error')
    }
    flight.reject(outcome.error)
  }

  /**
   * Without `staleIfError`, what cannot be verified may not stand in for a failed load: it may have been evicted
   * elsewhere longer ago than `maxStaleness`.
   */
  #canFallBack(flight: Flight): boolean {
    const { candidate, call } = flight
    if (candidate === undefined || flight.ask !== undefined || !this.#isAtHand(flight)) return false
    if (call.policy.staleIfErrorMs > 0) return true
    const { stamp, verifiedAt } = candidate
    return isTrusted(stamp, verifiedAt, call, this.#node, this.#node.clock.now())
  }

  /** Whether the old value is still there, and nothing is known against it. */
  #isAtHand({ candidate, isAlive, call }: Flight): boolean {
    if (candidate === undefined || candidate.kind !== 'value' || !isAlive) return false
    const { clock, knowledge } = this.#node
    if (candidate.livesUntil <= clock.now()) return false
    const { birth, stamp, tags } = candidate
    return knowledge.tags.allows(birth, call.cacheTag, stamp.partition, tags)
  }

  /** Returns what is stale for a caller who does not wait any longer, if it may be served. */
  fallBack(flight: Flight): Promise<unknown> | undefined {
    const { candidate, call } = flight
    if (candidate === undefined || !this.#canFallBack(flight)) return undefined
    this.#reports.stale(candidate, call, 'timeout')
    return handOut(candidate.value, call, this.#node)
  }

  #serveFallback(flight: Flight, why: 'error' | 'timeout'): void {
    if (flight.isSettled || !this.#canFallBack(flight) || flight.candidate === undefined) return
    this.#reports.stale(flight.candidate, flight.call, why)
    flight.entry = flight.candidate
    flight.resolve(flight.candidate.value)
  }

  async #fill(
    flight: Flight,
    lease: Lease,
    kept: Keepable,
    encoding: EncodedValue | Promise<EncodedValue>,
  ): Promise<void> {
    const { call, address, stamp } = flight
    const { remote, clock, knowledge } = this.#node
    const entry = flight.entry
    if (remote === undefined || entry === undefined) return
    const encoded = encoding instanceof Promise ? await encoding : encoding
    const stored = withinMs(kept, this.#mostLifeOf(address.key, remote))
    const { bytes, commit } = storedForm(call.policy, stored, stamp.known, encoded)
    if (bytes.length > call.policy.maxValueBytes) {
      this.#reportTooLarge(flight, bytes.length)
      this.keepLocally(flight, entry, bytes.length)
      return
    }
    // Given back already, because the manager closes.
    if (lease.isSpent) return
    lease.stop()
    entry.commit = commit
    // Kept before the store has answered: until then the flight hands the same value out anyway.
    this.keepLocally(flight, entry, bytes.length)
    const sentAt = clock.now()
    const { livesForMs } = stored.lifetimes
    try {
      if (canReplace(this.#node, flight)) {
        const keep = (on: Stamp): void => {
          entry.stamp = on
          this.keepLocally(new Flight(call, on, flight.at), entry, bytes.length)
        }
        const replacement = { bytes, livesMs: livesForMs, commit, keep }
        const isStored = await replace(this.#node, flight, lease, replacement)
        if (!isStored) this.#withdraw(flight, entry)
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
      // Of a flight that was killed the store has lost what killed it, and the lease came back with the history.
      if (flight.isAlive) knowledge.noteOwnFill(address, commit, reply.nowMs)
      if (reply.livesMs < livesForMs) entry.endBy(clock.now() + reply.livesMs)
    } catch (error) {
      remote.reportDefect('fill', error)
      // Whether it was stored is unknown: keep it locally as a copy of nothing, so that it
      // is reloaded once it can no longer be trusted by its own age.
      entry.commit = 0
    }
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

  /** The lease was lost, so the key was changed since the load began. */
  #withdraw(flight: Flight, entry: LocalEntry): void {
    const { local } = this.#node
    const { key } = flight.address
    if (local?.peek(key) === entry) local.delete(key)
    this.#reportRefused(flight)
  }

  #sizeOf(kept: Keepable): number {
    return this.#node.local?.measuresBytes === true ? measureValue(kept.value) : 0
  }

  #reportTooLarge({ call }: Flight, bytes: number): void {
    const { maxValueBytes: maxBytes } = call.policy
    this.#node.events.emit('too-large', { cache: call.cache, key: call.fullKey, bytes, maxBytes })
  }

  #reportRefused({ call }: Flight): void {
    this.#node.events.emit('fill-refused', { cache: call.cache, key: call.fullKey })
  }
}

/** What callers get of a result that is kept: what later ones get. An error stays the one the method threw. */
function asKept(outcome: LoadOutcome, kept: Keepable | undefined): LoadOutcome {
  if (kept === undefined || outcome.kind === 'error') return outcome
  return kept.value === outcome.value ? outcome : { ...outcome, value: kept.value }
}
