/**
 * Which loads may answer a refresh: those that began after all of its callers had asked.
 *
 * No clock tells which load began later. A look at the store does: it is sent after they have asked, and tells who holds the
 * lease at that moment. Another holder of it began later. So did a load whose result is there
 * later, if the lease was free at the look. Where this is unknown, one more load follows.
 */

import { FLAG, field } from '../entry/envelope.ts'
import type { Stamp } from '../entry/stamp.ts'

const NOBODY = 0

export class RefreshAsk {
  /** Until an answer is on its way, later callers may join. */
  isOpen = true
  /** What was known before the last look that found an entry, or nothing: a later change of the key has a higher number. */
  stamp: Stamp | undefined
  /** A settle window is open: a value loaded in it may be old. */
  isSettling = false
  /** The answer to a later refresh is on its way: the result of this one must not be kept. */
  isSuperseded = false
  readonly #onClose: () => void
  #asked = 1
  #sentOn: Stamp | undefined
  /** How many callers had asked when the present look was sent. */
  #sent = 0
  /** How many callers had asked when the last answered look was sent. */
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

  /** The look found what cannot be read: who holds the lease, and whether an entry was there, is unknown. */
  foundUnreadable(): void {
    this.stamp = this.#sentOn
  }

  /** Another load holds the lease; closes if that load answers. */
  foundHeld(holder: number): void {
    if (!this.isOpen) return
    if (this.#isComplete && holder !== this.#holder) this.close()
    else this.#note(holder)
  }

  /**
   * True when the filled entry is an answer: that of another refresh. A value from `set` may have been made before; and of what
   * was loaded after a miss the other nodes, which may hold an older value, were not told.
   */
  takes(bytes: Uint8Array): boolean {
    const isAnswer = (field.flags(bytes) & FLAG.refreshed) !== 0
    if (isAnswer && this.isOpen && this.#isComplete && this.#holder === NOBODY) this.close()
    return isAnswer && !this.isOpen
  }

  get #isComplete(): boolean {
    return this.#looked === this.#asked
  }

  #note(holder: number): void {
    this.#looked = this.#sent
    this.#holder = holder
  }
}
