/**
 * Loading anew on request, whatever is cached: once for all callers, here and on other nodes.
 *
 * The rule: a refresh is answered by a load that began after the call. A load that was already running may have read what the caller
 * knows to be old. So a refresh joins a load that has not begun yet. While one runs, all later callers share the next one. Across
 * nodes, the lease lets one load run at a time, and `RefreshAsk` tells which loads began later.
 *
 * Until then readers get the cached value. If nothing is cached, they join the refresh: its result is as good for them as that of
 * a load of their own.
 *
 * The result is filled under the lease like that of any load, so a change of the key meanwhile wins. And the
 * other nodes are told (replace.ts; where the result stays local, tell-others.ts). That is not necessary after a miss, but here
 * they may hold the old value.
 */

import { EvictionQueued } from '../coherence/eviction-queued.ts'
import type { LocalEntry } from '../entry/local-entry.ts'
import { type Flight, goOn } from './flight.ts'
import { judge } from './judge.ts'
import { endAsClosed, endIfForsaken, stand } from './load.ts'
import { enclosingLoad, noteWaiting } from './load-scope.ts'
import type { CacheNode } from './node.ts'
import { loadApart } from './not-shared.ts'
import type { ReadCall } from './read-call.ts'
import { tracesReads, traceWait } from './read-reports.ts'
import { RefreshAsk } from './refresh-ask.ts'
import type { RemoteRead } from './remote-read.ts'
import { handOutShared } from './value-forms.ts'
import type { WritePath } from './write-path.ts'

/** A refresh that was asked for. */
interface Refresh {
  readonly flight: Flight
  readonly ask: RefreshAsk
  /** Resolves when reads on this node no longer return anything older than its result. */
  readonly outcome: Promise<unknown>
}

const HARD = { soft: false, settleMs: 0 } as const

export class Refreshes {
  readonly #node: CacheNode
  readonly #remote: RemoteRead
  readonly #writes: WritePath
  /** The last that was asked for, by full key. */
  readonly #last = new Map<string, Refresh>()
  /** By entry under refresh: until when it would not need a refresh otherwise. */
  readonly #calm = new WeakMap<LocalEntry, number>()

  constructor(node: CacheNode, remote: RemoteRead, writes: WritePath) {
    this.#node = node
    this.#remote = remote
    this.#writes = writes
  }

  /** True while one is under way. */
  has(key: string): boolean {
    return this.#last.has(key)
  }

  flightOf(key: string): Flight | undefined {
    return this.#last.get(key)?.flight
  }

