/**
 * A message does not fit to what is known. It may be about another store, or come from a history that is over: only a
 * sync tells, and only what a sync found is acted upon. Not at every such message, or those who disagree would keep each
 * other, and the store, busy.
 */

import type { CancelTimer, Clock } from '../contracts/clock.ts'
import { INTERVALS } from './intervals.ts'

export class Suspicion {
  readonly #clock: Clock
  readonly #ask: () => void
  #askedAt = Number.NEGATIVE_INFINITY
  #cancel: CancelTimer | undefined
  #isClosed = false

  constructor(clock: Clock, ask: () => void) {
    this.#clock = clock
    this.#ask = ask
  }

  /** Asks the store now, or as soon as it is time again. */
  raise(): void {
    if (this.#cancel !== undefined || this.#isClosed) return
    const inMs = this.#askedAt + INTERVALS.suspicionEveryMs - this.#clock.now()
    const ask = (): void => {
      this.#cancel = undefined
      this.#askedAt = this.#clock.now()
      this.#ask()
    }
    if (inMs <= 0) ask()
    else this.#cancel = this.#clock.schedule(inMs, ask, 'background')
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
  }
}
