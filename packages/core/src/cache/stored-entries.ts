/** Entries as the store holds them: whether they stand, what value they carry, and how they come into the local tier. */

import { field } from '../entry/envelope.ts'
import { freezeDeep } from '../entry/freeze.ts'
import type { LocalEntry } from '../entry/local-entry.ts'
import type { Flight } from './flight.ts'
import { settleWith } from './flight-steps.ts'
import type { LocalShelf } from './local-shelf.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import type { ReadReports } from './read-reports.ts'
import { inspect } from './remote-entry.ts'
import { restored } from './value-forms.ts'
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

  /** Gives an entry its value; synchronous unless codec steps were applied. `undefined` (as a promise) when it does not decode. */
  decode(
    { call }: Pick<Witness, 'call'>,
    entry: LocalEntry,
    bytes: Uint8Array,
  ): LocalEntry | Promise<LocalEntry | undefined> {
    const { values } = this.#node
    try {
      const frozen = isFrozenByCodec(call, entry)
      const value = values?.decode(field.payload(bytes), field.steps(bytes), frozen)
      if (!(value instanceof Promise)) return this.#withValue(call, entry, value)
      return value
        .then((decoded) => this.#withValue(call, entry, decoded))
        .catch((reason: unknown) => this.#reportUndecodable(call, reason))
    } catch (reason) {
      return Promise.resolve(this.#reportUndecodable(call, reason))
    }
  }

  /** Takes a fresh entry over into the local tier and hands it out. */
  adopt(flight: Flight, entry: LocalEntry, { length }: Uint8Array): void {
    const { call } = flight
    call.onDecided?.()
    this.#shelf.keep(flight, entry, length)
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

  readonly #onForeign = (call: ReadCall, reason: string): void => {
    this.#reportUndecodable(call, reason)
  }

  #reportUndecodable(call: ReadCall, reason: unknown): undefined {
    this.#reports.undecodable(call, reason)
    return undefined
  }
}

/** What `fromPlain` is to take may not be frozen yet. */
function isFrozenByCodec({ policy }: ReadCall, { kind }: LocalEntry): boolean {
  return policy.isolation === 'frozen' && policy.fromPlain === undefined && kind !== 'error'
}
