/**
 * Bytes from the store: whether they are an entry of ours, whether that may be served, what value it carries, and how it comes
 * into the local tier.
 */

import { FLAG, field, isEntry, isMark } from '../entry/envelope.ts'
import { freezeDeep } from '../entry/freeze.ts'
import { calmFor, type EntryKind, LocalEntry } from '../entry/local-entry.ts'
import { UndecodableEntry } from '../entry/undecodable-entry.ts'
import type { MissReason } from '../events/events.ts'
import { type Flight, settleWith } from './flight.ts'
import type { LocalShelf } from './local-shelf.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import type { ReadReports } from './read-reports.ts'
import { restored } from './value-forms.ts'
import { type EntryIdentity, IDENTIFYING_FLAGS } from './value-pipeline.ts'
import type { Witness } from './witness.ts'

export class StoredEntries {
  readonly #node: CacheNode
  readonly #shelf: LocalShelf
  readonly #reports: ReadReports

  constructor(node: CacheNode, shelf: LocalShelf, reports: ReadReports) {
    this.#node = node
    this.#shelf = shelf
    this.#reports = reports
  }

  /**
   * Reads bytes straight into the form the local tier keeps, the value still missing; or returns the commit id that a claim must
   * name as unusable, 0 for none.
   */
  inspect(bytes: Uint8Array, witness: Witness): LocalEntry | number {
    const { call, stamp, at } = witness
    const tags = isEntry(bytes) ? field.tags(bytes) : undefined
    if (tags === undefined) {
      witness.missed = 'undecodable'
      this.#reports.undecodable(call, 'format', 'not an entry of a known format')
      return 0
    }
    const flags = field.flags(bytes)
    const isSettling = (flags & FLAG.settling) !== 0
    if (isSettling) this.#settle(call.fullKey, bytes)
    if ((flags & FLAG.empty) !== 0) {
      if (isSettling) witness.missed = 'evicted'
      return 0
    }
    const commit = field.commit(bytes)
    if (field.schema(bytes) !== call.policy.schema) return unfit(witness, 'version', commit)
    const { knowledge, clock } = this.#node
    const birth = field.birth(bytes)
    if (!knowledge.tags.allows(birth, call.cacheTag, stamp.partition, tags)) {
      return unfit(witness, 'tag', commit)
    }
    const wasSoftened = (flags & FLAG.stale) !== 0
    // What was evicted softly is only a fallback, and older than the eviction of course.
    if (
      !wasSoftened &&
      knowledge.isOutlived(call.address, birth, {
        commit,
        createdAt: field.createdAt(bytes),
        loadMs: field.loadMs(bytes),
      })
    )
      return unfit(witness, 'evicted', commit)

    // Never longer than if it had been written this moment.
    const now = clock.now()
    const createdAt = Math.min(now, knowledge.server.toLocal(field.createdAt(bytes)))
    const livesUntil = createdAt + field.livesForMs(bytes)
    if (now >= livesUntil) return unfit(witness, wasSoftened ? 'evicted' : 'expired', commit)
    // The bytes were good when they were read, their tags as of the last confirmed tag clock.
    const goodAt = Math.min(at, knowledge.tagsVerifiedAt)
    // Not born above what this node knows: its next invalidation may stay here for a while, under a number of its own.
    const knownBirth = Math.min(birth, stamp.birth)
    const entry = new LocalEntry(kindOf(flags), tags, stamp, knownBirth, commit, goodAt)
    entry.createdAt = Math.floor(createdAt)
    if (wasSoftened || knowledge.tags.softens(birth, call.cacheTag, tags)) {
      witness.missed = wasSoftened ? 'evicted' : 'tag'
      // Nothing and errors are no fallback.
      if (entry.kind !== 'value') return commit
      entry.live(0, 0, 0, livesUntil)
      return entry
    }
    if (isMark(flags)) {
      witness.isMarked = true
      return commit
    }
    const freshForMs = field.freshForMs(bytes)
    const calmMs = calmFor(freshForMs, field.loadMs(bytes), call.policy.refreshBeta)
    const staleUntil = createdAt + field.staleForMs(bytes)
    if (now >= createdAt + freshForMs) witness.missed = 'expired'
    entry.live(createdAt + calmMs, createdAt + freshForMs, staleUntil, livesUntil)
    return entry
  }

