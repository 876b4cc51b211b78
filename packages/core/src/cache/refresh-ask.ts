/**
 * Who asked for a refresh, and which loads may answer it: those that began after everybody had asked.
 *
 * No clock tells what began after what. A look at the store does: it is sent after they have asked, and says who holds the
 * lease at that moment. Another holder of it began later. So did a load whose result is there
 * later, if nobody held the lease at the look. Where that cannot be told, one load more follows.
 */

import { FLAG, field } from '../entry/envelope.ts'
import type { Stamp } from '../entry/stamp.ts'

const NOBODY = 0

export class RefreshAsk {
  /** Until an answer is on its way, later callers may join. */
  isOpen = true
  /** What was known before the last look that found an entry, or nothing: who changes the key later has a higher number. */
  stamp: Stamp | undefined
  /** A settle window stands: what is loaded in it may be old. */
  isSettling = false
  /** The answer to a later refresh is on its way: the result of this one must not be kept. */
  isSuperseded = false
  readonly #onClose: () => void
  #asked = 1
  #sentOn: Stamp | undefined
  /** How many had asked when the look was sent that is under way. */
  #sent = 0
  /** How many had asked when the last look was sent that was answered. */
  #looked = 0
  #holder = NOBODY

  constructor(onClose: () => void) {
    this.#onClose = onClose
  }

  join(): void {
    this.#asked += 1
  }

  /** The load that answers has begun. */
  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.#onClose()
  }

  /** A look at the store is sent; `stamp` is what is known before it. */
  look(stamp: Stamp): void {
    this.#sent = this.#asked
    this.#sentOn = stamp
  }

  /** The look found an entry, or nothing. */
  found(bytes: Uint8Array | undefined): void {
    this.#note(bytes === undefined ? NOBODY : field.leaseToken(bytes))
    this.stamp = this.#sentOn
    this.isSettling = bytes !== undefined && (field.flags(bytes) & FLAG.settling) !== 0
  }

  /** Somebody holds the lease; closes if that load answers. */
  foundHeld(holder: number): void {
    if (!this.isOpen) return
    if (this.#isComplete && holder !== this.#holder) this.close()
    else this.#note(holder)
  }

  /** True when what was filled meanwhile is an answer. What is set on purpose is none: it may have been made before. */
  takes(bytes: Uint8Array): boolean {
    const isLoaded = (field.flags(bytes) & FLAG.put) === 0
    if (isLoaded && this.isOpen && this.#isComplete && this.#holder === NOBODY) this.close()
    return isLoaded && !this.isOpen
  }

  get #isComplete(): boolean {
    return this.#looked === this.#asked
  }

  #note(holder: number): void {
    this.#looked = this.#sent
    this.#holder = holder
  }
}
