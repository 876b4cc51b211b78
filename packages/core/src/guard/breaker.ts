/**
 * A circuit breaker: after some failures in a row, calls are not tried for a while; then one call is tried, as a probe.
 *
 * Without it an unreachable store would cost every call its whole deadline.
 */

const FAILURES_TO_OPEN = 3
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5_000

export type BreakerState = 'closed' | 'open' | 'half-open'

export class Breaker {
  readonly #now: () => number
  readonly #random: () => number
  readonly #onChange: (state: BreakerState) => void
  #state: BreakerState = 'closed'
  #failures = 0
  #pauseMs = FIRST_PAUSE_MS
  #openUntil = 0

  constructor(now: () => number, onChange: (state: BreakerState) => void, random = Math.random) {
    this.#now = now
    this.#onChange = onChange
    this.#random = random
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Tells whether a call may be tried now. When half-open, the first caller gets the probe and the others do not. */
  admits(): boolean {
    if (this.#state === 'closed') return true
    if (this.#state === 'half-open' || this.#now() < this.#openUntil) return false
    this.#enter('half-open')
    return true
  }

  succeeded(): void {
    this.#failures = 0
    this.#pauseMs = FIRST_PAUSE_MS
    this.#enter('closed')
  }

  /** A call ended without telling anything about the other side; if it was the probe, the next caller gets another. */
  toldNothing(): void {
    if (this.#state === 'half-open') this.#enter('open')
  }

  /** Something suggests that the other side can be reached again: the next caller probes it, without waiting longer. */
  mayBeBack(): void {
    this.#openUntil = 0
    this.#pauseMs = FIRST_PAUSE_MS
  }

  failed(): void {
    this.#failures += 1
    if (this.#state === 'closed' && this.#failures < FAILURES_TO_OPEN) return
    // A late failure of a call from before the opening must not lengthen the pause.
    if (this.#state === 'open') return
    // Jitter, so that many nodes do not probe a recovering server at the same moment.
    this.#openUntil = this.#now() + this.#pauseMs * (0.5 + this.#random() / 2)
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2)
    this.#enter('open')
  }

  #enter(state: BreakerState): void {
    if (state === this.#state) return
    this.#state = state
    this.#onChange(state)
  }
}