  refresh(call: ReadCall): Promise<unknown> {
    const last = this.#last.get(call.fullKey)
    const isJoined = last?.ask.isOpen === true
    const { flight, ask, outcome } = isJoined ? last : this.#begin(call, last)
    if (isJoined) {
      ask.join()
      call.counters.joined += 1
      call.onDecided?.()
    }
    flight.joinedBy(call.rules.caller)
    const scope = enclosingLoad()
    if (scope !== undefined) noteWaiting(scope, flight)
    const result = isJoined ? this.#joined(flight, outcome, call) : outcome
    const answer = handOutShared(result, call, this.#node)
    return isJoined && tracesReads() ? traceWait(this.#node, call, { flight, answer }) : answer
  }

  /** A result that is for the first caller alone lets the others load for themselves. */
  #joined(flight: Flight, outcome: Promise<unknown>, call: ReadCall): Promise<unknown> {
    if (flight.call.rules.unsharedOf === undefined) return outcome
    return outcome.then((value) => (flight.isUnshared ? loadApart(this.#node, call) : value))
  }

  #begin(call: ReadCall, before: Refresh | undefined): Refresh {
    const flight = this.#remote.make(call)
    const ask = new RefreshAsk(() => this.#supersede(before, flight))
    flight.isForced = true
    flight.ask = ask
    const refresh = { flight, ask, outcome: this.#outcome(flight) }
    this.#last.set(call.fullKey, refresh)
    this.#node.flights.watch(flight)
    if (before === undefined) this.#offer(flight)
    const end = (): void => {
      this.#node.flights.unwatch(flight)
      if (this.#last.get(call.fullKey) !== refresh) return
      this.#last.delete(call.fullKey)
      this.#calmDown(call.fullKey)
    }
    flight.whenOver(end)
    goOn(this.#node, flight, this.#go(flight, before?.flight))
    return refresh
  }

  async #go(flight: Flight, before: Flight | undefined): Promise<void> {
    // All callers of one tick are counted before anything is sent for them.
    await undefined
    // In the store, the lease lets only one of them run.
    if (before !== undefined && !this.#remote.usesRemote(flight.call))
      await this.#waitFor(before, flight)
    // Whether its result is the last change can be told only from what the store's numbers are known to be before the load.
    if (!flight.call.policy.remote) await this.#node.coherence.start()
    if (this.#node.isClosed) return endAsClosed(this.#node, flight)
    if (endIfForsaken(this.#node, flight)) return
    // This load has not begun, so an invalidation while it waited does not concern it.
    flight.isAlive = true
    flight.touchedAt = 0
    stand(this.#node, flight)
    flight.candidate = this.#atHand(flight.call)
    this.#rouse(flight.address.key)
    this.#offer(flight)
    this.#remote.go(flight)
  }

  /** Readers that find nothing here join a load without the store. */
  #offer(flight: Flight): void {
    const { flights } = this.#node
    if (flights.get(flight.address.key) === flight || this.#remote.usesRemote(flight.call)) return
    flights.add(flight)
  }

  /** The result of an earlier load must not replace that of a later one, also within this process. */
  #supersede(before: Refresh | undefined, later: Flight): void {
    if (before === undefined || before.flight.isOver) return
    before.ask.isSuperseded = true
    later.standsForRefresh = true
    this.#node.flights.detach(before.flight)
  }

  /** Waits until the refresh before this one has ended, or is stuck. */
  async #waitFor(before: Flight, flight: Flight): Promise<void> {
    const { call } = flight
    if (before.isOver) return
    flight.waitsFor = (flight.waitsFor ?? new Set()).add(before)
    // Another caller may wait for this key together with other keys.
    call.onDecided?.()
    await new Promise<void>((resolve) => {
      const waits = this.#node.waits(call.policy.leaseWaitMs)
      const deadline = waits.begin(() => resolve())
      before.whenOver(() => {
        waits.end(deadline)
        resolve()
      })
    })
  }

  /**
   * Until the end of the refresh, hits take the longer way, which knows what load the running code is part of. A method that is
   * refreshed may ask for its own key, through `super`, and must not get the value that it is about to replace.
   */
  #rouse(key: string): void {
    const entry = this.#node.local?.peek(key)
    if (entry === undefined || this.#calm.has(entry)) return
    this.#calm.set(entry, entry.calmUntil)
    entry.calmUntil = 0
  }

  #calmDown(key: string): void {
    const entry = this.#node.local?.peek(key)
    const calmUntil = entry && this.#calm.get(entry)
    if (entry === undefined || calmUntil === undefined) return
    this.#calm.delete(entry)
    entry.calmUntil = Math.min(calmUntil, entry.freshUntil)
  }

  /** What may be served here. */
  #atHand(call: ReadCall): LocalEntry | undefined {
    const { local, clock } = this.#node
    const entry = call.policy.local ? local?.peek(call.fullKey) : undefined
    if (entry?.kind !== 'value') return undefined
    const verdict = judge(entry, call, this.#node.knowledge, clock.now())
    return verdict === 'gone' || verdict === 'unverified' ? undefined : entry
  }

  /** A value that must not be cached still shows that the cached one is old. */
  async #outcome(flight: Flight): Promise<unknown> {
    const { overtakings } = this.#node
    const { key } = flight.address
    overtakings.begin(key)
    try {
      const value = await flight.promise
      if (!flight.isOver) await new Promise<void>((resolve) => flight.whenOver(resolve))
      const leavesOld = (await overtakings.ended(key)) && !flight.isAlive
      if ((flight.entry === undefined || leavesOld) && !this.#node.isClosed)
        await this.evictOld(flight.call)
      return value
    } finally {
      overtakings.end(key)
    }
  }

  /** What was loaded anew is not kept: then what is cached is evicted, in a unit of work at its end. */
  async evictOld({ cache, fullKey }: ReadCall): Promise<void> {
    try {
      await this.#writes.evict(cache, [fullKey], HARD)
    } catch (error) {
      if (!(error instanceof EvictionQueued)) throw error
    }
  }
}
