/** What follows a miss: run the loader, hand its value out, then keep it: in the store under the lease, and locally. */

import type { LocalEntry } from '../entry/local-entry.ts'
import type { ReadTrace } from '../events/traces.ts'
import { keepsForErrors } from './entry-rules.ts'
import { FillPath } from './fill-path.ts'
import type { Flight } from './flight.ts'
import { isTrusted } from './judge.ts'
import { type Keepable, keepable, keepableError, localEntryOf, unsharedFor } from './keep.ts'
import type { Lease } from './lease.ts'
import { endAsClosed, type LoadOutcome, runLoader, stand } from './load.ts'
import type { LocalShelf } from './local-shelf.ts'
import type { CacheNode } from './node.ts'
import { stopSharing } from './not-shared.ts'
import type { ReadCall } from './read-call.ts'
import type { ReadReports } from './read-reports.ts'
import { assertKeepable, encodeKept, handOut, ownCopy, takeIn } from './value-forms.ts'

export class LoadPath {
  readonly #node: CacheNode
  readonly #reports: ReadReports
  readonly #shelf: LocalShelf
  readonly #fills: FillPath

  constructor(node: CacheNode, reports: ReadReports, shelf: LocalShelf) {
    this.#node = node
    this.#reports = reports
    this.#shelf = shelf
    this.#fills = new FillPath(node, reports, shelf)
  }

