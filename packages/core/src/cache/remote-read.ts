/**
 * The far half of a read: a flight sets out for the store if that may be used now, and without it otherwise. Then the store's entry
 * is compared, taken over, served while a new one is loaded, or missing.
 */

import { decodeHeader, type EntryHeader, FLAG, isEntry } from '../entry/envelope.ts'
import { type Age, ageOf, LocalEntry } from '../entry/local-entry.ts'
import type { ReadReceiver } from '../remote/read-batch.ts'
import { ClaimPath } from './claim-path.ts'
import { Flight, goOn, settleWith } from './flight.ts'
import type { LookOptions } from './found.ts'
import { judge } from './judge.ts'
import { stand } from './load.ts'
import type { LoadPath } from './load-path.ts'
import type { LocalShelf } from './local-shelf.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import { type ReadReports, traceFlight, tracesReads } from './read-reports.ts'
import type { RefreshAsk } from './refresh-ask.ts'
import { StoredEntries } from './stored-entries.ts'
import type { Witness } from './witness.ts'

/** An entry of the store, with its value, and how old it was when it was read. */
export interface FoundRemotely {
  readonly entry: LocalEntry
  readonly age: Age
}

export interface RemoteReadParts {
  readonly loads: LoadPath
  readonly reports: ReadReports
  readonly shelf: LocalShelf
}

export class RemoteRead {
  readonly #node: CacheNode
  readonly #loads: LoadPath
  readonly #reports: ReadReports
  readonly #shelf: LocalShelf
  readonly #stored: StoredEntries
  readonly #claims: ClaimPath
  /**
   * One for all flights: there are too many reads for two closures per read. The replies of a tick come together, in the
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

  constructor(node: CacheNode, { loads, reports, shelf }: RemoteReadParts) {
    this.#node = node
    this.#loads = loads
    this.#reports = reports
    this.#shelf = shelf
    this.#stored = new StoredEntries(node, shelf, reports)
    this.#claims = new ClaimPath(node, loads, this.#stored)
  }

  /** Makes a flight that stands on what is known now. */
  make(call: ReadCall, candidate?: LocalEntry): Flight {
    const { knowledge, clock } = this.#node
    return new Flight(call, knowledge.stamp(call.address.partition), clock.now(), candidate)
  }

