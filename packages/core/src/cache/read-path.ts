/**
 * How a value is found: local tier, a flight already under way, remote tier, somebody else's load, our own load.
 *
 * The problem is not finding it but not lying. Everything that is read or loaded stands on a *stamp* taken before it
 * began: the tag clock (its birth), the partition's sequence number and generation. Whatever is invalidated after the
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

import type { ClaimReply, ClaimRequest } from '../contracts/remote-store.ts'
import { decodeHeader, type EntryHeader, FLAG, field } from '../entry/envelope.ts'
import { freezeDecoded, freezeDeep } from '../entry/freeze.ts'
import { LocalEntry } from '../entry/local-entry.ts'
import { ClosedError } from '../errors/closed-error.ts'
import { StoreUnavailableError } from '../errors/store-error.ts'
import type { ReadReceiver } from '../remote/read-batch.ts'
import type { EvictionUnit } from './eviction-unit.ts'
import { Flight } from './flight.ts'
import { handOut, handOutShared, rejectedError } from './hand-out.ts'
import { isTrusted, judge } from './judge.ts'
import { Lease, leaseLength, randomId } from './lease.ts'
import type { LoadPath } from './load-path.ts'
import { enclosingLoad, isInside, type LoadScope, noteWaiting } from './load-scope.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import { type Age, ageOf, inspect } from './remote-entry.ts'
import { StandIns } from './stand-ins.ts'
import { restored } from './value-forms.ts'

/** How often a waiter looks for itself, in case the wake-up was lost. */
const POLL_MS = 200

/** So many waiters look that often; more do it so much more rarely, or their looking would be all that the store does. */
const WAITERS_PER_POLL = 500

/** Claims that answer "filled" with something unusable before the store's copy is given up on. */
const MAX_UNUSABLE_FILLS = 3

