/** Entries as the store holds them: whether they stand, what value they carry, and how they come into the local tier. */

import { field } from '../entry/envelope.ts'
import { freezeDeep } from '../entry/freeze.ts'
import type { LocalEntry } from '../entry/local-entry.ts'
import { UndecodableEntry } from '../entry/undecodable-entry.ts'
import type { Flight } from './flight.ts'
import { settleWith } from './flight-steps.ts'
import type { LocalShelf } from './local-shelf.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import type { ReadReports } from './read-reports.ts'
import { inspect } from './remote-entry.ts'
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

  /** The entry without its value; or the commit id that a claim is to name as wanting, 0 for none. */
  inspect(bytes: Uint8Array | undefined, witness: Witness): LocalEntry | number {
    return inspect(bytes, witness, this.#node, this.#onForeign)
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

  readonly #onForeign = (call: ReadCall): void => {
    this.#reports.undecodable(call, 'format', 'not an entry of a known format')
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
