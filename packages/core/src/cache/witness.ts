/**
 * What is told of changes to a key while something of it is read: whether the result is still worth keeping.
 *
 * A flight is one, and can be joined besides. A look is nothing more.
 */

import type { EntryAddress } from '../contracts/remote-store.ts'
import type { LocalEntry } from '../entry/local-entry.ts'
import type { Stamp } from '../entry/stamp.ts'
import type { MissReason } from '../events/events.ts'
import type { ReadCall } from './read-call.ts'

/** An answer, and what it stands on. */
export interface Standing {
  readonly stamp: Stamp
  /** When the stamp was taken, monotonic ms. */
  readonly at: number
  readonly entry: LocalEntry | undefined
}

export interface Witness {
  readonly call: ReadCall
  readonly address: EntryAddress
  /** What the reading stands on; taken before anything was read. */
  readonly stamp: Stamp
  /** When the stamp was taken, monotonic ms. */
  readonly at: number
  /** False once the key was invalidated: the result must not be kept locally. */
  isAlive: boolean
  /** The highest sequence number of a change that touched the key since the stamp. */
  touchedAt: number
  /** The most that is known of why nothing could be served so far. */
  missed: MissReason
  /** The store says that loads of the key are not shared. */
  isMarked: boolean
}

/** Makes a witness of what is read from now on. */
export function witnessOf(call: ReadCall, stamp: Stamp, at: number): Witness {
  const { address } = call
  return {
    call,
    address,
    stamp,
    at,
    isAlive: true,
    touchedAt: 0,
    missed: 'absent',
    isMarked: false,
  }
}