export class ReadPath {
  readonly #node: CacheNode
  readonly #loads: LoadPath
  readonly #standIns: StandIns
  /**
   * One for all flights: reads are too many for a pair of closures each. The replies of a tick come together, in the
   * context of none of them.
   */
  readonly #receiver: ReadReceiver<Flight> = {
    received: (flight, bytes) => flight.context.runInAsyncScope(this.#receive, this, flight, bytes),
    failed: (flight) => flight.context.runInAsyncScope(this.#goOnAlone, this, flight),
  }
  readonly #headerReceiver: ReadReceiver<Flight> = {
    received: (flight, bytes) => flight.context.runInAsyncScope(this.#compare, this, flight, bytes),
    failed: this.#receiver.failed,
  }

  constructor(node: CacheNode, loads: LoadPath) {
    this.#node = node
    this.#loads = loads
    this.#standIns = new StandIns(node, loads)
  }

  /** Whose entries are read here. */
  get owner(): object {
    return this.#node
  }

  /** Returns the value of a key, loading it if need be. Rejects only with what the loader rejects with (or our own misuse errors). */
  read(call: ReadCall): Promise<unknown> {
    const node = this.#node
    if (node.isClosed) return Promise.reject(new ClosedError(node.namespace))
    if (node.isOff) return this.#runPlain(call)
    const unit = node.unit()
    if (unit !== undefined) return this.#readInUnit(call, unit)
    const entry = call.policy.local ? node.local?.get(call.fullKey) : undefined
    if (entry === undefined || call.mode === 'refresh') return this.#share(call, undefined)

    switch (judge(entry, call, node, node.clock.now())) {
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
        return this.#share(call, undefined)
      default:
        return this.#share(call, entry)
    }
  }

  /** The caller's own load, shared with nobody. */
  #runPlain({ source, onDecided }: ReadCall): Promise<unknown> {
    onDecided?.()
    return source.load({ signal: this.#node.closing.signal, previous: undefined })
  }

  /**
   * What is loaded in a unit of work may never be committed, and what it has changed is not what others have cached: nothing
   * is kept, nobody joins, and what is loaded outside is not waited for.
   */
  async #readInUnit(call: ReadCall, unit: EvictionUnit): Promise<unknown> {
    const isHit = call.mode !== 'refresh' && !unit.covers(call.cache, call.fullKey)
    const found = isHit ? await this.find(call) : undefined
    if (found === undefined) return this.#runPlain(call)
    call.onDecided?.()
    return found
  }

  /** Returns a value that may be served now, or `undefined`. Never loads, and never rejects because of the store. */
  async find(call: ReadCall): Promise<unknown> {
    const node = this.#node
    if (node.isClosed) throw new ClosedError(node.namespace)
    if (node.unit()?.covers(call.cache, call.fullKey) === true) return undefined
    const entry = call.policy.local ? node.local?.get(call.fullKey) : undefined
    if (entry !== undefined) {
      const verdict = judge(entry, call, node, node.clock.now())
      if (verdict === 'fresh' || verdict === 'early') return this.#hit(entry, call)
      if (verdict === 'stale' || verdict === 'backing-off') return this.#staleHit(entry, call)
    }
    const found = await this.#findRemotely(call)
    if (found !== undefined) return this.#valueOf(found, call)
    this.#loads.countMiss(call)
    return undefined
  }

  async #findRemotely(call: ReadCall): Promise<LocalEntry | undefined> {
    const { remote, coherence, knowledge, flights } = this.#node
    const { maxStalenessMs } = call.policy
    await coherence.prepareToJudge(maxStalenessMs)
    const { address } = call
    const flight = this.#begin(call)
    if (remote === undefined || !this.#usesRemote(flight)) return undefined
    if (!knowledge.canJudge(maxStalenessMs)) return undefined
    flights.watch(flight)
    try {
      const bytes = await new Promise<Uint8Array | undefined>((resolve, reject) => {
        const received = (_: unknown, found: Uint8Array | undefined): void => resolve(found)
        remote.read(address, { received, failed: (_: unknown, error) => reject(error) }, undefined)
      })
      const found = inspect(bytes, flight, this.#node, this.#onForeign)
      if (bytes === undefined || typeof found === 'number') return undefined
      const age = ageOf(found, this.#node.clock.now())
      if (age === 'fallback') return undefined
      const entry = await this.#decode(flight, found, bytes)
      if (entry === undefined) return undefined
      this.#loads.keepLocally(flight, entry, bytes.length)
      this.#countRemote(entry, call, age)
      return entry
    } catch (error) {
      remote.reportDefect('read', error)
      return undefined
    } finally {
      flights.unwatch(flight)
    }
  }

  #countRemote(entry: LocalEntry, call: ReadCall, age: Age): void {
    const negative = entry.kind === 'negative'
    if (negative) call.counters.negativeHits += 1
    if (age === 'stale') {
      this.#loads.countStale(call, 'revalidating')
      return
    }
    call.counters.remoteHits += 1
    if (this.#node.events.has('hit')) {
      this.#node.events.emit('hit', {
        cache: call.cache,
        key: call.fullKey,
        tier: 'remote',
        negative,
      })
    }
  }

  /** Runs a refresh behind the caller unless one is under way. */
  #revalidate(call: ReadCall, entry: LocalEntry): void {
    if (this.#node.flights.get(call.fullKey) !== undefined) return
    const flight = this.#launch(call.unobserved(), entry, true)
    flight.promise.catch(() => undefined)
  }

