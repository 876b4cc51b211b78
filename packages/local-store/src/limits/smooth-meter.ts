/** A bucket of `burst` permits that gets one back every interval (GCRA): one number, the time when it is full again. */

import type { PolicyState, SmoothPolicy } from '@larder/core'
import type { Meter, Taken } from './meter.ts'

export class SmoothMeter implements Meter<SmoothPolicy> {
  readonly size = 4
  #policy: SmoothPolicy
  #nowUs = 0
  #writtenUs = 0
  #fullAt = 0
  /** The latest admission, which alone can be taken back. */
  #last = { atUs: 0, cost: 0 }

  constructor(policy: SmoothPolicy) {
    this.#policy = policy
  }

  get capacity(): number {
    return this.#policy.burst
  }

  get idleAt(): number {
    return this.#fullAt
  }

  look(policy: SmoothPolicy, nowUs: number): void {
    this.#policy = policy
    this.#nowUs = nowUs
    // The clock was set back: everything happened at least that much earlier on the new scale.
    const by = this.#writtenUs - nowUs
    if (by <= 0) return
    this.#fullAt -= by
    this.#last = { ...this.#last, atUs: this.#last.atUs - by }
    this.#writtenUs = nowUs
  }

  earliest(cost: number): number {
    const { burst, intervalUs } = this.#policy
    return Math.max(this.#nowUs, this.#fullAt + (cost - burst) * intervalUs)
  }

  take({ cost, atUs }: Taken): void {
    this.#fullAt = Math.max(this.#fullAt, atUs) + cost * this.#policy.intervalUs
    this.#last = { atUs, cost }
    this.#writtenUs = this.#nowUs
  }

  /** Empties the bucket and no more: else who keeps trying would stay out for longer than a full refill. */
  penalize(cost: number): void {
    const { burst, intervalUs } = this.#policy
    const charged = Math.max(this.#fullAt, this.#nowUs) + cost * intervalUs
    this.#fullAt = Math.max(this.#fullAt, Math.min(charged, this.#nowUs + burst * intervalUs))
    this.#last = { atUs: 0, cost: 0 }
    this.#writtenUs = this.#nowUs
  }

  standing(): PolicyState {
    const { burst, intervalUs } = this.#policy
    const missingUs = Math.max(0, this.#fullAt - this.#nowUs)
    return {
      remaining: Math.max(0, Math.floor(burst - missingUs / intervalUs)),
      resetUs: missingUs,
    }
  }

  /** After a later admission nobody can say what of the debt is whose. */
  refund({ cost, atUs }: Taken): boolean {
    const { atUs: lastAt, cost: lastCost } = this.#last
    if (this.#fullAt <= this.#nowUs || lastAt !== atUs || lastCost !== cost) return false
    this.#fullAt -= cost * this.#policy.intervalUs
    this.#last = { atUs: 0, cost: 0 }
    this.#writtenUs = this.#nowUs
    return true
  }
}