  /** A node that did not hear of a settle window learns of it here: what it loads past the store must not outlive the window either. */
  #settle(key: string, bytes: Uint8Array): void {
    const { knowledge, settling, clock } = this.#node
    const end = knowledge.server.toLocal(field.createdAt(bytes)) + field.livesForMs(bytes)
    const leftMs = end - clock.now()
    if (leftMs > 0) settling.open(key, leftMs)
  }

  /** Gives an entry its value; synchronous unless a codec step is not. `undefined` (as a promise) when it does not decode. */
  decode(
    witness: Pick<Witness, 'call' | 'missed'>,
    entry: LocalEntry,
    bytes: Uint8Array,
  ): LocalEntry | Promise<LocalEntry | undefined> {
    const { call } = witness
    const { values } = this.#node
    try {
      if (values === undefined) return this.#withValue(call, entry, undefined)
      const frozen = isFrozenByCodec(call, entry)
      const steps = field.steps(bytes)
      const payload = field.payload(bytes)
      if (values.isPlain(steps)) {
        return this.#withValue(call, entry, values.decode(payload, frozen))
      }
      const opened = values.open(payload, steps, identityOf(call, entry, bytes))
      if (!(opened instanceof Promise)) {
        return this.#withValue(call, entry, values.decode(opened, frozen))
      }
      return opened
        .then((made) => this.#withValue(call, entry, values.decode(made, frozen)))
        .catch((error: unknown) => this.#unread(witness, error))
    } catch (error) {
      return Promise.resolve(this.#unread(witness, error))
    }
  }

  /** Gives an entry a value that nobody else has, and that is not frozen; false when it does not decode. */
  async decodeUnshared(
    witness: Pick<Witness, 'call' | 'missed'>,
    entry: LocalEntry,
    bytes: Uint8Array,
  ): Promise<boolean> {
    const { call } = witness
    const { values } = this.#node
    try {
      if (values === undefined) return false
      const identity = identityOf(call, entry, bytes)
      const opened = await values.open(field.payload(bytes), field.steps(bytes), identity)
      entry.value = restored(values.decode(opened, false), entry.kind, call.policy)
      return true
    } catch (error) {
      this.#unread(witness, error)
      return false
    }
  }

  /** Takes a fresh entry over into the local tier and hands it out. */
  adopt(flight: Flight, entry: LocalEntry, { length }: Uint8Array): void {
    const { call } = flight
    call.onDecided?.()
    this.#shelf.keep(flight, entry, length)
    flight.trace?.end({ outcome: 'remote' })
    this.#node.flights.end(flight)
    this.#reports.hit(entry, call, 'remote')
    settleWith(flight, entry)
  }

  #withValue(call: ReadCall, entry: LocalEntry, value: unknown): LocalEntry {
    const { isolation, fromPlain } = call.policy
    const made = restored(value, entry.kind, call.policy)
    const isLeft = isolation === 'frozen' && fromPlain !== undefined && entry.kind !== 'error'
    entry.value = isLeft ? freezeDeep(made) : made
    return entry
  }

  #unread(witness: Pick<Witness, 'call' | 'missed'>, error: unknown): undefined {
    const isOurs = error instanceof UndecodableEntry
    const reason = isOurs ? error.reason : 'value'
    witness.missed = 'undecodable'
    this.#reports.undecodable(witness.call, reason, isOurs ? error.cause : error)
    return undefined
  }
}

/** By the bytes, and not by what this node makes of them. */
function identityOf(call: ReadCall, { tags }: LocalEntry, bytes: Uint8Array): EntryIdentity {
  return {
    cache: call.cache,
    key: call.fullKey,
    flags: field.flags(bytes) & IDENTIFYING_FLAGS,
    commit: field.commit(bytes),
    birth: field.birth(bytes),
    schema: field.schema(bytes),
    tags,
  }
}

/** What `fromPlain` is to take may not be frozen yet. */
function isFrozenByCodec({ policy }: ReadCall, { kind }: LocalEntry): boolean {
  return policy.isolation === 'frozen' && policy.fromPlain === undefined && kind !== 'error'
}

function unfit(witness: Witness, reason: MissReason, commit: number): number {
  witness.missed = reason
  return commit
}

function kindOf(flags: number): EntryKind {
  if ((flags & FLAG.error) !== 0) return 'error'
  return (flags & FLAG.negative) !== 0 ? 'negative' : 'value'
}