  /** Loads without the store: there is none, it is not used here, or it cannot be reached. */
  async loadAlone(flight: Flight): Promise<void> {
    const { coherence, knowledge, remote, isClosed } = this.#node
    // It was closed while the store was asked: what begins now would outlive it.
    if (isClosed) return endAsClosed(this.#node, flight)
    // A cache that stays local gets evictions too; nothing here has to wait for that.
    if (!knowledge.isAlone && knowledge.tags.confirmed === 0) void coherence.start()
    const outcome = await this.#load(flight)
    try {
      if (this.#isForOneCaller(flight, outcome)) return this.#settle(flight, outcome)
      const kept = this.#keepableOf(flight, outcome)
      if (kept === undefined) return this.#settle(flight, outcome)
      const { call } = flight
      assertKeepable(this.#node, call, kept)
      const entry = localEntryOf(this.#node, call.policy, kept, flight)
      flight.entry = entry
      // A value that waits for the store was put before this was loaded.
      if (flight.isAlive && kept.kind !== 'error') knowledge.queue.dropValues([call.fullKey])
      const bytes = this.#shelf.sizeOf(kept)
      this.#shelf.keepLoaded(flight, entry, bytes)
      this.#settle(flight, asKept(outcome, kept))
      // Elsewhere there may be what a refresh without the store has replaced here.
      if (remote === undefined) return
      if (call.policy.remote) this.#fills.evictLater(flight)
      else await this.#fills.tell(flight, entry, bytes)
    } finally {
      this.#fills.evictIfUnkept(flight)
      this.#node.flights.end(flight)
    }
  }

  /** Loads as the holder of the lease, and fills the store for all nodes. */
  async loadUnderLease(flight: Flight, lease: Lease): Promise<void> {
    try {
      const outcome = await this.#load(flight)
      if (this.#isForOneCaller(flight, outcome)) {
        this.#settle(flight, outcome)
        if (flight.ask === undefined) await this.#fills.mark(flight, lease)
        return
      }
      const kept = this.#keepableOf(flight, outcome)
      if (kept === undefined || this.#node.values === undefined) {
        this.#settle(flight, outcome)
        return
      }
      // Encoded before the caller has the value: it might change it. Throws for a value that could not be restored unchanged.
      const { call } = flight
      const payload = encodeKept(this.#node, call, kept)
      flight.entry = localEntryOf(this.#node, call.policy, kept, flight)
      this.#settle(flight, asKept(outcome, kept))
      if (payload === undefined) {
        this.#shelf.keepLoaded(flight, flight.entry)
        this.#fills.evictLater(flight)
        return
      }
      await this.#fills.fill(flight, lease, { kept, payload })
    } finally {
      // The outcome of a fill that failed is unknown: if it stored, the lease is gone, and this does nothing.
      lease.release()
      this.#fills.evictIfUnkept(flight)
      this.#node.flights.end(flight)
    }
  }

  #load(flight: Flight): Promise<LoadOutcome> {
    const { call, candidate } = flight
    call.onDecided?.()
    flight.ask?.close()
    flight.trace?.end(endOfRead(flight))
    // A refresh, asked for or behind a caller that was served, is no read that found nothing.
    if (!flight.isSettled && !flight.isForced) this.#reports.miss(call, flight.missed)
    // The birth of its result: before the load begins, and not earlier than that.
    stand(this.#node, flight)
    return runLoader(this.#node, flight, {
      previous: candidate?.kind === 'value' ? this.#previous(call, candidate) : undefined,
      onSoftTimeout: () => this.#serveFallback(flight, 'timeout'),
    })
  }

  /** A loader may change the value that it replaces, where each caller gets a copy. */
  #previous({ policy }: ReadCall, { value }: LocalEntry): unknown {
    return policy.isolation === 'cloned' ? ownCopy(this.#node, policy, value) : value
  }

  /** Tells whether a result is for the caller that ran the loader alone. Then nobody joins it, and what is cached ends. */
  #isForOneCaller(flight: Flight, outcome: LoadOutcome): boolean {
    const { call } = flight
    if (outcome.kind === 'error' || call.rules.unsharedOf === undefined) return false
    const forMs = unsharedFor(call, outcome.value, this.#node.events)
    if (forMs === 0) {
      this.#node.unshared.unmark(call.fullKey)
      return false
    }
    flight.unsharedForMs = forMs
    stopSharing(this.#node, flight, forMs)
    if (flight.isAlive) this.#node.local?.delete(call.fullKey)
    return true
  }

  #keepableOf(flight: Flight, outcome: LoadOutcome): Keepable | undefined {
    const kept = this.#decide(flight, outcome)
    return kept === undefined ? undefined : takeIn(this.#node, flight.call, kept)
  }

  /** Decides whether and how the outcome is kept. */
  #decide(flight: Flight, outcome: LoadOutcome): Keepable | undefined {
    const { call } = flight
    if (call.rules.keeps?.() === false) {
      this.#reports.discarded(call)
      return undefined
    }
    if (outcome.kind !== 'error') return keepable(call, outcome, this.#node.events)
    // Its error is then caused by the callers.
    if (outcome.isGivenUp) return undefined
    const kept = keepableError(call, outcome, this.#node.events)
    // A refresh that fails leaves the old value; its callers get the error and not that value.
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
      this.#shelf.keep(flight, candidate)
      this.#serveFallback(flight, 'error')
    }
    flight.reject(outcome.error)
  }

  /**
   * Without `staleIfError`, an entry that cannot be verified must not replace a failed load: it may have been evicted
   * elsewhere longer ago than `maxStaleness`.
   */
  #canFallBack(flight: Flight): boolean {
    const { candidate, call } = flight
    if (candidate === undefined || flight.ask !== undefined || !this.#isAtHand(flight)) return false
    if (keepsForErrors(call)) return true
    const { knowledge, clock } = this.#node
    return isTrusted(candidate, call.policy.maxStalenessMs, knowledge, clock.now())
  }

  /** Whether the old value is still there, and was not invalidated. */
  #isAtHand({ candidate, isAlive, call }: Flight): boolean {
    if (candidate === undefined || candidate.kind !== 'value' || !isAlive) return false
    const { clock, knowledge } = this.#node
    if (candidate.livesUntil <= clock.now()) return false
    const { birth, stamp, tags } = candidate
    return knowledge.tags.allows(birth, call.cacheTag, stamp.partition, tags)
  }

  /** Returns the stale value for a caller that has stopped waiting, if it may be served. */
  fallBack(flight: Flight): Promise<unknown> | undefined {
    const { candidate, call } = flight
    if (candidate === undefined || !this.#canFallBack(flight)) return undefined
    this.#reports.stale(candidate, call, 'timeout')
    return handOut(candidate.value, call, this.#node)
  }

  #serveFallback(flight: Flight, why: 'error' | 'timeout'): void {
    if (flight.isSettled || !this.#canFallBack(flight) || flight.candidate === undefined) return
    this.#reports.stale(flight.candidate, flight.call, why)
    flight.serveOld(flight.candidate)
  }
}

/** A refresh loads whatever is there. */
function endOfRead({ isForced, missed }: Flight): Partial<ReadTrace> {
  return isForced ? { outcome: 'refresh' } : { outcome: 'miss', missed }
}

/** Callers of a load whose result is kept get the same as later ones. An error stays the one the method threw. */
function asKept(outcome: LoadOutcome, kept: Keepable | undefined): LoadOutcome {
  if (kept === undefined || outcome.kind === 'error') return outcome
  return kept.value === outcome.value ? outcome : { ...outcome, value: kept.value }
}