  /** Joins the flight under way, or starts one. */
  #share(call: ReadCall, candidate: LocalEntry | undefined): Promise<unknown> {
    const flight = this.#node.flights.get(call.fullKey)
    const scope = enclosingLoad()
    if (scope !== undefined) {
      const sought = { owner: this.#node, key: call.fullKey }
      if (isInside(scope, sought, flight)) return this.#loadInside(call, scope)
    }
    const isJoinable =
      flight !== undefined &&
      call.mode !== 'refresh' &&
      // Still running when what stands in for it is over: it is stuck.
      (flight.isSettled || flight.standIn?.isSettled !== true) &&
      this.#isTrusted(flight)
    if (!isJoinable) {
      const launched = this.#launch(call, candidate, call.mode === 'refresh')
      if (scope !== undefined) noteWaiting(scope, launched)
      return handOut(launched.promise, call, this.#node)
    }
    if (scope !== undefined) noteWaiting(scope, flight)
    call.counters.joined += 1
    call.onDecided?.()
    if (flight.stamp.changes === this.#node.knowledge.changes) {
      return handOutShared(this.#standIns.join(flight, call), call, this.#node)
    }
    return this.#joinOlder(flight, call)
  }

  /** Runs the loader of a call that would otherwise wait for the load it is part of; that one keeps its own result. */
  async #loadInside(call: ReadCall, scope: LoadScope): Promise<unknown> {
    call.onDecided?.()
    return call.source.load(scope.context)
  }

  /** A flight that nobody could have told of an eviction for `maxStaleness` is no better than an entry of that age. */
  #isTrusted({ stamp, at, call }: Flight): boolean {
    return isTrusted(stamp, at, call, this.#node, this.#node.clock.now())
  }

  /**
   * Joins a flight that began before some invalidation of tags or partitions, soft ones included. If a tag it is known to carry is among
   * them it is detached; tags that come from its result can only be checked when that is there.
   */
  async #joinOlder(flight: Flight, call: ReadCall): Promise<unknown> {
    const { knowledge, flights } = this.#node
    const stillStands = (tags: readonly string[], { birth } = flight.stamp): boolean =>
      knowledge.tags.allows(birth, call.cacheTag, flight.address.partition, tags) &&
      !knowledge.tags.softens(birth, call.cacheTag, tags)
    if (!stillStands(flight.call.rules.tags)) {
      flights.detach(flight)
      return this.#share(call, undefined)
    }
    const value = await this.#standIns.join(flight, call)
    const { stamp, entry } = flight.isSettled ? flight : (flight.standIn ?? flight)
    if (entry !== undefined && stillStands(entry.tags, stamp)) {
      return handOut(value, call, this.#node)
    }
    // It may still be filling the store: without detaching it, the next read would only join it again.
    flights.detach(flight)
    return this.read(call)
  }

  #begin(call: ReadCall, candidate?: LocalEntry): Flight {
    const { knowledge, clock } = this.#node
    return new Flight(call, knowledge.stamp(call.address.partition), clock.now(), candidate)
  }

  /** Starts a flight. `isForced`: load even if what is found is fresh. */
  #launch(call: ReadCall, candidate: LocalEntry | undefined, isForced: boolean): Flight {
    const node = this.#node
    const flight = this.#begin(call, candidate)
    flight.isForced = isForced
    node.flights.add(flight)
    if (!this.#usesRemote(flight)) this.#continue(flight, this.#loads.loadAlone(flight))
    else if (node.knowledge.canJudge(call.policy.maxStalenessMs)) this.#readRemote(flight)
    else this.#continue(flight, this.#startThenRead(flight))
    return flight
  }

