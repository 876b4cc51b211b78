/**
 * Says whether to widen or narrow something by whether the hit ratio rose or fell after the last step, with smaller steps
 * as it settles and a large one when the load has changed.
 *
 * Einziger, Eytan, Friedman, Manes: "Adaptive software cache management", Middleware 2018.
 */

const USES_PER_ENTRY = 10
const STEP_SHARE = 0.0625
const DECAY = 0.98
const CHANGED_LOAD = 0.05

export class HillClimber {
  readonly #sample: number
  readonly #firstStep: number
  #step: number
  #hits = 0
  #uses = 0
  #lastRatio = 0

  constructor(capacity: number) {
    this.#sample = capacity * USES_PER_ENTRY
    this.#firstStep = capacity * STEP_SHARE
    this.#step = this.#firstStep
  }

  /** Counts a use; true when it is time for a step. */
  sees(isHit: boolean): boolean {
    this.#uses += 1
    if (isHit) this.#hits += 1
    return this.#uses >= this.#sample
  }

  /** How many places to move. */
  step(): number {
    const ratio = this.#hits / this.#uses
    const change = ratio - this.#lastRatio
    const amount = change >= 0 ? this.#step : -this.#step
    this.#step =
      Math.abs(change) >= CHANGED_LOAD ? this.#firstStep * Math.sign(amount) : amount * DECAY
    this.#lastRatio = ratio
    this.#hits = 0
    this.#uses = 0
    return Math.round(amount)
  }
}
