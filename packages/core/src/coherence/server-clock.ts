/** The store's clock as seen from here: ages entries that other nodes wrote, and orders nothing (I8). */

import { INTERVALS } from './intervals.ts'
import type { EntryOrigin } from './own-changes.ts'

export class ServerClock {
  #offset = Number.NaN
  /** By how much the offset may be wrong, ms. */
  #errorMs = Number.POSITIVE_INFINITY
  /** What the clock had shown before it was set back, ms. */
  #furthest = Number.NEGATIVE_INFINITY

  /** Learns from a reply that carried the store's time; the truth lies between sending and receiving. */
  note(nowMs: number, sentAt: number, receivedAt: number): void {
    this.latest(nowMs, sentAt)
    this.#offset = nowMs - (sentAt + receivedAt) / 2
    this.#errorMs = (receivedAt - sentAt) / 2
  }

  /** True once any reply has been seen. */
  get isKnown(): boolean {
    return !Number.isNaN(this.#offset)
  }

  /** An instant that was converted is wrong by so much at most, ms: the reply that was learned from was on its way for twice as long. */
  get errorMs(): number {
    return this.#errorMs
  }

  /** Converts an instant of the store's clock to this node's monotonic clock. */
  toLocal(serverAt: number): number {
    return serverAt - this.#offset
  }

  /**
   * Returns the latest instant that the store's clock has shown, given that it shows `nowMs` at the local instant `at`. It is
   * later than `nowMs` where the clock was set back: whatever was written before carries at most that instant.
   */
  latest(nowMs: number, at: number): number {
    const expected = at + this.#offset
    if (expected - nowMs > INTERVALS.setBackMs) this.#furthest = Math.max(this.#furthest, expected)
    return Math.max(nowMs, this.#furthest)
  }

  /**
   * Returns what an entry's header says of its write, with an instant that may be compared. One of the future is from before
   * the clock was set back, so it is older than anything that was done since.
   */
  placed<Write extends EntryOrigin>(write: Write, now: number): Write {
    const isAhead = this.toLocal(write.createdAt) - now > INTERVALS.setBackMs
    return isAhead ? { ...write, createdAt: Number.NEGATIVE_INFINITY } : write
  }
}