  #usesRemote({ call, address }: Flight): boolean {
    const { remote, knowledge } = this.#node
    if (remote === undefined || !call.policy.remote || call.mode === 'localOnly') return false
    return !knowledge.isInDoubt(address.key)
  }

  async #startThenRead(flight: Flight): Promise<void> {
    const { coherence, knowledge } = this.#node
    const { maxStalenessMs } = flight.call.policy
    await coherence.prepareToJudge(maxStalenessMs)
    if (!knowledge.canJudge(maxStalenessMs)) {
      await this.#loads.loadAlone(flight)
      return
    }
    // Nothing has been read yet, so the flight may stand on what is known now.
    flight.stamp = knowledge.stamp(flight.address.partition)
    flight.at = this.#node.clock.now()
    this.#readRemote(flight)
  }

  #readRemote(flight: Flight): void {
    const { remote } = this.#node
    const { candidate, call } = flight
    if (remote === undefined) return
    if (call.site.isCold && candidate === undefined && !flight.isForced) {
      this.#continue(flight, this.#claimAndLoad(flight, 0))
      return
    }
    const isWorthComparing = candidate !== undefined && candidate.commit !== 0 && !flight.isForced
    if (isWorthComparing) {
      remote.readHeader(flight.address, this.#headerReceiver, flight)
      return
    }
    remote.read(flight.address, this.#receiver, flight)
  }

  /** An unverified local entry stands again when the store still holds the very write it is a copy of. */
  #compare(flight: Flight, bytes: Uint8Array | undefined): void {
    const { call, stamp, candidate } = flight
    const header = bytes === undefined ? undefined : decodeHeader(bytes)
    const isSame = header?.commit === candidate?.commit && ((header?.flags ?? 0) & FLAG.stale) === 0
    if (candidate !== undefined && isSame && flight.isAlive && !this.#isPast(header)) {
      candidate.confirm(stamp, Math.min(flight.at, this.#node.knowledge.tagsVerifiedAt))
      const verdict = judge(candidate, call, this.#node, this.#node.clock.now())
      if (verdict === 'fresh' || verdict === 'early') {
        this.#node.flights.remove(flight)
        flight.entry = candidate
        call.onDecided?.()
        this.#countHit(candidate, call)
        this.#settle(flight, candidate)
        return
      }
    } else {
      flight.candidate = undefined
    }
    this.#node.remote?.read(flight.address, this.#receiver, flight)
  }

  /** Tells whether an entry is fresh no longer by the store's clock, which counts the time that this machine slept. */
  #isPast(header: EntryHeader | undefined): boolean {
    if (header === undefined) return true
    const { knowledge, clock } = this.#node
    return knowledge.server.toLocal(header.createdAt) + header.freshForMs <= clock.now()
  }

  #goOnAlone(flight: Flight): void {
    this.#continue(flight, this.#loads.loadAlone(flight))
  }

  #receive(flight: Flight, bytes: Uint8Array | undefined): void {
    const node = this.#node
    const now = node.clock.now()
    flight.call.counters.remoteReadMs.record(now - flight.at)
    const found = inspect(bytes, flight, node, this.#onForeign)
    flight.call.site.noteFound(typeof found !== 'number')
    if (bytes === undefined || typeof found === 'number') {
      this.#continue(flight, this.#claimAndLoad(flight, found as number))
    } else if (ageOf(found, now) === 'fresh' && !needsLoad(flight, found)) {
      this.#adopt(flight, found, bytes)
    } else {
      this.#continue(flight, this.#beyondFresh(flight, found, bytes))
    }
  }

  /** What the store holds is not fresh: serve it if it may be served, and in any case see to a new one. */
  async #beyondFresh(flight: Flight, found: LocalEntry, bytes: Uint8Array): Promise<void> {
    const age = ageOf(found, this.#node.clock.now())
    const entry = await this.#decode(flight, found, bytes)
    if (entry !== undefined && entry.kind === 'value') {
      flight.candidate = entry
      if (age === 'stale' && !flight.isForced) this.#serveStale(flight, entry, 'revalidating')
    }
    await this.#claimAndLoad(flight, found.commit)
  }

  /** Takes a fresh entry of the store over into the local tier and hands it out. */
  #adopt(flight: Flight, found: LocalEntry, bytes: Uint8Array): void {
    const decoded = this.#decode(flight, found, bytes)
    if (decoded instanceof LocalEntry) {
      this.#adoptEntry(flight, decoded, bytes)
      return
    }
    this.#continue(
      flight,
      decoded.then((entry) => {
        if (entry === undefined) return this.#claimAndLoad(flight, found.commit)
        this.#adoptEntry(flight, entry, bytes)
      }),
    )
  }

  #adoptEntry(flight: Flight, entry: LocalEntry, { length }: Uint8Array): void {
    const { call } = flight
    call.onDecided?.()
    this.#loads.keepLocally(flight, entry, length)
    this.#node.flights.remove(flight)
    this.#countRemote(entry, call, 'fresh')
    this.#settle(flight, entry)
  }

  /** Gives an entry its value; synchronous unless codec steps were applied. `undefined` (as a promise) when it does not decode. */
  #decode(
    flight: Flight,
    entry: LocalEntry,
    bytes: Uint8Array,
  ): LocalEntry | Promise<LocalEntry | undefined> {
    const { values } = this.#node
    try {
      const value = values?.decode(field.payload(bytes), field.steps(bytes))
      if (!(value instanceof Promise)) return this.#withValue(flight, entry, value)
      return value
        .then((decoded) => this.#withValue(flight, entry, decoded))
        .catch((reason: unknown) => this.#reportUndecodable(flight.call, reason))
    } catch (reason) {
      return Promise.resolve(this.#reportUndecodable(flight.call, reason))
    }
  }

  #withValue({ call }: Flight, entry: LocalEntry, value: unknown): LocalEntry {
    const { isolation, fromPlain } = call.policy
    const made = restored(value, entry.kind, call.policy)
    if (isolation === 'frozen' && entry.kind !== 'error') {
      if (fromPlain === undefined) freezeDecoded(made)
      else freezeDeep(made)
    }
    entry.value = made
    return entry
  }

  /** Asks for the right to load until it is granted, somebody else's result is there, or the wait is over. */
  async #claimAndLoad(flight: Flight, seenAtFirst: number): Promise<void> {
    const { clock } = this.#node
    const { policy } = flight.call
    // Counted from when there is somebody to wait for: before that, it may be our own queue that takes its time.
    let giveUpAt = Number.POSITIVE_INFINITY
    const token = randomId()
    let seen = seenAtFirst
    let overtake = 0
    let unusable = 0
    while (!this.#node.isClosed) {
      const leaseMs = leaseLength(policy.leaseWaitMs)
      const reply = await this.#claim(flight, { token, leaseMs, seen, overtake })
      if (reply === undefined) return this.#loads.loadAlone(flight)
      if (reply instanceof Lease) return this.#loadUnder(flight, reply)
      if (reply.kind === 'filled') {
        const wanting = await this.#takeFilled(flight, reply.bytes)
        if (wanting === undefined) return
        seen = wanting
        if (++unusable > MAX_UNUSABLE_FILLS) return this.#loads.loadAlone(flight)
        continue
      }
      flight.call.onDecided?.()
      if (!policy.sync) return this.#loads.loadAlone(flight)
      giveUpAt = Math.min(giveUpAt, clock.now() + policy.leaseWaitMs)
      const leftMs = giveUpAt - clock.now()
      overtake = leftMs <= 0 ? reply.holder : 0
      if (overtake === 0) await this.#wait(flight, Math.min(leftMs, reply.remainingMs))
    }
    this.#endAsClosed(flight)
  }

  async #loadUnder(flight: Flight, lease: Lease): Promise<void> {
    if (this.#node.isClosed) {
      lease.release()
      this.#endAsClosed(flight)
      return
    }
    if (lease.isCertain) return this.#loads.loadUnderLease(flight, lease)
    // The claim may yet be granted, after an eviction that this load knows nothing of: nothing is filled by it.
    try {
      await this.#loads.loadAlone(flight)
    } finally {
      lease.release()
    }
  }

  #endAsClosed(flight: Flight): void {
    this.#node.flights.remove(flight)
    flight.call.onDecided?.()
    flight.reject(new ClosedError(this.#node.namespace))
  }

  /**
   * Asks for the lease: it, or who has it or what there is instead; `undefined` when the store was not even asked. A claim
   * whose outcome nobody knows may have been granted: it counts as a lease, so that it is given back.
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
   * Uses what somebody filled meanwhile; returns `undefined` when it served, else the commit id that was found wanting: 0
   * for bytes that are no entry.
   */
  async #takeFilled(flight: Flight, bytes: Uint8Array): Promise<number | undefined> {
    const found = inspect(bytes, flight, this.#node, this.#onForeign)
    flight.call.site.noteFound(typeof found !== 'number')
    if (typeof found === 'number') return found
    if (ageOf(found, this.#node.clock.now()) !== 'fresh') return found.commit
    const entry = await this.#decode(flight, found, bytes)
    if (entry === undefined) return found.commit
    this.#adoptEntry(flight, entry, bytes)
    return undefined
  }

  #wait(flight: Flight, atMostMs: number): Promise<void> {
    const { wakeUps } = this.#node
    const pollMs = POLL_MS * (0.5 + Math.random()) * Math.max(1, wakeUps.size / WAITERS_PER_POLL)
    return wakeUps.wait(flight.address.key, Math.max(1, Math.min(pollMs, atMostMs)))
  }

  #hit(entry: LocalEntry, call: ReadCall): Promise<unknown> {
    this.#countHit(entry, call)
    return this.#valueOf(entry, call)
  }

  #countHit(entry: LocalEntry, call: ReadCall): void {
    const negative = entry.kind === 'negative'
    call.counters.localHits += 1
    if (negative) call.counters.negativeHits += 1
    call.onDecided?.()
    if (this.#node.events.has('hit')) {
      this.#node.events.emit('hit', {
        cache: call.cache,
        key: call.fullKey,
        tier: 'local',
        negative,
      })
    }
  }

  #staleHit(entry: LocalEntry, call: ReadCall): Promise<unknown> {
    call.onDecided?.()
    this.#loads.countStale(call, 'revalidating')
    return this.#valueOf(entry, call)
  }

  #serveStale(flight: Flight, entry: LocalEntry, why: 'revalidating' | 'timeout'): void {
    if (flight.isSettled) return
    this.#loads.countStale(flight.call, why)
    flight.entry = entry
    flight.resolve(entry.value)
  }

  #settle(flight: Flight, entry: LocalEntry): void {
    flight.entry = entry
    if (entry.kind === 'error') flight.reject(entry.value)
    else flight.resolve(entry.value)
  }

  #valueOf(entry: LocalEntry, call: ReadCall): Promise<unknown> {
    if (entry.kind === 'error') return rejectedError(entry.value, call, this.#node)
    if (call.policy.isolation === 'cloned') return handOut(entry.value, call, this.#node)
    entry.promise ??= Promise.resolve(entry.value)
    return entry.promise
  }

  /** Lets a step of a flight run on its own. A defect in it must reach the callers rather than leave them hanging. */
  #continue(flight: Flight, step: Promise<void>): void {
    const guarded = step.catch((error: unknown) => {
      this.#node.flights.remove(flight)
      flight.call.onDecided?.()
      flight.reject(error)
    })
    this.#node.work.run('read', guarded)
  }

  readonly #onForeign = (call: ReadCall, reason: string): void => {
    this.#reportUndecodable(call, reason)
  }

  #reportUndecodable({ cache, fullKey }: ReadCall, reason: unknown): undefined {
    this.#node.events.emit('undecodable', { cache, key: fullKey, reason })
    return undefined
  }
}

/** Tells whether a fresh entry has to be loaded anew: a refresh that was asked for, or one of the very write found. */
function needsLoad({ isForced, call, candidate }: Flight, { commit }: LocalEntry): boolean {
  if (!isForced) return false
  // A revalidation runs on every node that holds the entry: only the first one finds the old write still there.
  return call.mode === 'refresh' || candidate === undefined || commit === candidate.commit
}