  /** To be called when the flight can be killed: what it reads is as old as its stamp. */
  go(flight: Flight): void {
    const node = this.#node
    if (!this.usesRemote(flight.call)) {
      // An eviction of the key waits: what the store has is what was evicted.
      if (node.knowledge.isInDoubt(flight.address.key)) flight.missed = 'evicted'
      goOn(node, flight, this.#loads.loadAlone(flight))
      return
    }
    if (tracesReads()) traceFlight(node, flight)
    if (node.knowledge.canJudge(flight.call.policy.maxStalenessMs)) this.#askStore(flight)
    else goOn(node, flight, this.#prepareThenRead(flight))
  }

  usesRemote({ address, policy, mode }: ReadCall): boolean {
    const { remote, knowledge } = this.#node
    if (remote === undefined || !policy.remote || mode === 'localOnly') return false
    return !knowledge.isInDoubt(address.key)
  }

  async #prepareThenRead(flight: Flight): Promise<void> {
    const { coherence, knowledge } = this.#node
    const { maxStalenessMs } = flight.call.policy
    await coherence.prepareToJudge(maxStalenessMs)
    if (!knowledge.canJudge(maxStalenessMs)) {
      flight.missed = 'store-away'
      await this.#loads.loadAlone(flight)
      return
    }
    stand(this.#node, flight)
    this.#askStore(flight)
  }

  /** Reads the entry, or its header where that may be enough; or claims at once where nothing will be found. */
  #askStore(flight: Flight): void {
    const { remote } = this.#node
    const { candidate, call } = flight
    if (remote === undefined) return
    if (call.isCold && candidate === undefined && !flight.isForced) {
      goOn(this.#node, flight, this.#claims.load(flight, 0))
      return
    }
    const isWorthComparing = candidate !== undefined && candidate.commit !== 0 && !flight.isForced
    if (isWorthComparing) {
      remote.readHeader(flight.address, this.#headerReceiver, flight)
      return
    }
    flight.ask?.look(flight.stamp)
    remote.read(flight.address, this.#receiver, flight)
  }

  /** Looks an entry up, and never loads. `unknown` when the store could not be asked. */
  async find(
    witness: Witness,
    { fallback, traceless, valueless = false }: LookOptions,
  ): Promise<FoundRemotely | 'nothing' | 'unknown'> {
    const { remote, flights } = this.#node
    const { address } = witness
    if (remote === undefined) return 'unknown'
    flights.watch(witness)
    // Around the reading of the reply, too: a store that answers with something else must not break the call.
    try {
      const bytes = await new Promise<Uint8Array | undefined>((resolve, reject) => {
        const received = (_: unknown, found: Uint8Array | undefined): void => resolve(found)
        remote.read(address, { received, failed: (_: unknown, error) => reject(error) }, undefined)
      })
      if (bytes === undefined) return 'nothing'
      const found = this.#stored.inspect(bytes, witness)
      if (typeof found === 'number') return 'nothing'
      const age = ageOf(found, this.#node.clock.now())
      if (age === 'fallback' && !fallback) return 'nothing'
      const entry = valueless ? found : await this.#stored.decode(witness, found, bytes)
      if (entry === undefined) return 'nothing'
      if (!traceless && age !== 'fallback') this.#shelf.keep(witness, entry, bytes.length)
      return { entry, age }
    } catch (error) {
      witness.missed = 'store-away'
      remote.reportDefect('read', error)
      return 'unknown'
    } finally {
      flights.unwatch(witness)
    }
  }

  /** An unverified local entry stands again when the store still holds the very write it is a copy of. */
  #compare(flight: Flight, bytes: Uint8Array | undefined): void {
    const { call, stamp, candidate } = flight
    const header = bytes === undefined ? undefined : decodeHeader(bytes)
    const isSame = header?.commit === candidate?.commit && ((header?.flags ?? 0) & FLAG.stale) === 0
    if (candidate !== undefined && isSame && flight.isAlive && !this.#isPast(header)) {
      candidate.confirm(stamp, Math.min(flight.at, this.#node.knowledge.tagsVerifiedAt))
      const verdict = judge(candidate, call, this.#node.knowledge, this.#node.clock.now())
      if (verdict === 'fresh' || verdict === 'early') {
        flight.trace?.end({ outcome: 'confirmed' })
        this.#node.flights.end(flight)
        flight.entry = candidate
        call.onDecided?.()
        this.#reports.hit(candidate, call, 'local')
        settleWith(flight, candidate)
        return
      }
    } else {
      flight.candidate = undefined
    }
    this.#node.remote?.read(flight.address, this.#receiver, flight)
  }

  /** Tells whether an entry is not fresh any more by the store's clock, which counts the time that this machine slept. */
  #isPast(header: EntryHeader | undefined): boolean {
    if (header === undefined) return true
    const { knowledge, clock } = this.#node
    return knowledge.server.toLocal(header.createdAt) + header.freshForMs <= clock.now()
  }

  #goOnAlone(flight: Flight): void {
    flight.missed = 'store-away'
    goOn(this.#node, flight, this.#loads.loadAlone(flight))
  }

  #receive(flight: Flight, bytes: Uint8Array | undefined): void {
    const node = this.#node
    const now = node.clock.now()
    flight.call.counters.remoteReadMs.record(now - flight.at)
    const found = bytes === undefined ? 0 : this.#stored.inspect(bytes, flight)
    flight.call.site.noteFound(typeof found !== 'number')
    if (flight.ask !== undefined) this.#noteOld(flight, flight.ask, found, bytes)
    if (bytes === undefined || typeof found === 'number') {
      goOn(node, flight, this.#claims.load(flight, found as number))
    } else if (ageOf(found, now) === 'fresh' && !needsLoad(flight, found)) {
      this.#adopt(flight, found, bytes)
    } else {
      goOn(node, flight, this.#beyondFresh(flight, found, bytes))
    }
  }

  /** For a refresh: notes the entry that was there when it was requested. Where nothing may be served, readers join it. */
  #noteOld(
    flight: Flight,
    ask: RefreshAsk,
    found: LocalEntry | number,
    bytes: Uint8Array | undefined,
  ): void {
    if (bytes !== undefined && !isEntry(bytes)) ask.foundUnreadable()
    else ask.found(bytes)
    const isServable =
      typeof found !== 'number' && ageOf(found, this.#node.clock.now()) !== 'fallback'
    if (!isServable) this.#node.flights.offer(flight)
  }

  /** The store's entry is not fresh: serve it if it may be served, and in any case start a refresh. */
  async #beyondFresh(flight: Flight, found: LocalEntry, bytes: Uint8Array): Promise<void> {
    const age = ageOf(found, this.#node.clock.now())
    const entry = await this.#stored.decode(flight, found, bytes)
    if (entry !== undefined && entry.kind === 'value') {
      flight.candidate = entry
      if (age === 'stale' && !flight.isForced) this.#serveStale(flight, entry)
    }
    await this.#claims.load(flight, found.commit)
  }

  /** Takes a fresh entry of the store over into the local tier and hands it out. */
  #adopt(flight: Flight, found: LocalEntry, bytes: Uint8Array): void {
    const decoded = this.#stored.decode(flight, found, bytes)
    if (decoded instanceof LocalEntry) {
      this.#stored.adopt(flight, decoded, bytes)
      return
    }
    const taking = decoded.then((entry) => {
      if (entry === undefined) return this.#claims.load(flight, found.commit)
      this.#stored.adopt(flight, entry, bytes)
    })
    goOn(this.#node, flight, taking)
  }

  #serveStale(flight: Flight, entry: LocalEntry): void {
    if (flight.isSettled) return
    flight.trace?.end({ outcome: 'stale' })
    this.#reports.stale(entry, flight.call, 'revalidating')
    flight.serveOld(entry)
  }
}

/** Tells whether a fresh entry must be loaded anew: for a refresh, or for a revalidation of exactly this write. */
function needsLoad({ isForced, call, candidate }: Flight, { commit }: LocalEntry): boolean {
  if (!isForced) return false
  // A revalidation runs on every node that holds the entry: only the first one finds the old write still there.
  return call.mode === 'refresh' || candidate === undefined || commit === candidate.commit
}
