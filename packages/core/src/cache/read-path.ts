/**
 * How a value is found: local tier, a flight already under way, remote tier, another node's load, our own load.
 *
 * The difficulty is to never return an old value as a new one. Everything that is read or loaded stands on a *stamp* taken before it
 * began: the tag clock (its birth), the partition's sequence number and generation. An invalidation after the
 * stamp is known to be newer than the value, because the value's source was read later than the stamp and the invalidation
 * either reached this node (and killed the flight) or will be found by the next sync (and compares higher than the stamp).
 *
 * So the order in `#launch` matters: stamp, then register the flight where invalidations can kill it, then read. And the
 * order at the end matters: a result is stored locally only by a flight that is still alive, in the same synchronous step
 * as the check.
 *
 * In the store, the lease does the same job: `claim` before the load, `fill` only while the lease still stands. An
 * eviction removes value and lease, so a load that began before it has nothing to fill.
 *
 * The remote tier may fail at any point. Then the flight goes on without it (`loadAlone`): at most one store timeout was
 * lost, and the value is kept locally for `maxStaleness`, because this node cannot know what happens to it.
 */

import type { LocalEntry } from '../entry/local-entry.ts'
import type { Stamp } from '../entry/stamp.ts'
import { ClosedError } from '../errors/closed-error.ts'
import type { MissReason } from '../events/events.ts'
import { Caller } from './caller.ts'
import type { EvictionUnit } from './eviction-unit.ts'
import type { Flight } from './flight.ts'
import { goneBy, isTrusted, judge } from './judge.ts'
import type { LoadPath } from './load-path.ts'
import { enclosingLoad, isInside, type LoadScope, noteWaiting } from './load-scope.ts'
import type { LocalShelf } from './local-shelf.ts'
import { Looks } from './look.ts'
import type { CacheNode } from './node.ts'
import { loadApart, NotShared, watchToItsEnd } from './not-shared.ts'
import type { ReadCall } from './read-call.ts'
import { type ReadReports, tracesReads, traceWait } from './read-reports.ts'
import { Refreshes } from './refresh.ts'
import { RemoteRead } from './remote-read.ts'
import { StandIns } from './stand-ins.ts'
import { handOut, handOutShared, rejectedError } from './value-forms.ts'
import type { Standing } from './witness.ts'
import type { WritePath } from './write-path.ts'

export interface ReadParts {
  readonly loads: LoadPath
  readonly reports: ReadReports
  readonly shelf: LocalShelf
  readonly writes: WritePath
}

export class ReadPath {
  readonly #node: CacheNode
  readonly #loads: LoadPath
  readonly #standIns: StandIns
  readonly #reports: ReadReports
  readonly #remote: RemoteRead
  readonly #refreshes: Refreshes
  readonly looks: Looks

