/** Puts entries on the local shelf, and takes them off again. */

import type { LocalEntry } from '../entry/local-entry.ts'
import { measureValue } from '../entry/measure.ts'
import type { Flight } from './flight.ts'
import type { Keepable } from './keep.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'

/** A guess at the memory of an entry besides its payload. */
const ENTRY_OVERHEAD_BYTES = 200

/** What an entry was read or made for, and whether that still stands. */
interface MadeFor {
  readonly call: ReadCall
  readonly isAlive: boolean
}

export class LocalShelf {
  readonly #node: CacheNode

  constructor(node: CacheNode) {
    this.#node = node
  }

  /** Keeps an entry if what it comes from still stands. Check and store are one synchronous step. */
  keep({ call, isAlive }: MadeFor, entry: LocalEntry, bytes = 0): void {
    const { local, settling } = this.#node
    const key = call.fullKey
    if (!isAlive || !call.policy.local || local === undefined) return
    const endOfWindow = settling.endOf(key)
    if (entry.livesUntil > endOfWindow) entry.endBy(endOfWindow)
    local.set(key, entry, ENTRY_OVERHEAD_BYTES + bytes + 2 * key.length)
  }

  /** Keeps what a flight has loaded. A reader that is under way beside a refresh may have found something older, and must not keep that. */
  keepLoaded(flight: Flight, entry: LocalEntry, bytes = 0): void {
    if (flight.ask !== undefined && flight.isAlive)
      this.#node.flights.killReaders(flight.address.key)
    this.keep(flight, entry, bytes)
  }

  /** Takes an entry off again, if it is still there. */
  withdraw({ fullKey }: ReadCall, entry: LocalEntry): void {
    const { local } = this.#node
    if (local?.peek(fullKey) === entry) local.delete(fullKey)
  }

  /** Bytes of a value that was not encoded; 0 where the store does not count them. */
  sizeOf({ value }: Keepable): number {
    return this.#node.local?.measuresBytes === true ? measureValue(value) : 0
  }
}