  constructor(node: CacheNode, { loads, reports, shelf, writes }: ReadParts) {
    this.#node = node
    this.#reports = reports
    this.#loads = loads
    this.#standIns = new StandIns(node, loads)
    this.#remote = new RemoteRead(node, { loads, reports, shelf })
    this.looks = new Looks(node, this.#remote)
    this.#refreshes = new Refreshes(node, this.#remote, writes)
  }

  /** The node whose entries are read here. */
  get owner(): CacheNode {
    return this.#node
  }

  /** Returns the value of a key, loading it if need be. Rejects only with what the loader rejects with (or our own misuse errors). */
  read(call: ReadCall): Promise<unknown> {
    const node = this.#node
    if (node.isClosed) return Promise.reject(new ClosedError(node.namespace))
    if (node.isOff) return loadApart(node, call)
    const unit = node.unit()
    if (unit !== undefined) return this.#asCallerInUnit(call, unit)
    if (call.mode === 'refresh') return this.#refresh(call)
    const entry = call.policy.local ? node.local?.get(call.fullKey) : undefined
    if (entry === undefined) return this.#share(call)
    // A load that asks for its own key is not to be given what it is to replace.
    const scope = enclosingLoad()
    if (scope !== undefined && isInside(scope, this.#sought(call), undefined))
      return this.#loadInside(call, scope)

    const now = node.clock.now()
    switch (judge(entry, call, node.knowledge, now)) {
      case 'fresh':
        return this.#hit(entry, call)
      case 'early':
        this.#revalidate(call, entry)
        return this.#hit(entry, call)
      case 'stale':
        this.#revalidate(call, entry)
        return this.#staleHit(entry, call)
      case 'backing-off':
        return this.#staleHit(entry, call)
      case 'gone':
        node.local?.delete(call.fullKey)
        return this.#share(call, undefined, goneBy(entry, now))
      case 'fallback':
        return this.#share(call, entry, 'expired')
      default:
        return this.#share(call, entry)
    }
  }

  /**
   * A value loaded in a unit of work may never be committed, and its changes are not in the cached values: nothing
   * is kept, no caller joins, and loads outside are not waited for. A refresh says that the cached value is old.
   */
  async #readInUnit(call: ReadCall, unit: EvictionUnit): Promise<unknown> {
    if (call.mode === 'refresh') {
      const value = await loadApart(this.#node, call)
      await this.#refreshes.evictOld(call)
      return value
    }
    const found = unit.covers(call.cache, call.fullKey) ? undefined : await this.find(call)
    if (found === undefined) return loadApart(this.#node, call)
    call.onDecided?.()
    return found
  }

  /**
   * Returns a value that may be served now, or `undefined`. Never loads, and never rejects because of the store.
   * `allowsStale`: also a value that is kept for failed loads.
   */
  async find(call: ReadCall, allowsStale = false): Promise<unknown> {
    const found = await this.looks.find(call, { fallback: allowsStale, traceless: false })
    if (typeof found === 'string') {
      this.#reports.miss(call, found)
      return undefined
    }
    const { entry, tier, age } = found
    if (age === 'fresh') this.#reports.hit(entry, call, tier)
    else this.#reports.stale(entry, call, age === 'stale' ? 'revalidating' : 'asked')
    return this.#valueOf(entry, call)
  }

  /** Runs a refresh behind the caller unless one is under way. */
  #revalidate(call: ReadCall, entry: LocalEntry): void {
    const { fullKey: key } = call
    if (this.#node.flights.get(key) !== undefined || this.#refreshes.has(key)) return
    const flight = this.#remote.make(call.unobserved(), entry)
    // Load even if a fresh entry is found.
    flight.isForced = true
    this.#launch(flight)
    flight.promise.catch(() => undefined)
  }

  #refresh(call: ReadCall): Promise<unknown> {
    const scope = enclosingLoad()
    const flight = this.#refreshes.flightOf(call.fullKey)
    if (scope !== undefined && isInside(scope, this.#sought(call), flight))
      return this.#loadInside(call, scope)
    return this.#asCaller(call, (own) => this.#refreshes.refresh(own))
  }

  #asCallerInUnit(call: ReadCall, unit: EvictionUnit): Promise<unknown> {
    const answer = this.#readInUnit(call, unit)
    return call.isImpatient ? new Caller(call).wait(this.#node, answer) : answer
  }

  /** Lets a caller stop waiting if it may. */
  #asCaller(call: ReadCall, ask: (call: ReadCall) => Promise<unknown>): Promise<unknown> {
    if (!call.isImpatient) return ask(call)
    const caller = new Caller(call)
    const answer = ask(call.with({ caller }))
    return caller.wait(this.#node, answer, (flight) => this.#loads.fallBack(flight))
  }

  #share(call: ReadCall, candidate?: LocalEntry, missed?: MissReason): Promise<unknown> {
    return this.#asCaller(call, (own) => this.#joinOrLaunch(own, candidate, missed))
  }

  /** Joins the flight under way, or starts one. */
  #joinOrLaunch(
    call: ReadCall,
    candidate: LocalEntry | undefined,
    missed: MissReason | undefined,
  ): Promise<unknown> {
    const flight = this.#node.flights.get(call.fullKey)
    const scope = enclosingLoad()
    if (scope !== undefined && isInside(scope, this.#sought(call), flight))
      return this.#loadInside(call, scope)
    const { unshared } = this.#node
    const isApart = unshared.marks.size > 0 && unshared.has(call.fullKey)
    const isJoinable =
      !isApart &&
      flight !== undefined &&
      // Still running when its stand-in has ended: it is stuck.
      (flight.isSettled || flight.standIn?.isSettled !== true) &&
      this.#isTrusted(flight.served ?? flight, call)
    if (!isJoinable) {
      const launched = this.#remote.make(call, candidate)
      launched.isUnshared = isApart
      if (missed !== undefined) launched.missed = missed
      this.#launch(launched)
      if (scope !== undefined) noteWaiting(scope, launched)
      return handOut(launched.promise, call, this.#node)
    }
    flight.joinedBy(call.rules.caller)
    if (scope !== undefined) noteWaiting(scope, flight)
    call.counters.joined += 1
    call.onDecided?.()
    const answer =
      (flight.served ?? flight).stamp.changes === this.#node.knowledge.changes
        ? handOutShared(this.#standIns.answer(flight, call, this.#again), call, this.#node)
        : this.#joinOlder(flight, call)
    return tracesReads() ? traceWait(this.#node, call, { flight, answer }) : answer
  }

  readonly #again = (call: ReadCall): Promise<unknown> => this.read(call)

  #sought({ fullKey }: ReadCall): { readonly owner: object; readonly key: string } {
    return { owner: this.#node, key: fullKey }
  }

  /** Runs the loader of a call that would otherwise wait for the load it is part of; that one keeps its own result. */
  async #loadInside(call: ReadCall, scope: LoadScope): Promise<unknown> {
    call.onDecided?.()
    return call.loader.load(scope.context)
  }

  /** A flight that could not be told of an eviction for `maxStaleness` is as doubtful as an entry of that age. */
  #isTrusted({ stamp, at }: Standing, { policy }: ReadCall): boolean {
    const { knowledge, clock } = this.#node
    return isTrusted({ stamp, verifiedAt: at }, policy.maxStalenessMs, knowledge, clock.now())
  }

  /**
   * Joins a flight that began before some invalidation of tags or partitions, soft ones included. If a tag it is known to carry is among
   * them it is detached; tags that come from its result can only be checked when that is there.
   */
  async #joinOlder(flight: Flight, call: ReadCall): Promise<unknown> {
    const { knowledge, flights } = this.#node
    const stillStands = (tags: readonly string[], { birth }: Stamp): boolean =>
      knowledge.tags.allows(birth, call.cacheTag, flight.address.partition, tags) &&
      !knowledge.tags.softens(birth, call.cacheTag, tags)
    if (!stillStands(flight.call.rules.tags, (flight.served ?? flight).stamp)) {
      flights.detach(flight)
      return this.#share(call, undefined, 'tag')
    }
    const value = await this.#standIns.join(flight, call)
    if (value instanceof NotShared) return value.answer(call, this.#again)
    const answered = flight.isSettled ? flight : (flight.standIn ?? flight)
    const { stamp, entry } = answered.served ?? answered
    if (entry !== undefined && stillStands(entry.tags, stamp)) {
      return handOut(value, call, this.#node)
    }
    // It may still be filling the store: if it were not detached, the next read would join it again.
    flights.detach(flight)
    return this.read(call)
  }

  #launch(flight: Flight): void {
    // Before it begins, which may be all it takes to load. The value of a revalidation is for later callers.
    flight.joinedBy(flight.call.rules.caller)
    if (flight.isUnshared) watchToItsEnd(this.#node, flight)
    else this.#node.flights.add(flight)
    this.#remote.go(flight)
  }

  #hit(entry: LocalEntry, call: ReadCall): Promise<unknown> {
    call.onDecided?.()
    this.#reports.hit(entry, call, 'local')
    return this.#valueOf(entry, call)
  }

  #staleHit(entry: LocalEntry, call: ReadCall): Promise<unknown> {
    call.onDecided?.()
    this.#reports.stale(entry, call, 'revalidating')
    return this.#valueOf(entry, call)
  }

  #valueOf(entry: LocalEntry, call: ReadCall): Promise<unknown> {
    if (entry.kind === 'error') return rejectedError(entry.value, call, this.#node)
    if (call.policy.isolation === 'cloned') return handOut(entry.value, call, this.#node)
    entry.promise ??= Promise.resolve(entry.value)
    return entry.promise
  }
}
