/** A number of calls at the same time: permits, each with the end of its term. */

import type { ConcurrencyPolicy, PolicyState } from '@larder/core/store'
import type { Meter, Taken } from './meter.ts'

export class ConcurrencyMeter implements Meter<ConcurrencyPolicy> {
  #policy: ConcurrencyPolicy
  #nowUs = 0
  #writtenUs = 0
  /** Names and ends, µs. */
  readonly #permits = new Map<string, number>()
  /** The ends of permits that have not ended, as of the last look. */
  #ends: readonly number[] = []

  constructor(policy: ConcurrencyPolicy) {
    this.#policy = policy
  }

  get capacity(): number {
    return this.#policy.limit
  }

  get idleAt(): number {
    return Math.max(0, ...this.#permits.values())
  }

  get size(): number {
    return 2 * this.#permits.size
  }

  get written(): readonly number[] {
    if (this.#permits.size === 0) return []
    return [this.#writtenUs, ...[...this.#permits.values()].sort((a, b) => a - b)]
  }

  look(policy: ConcurrencyPolicy, nowUs: number): void {
    this.#policy = policy
    this.#nowUs = nowUs
    // The clock was set back: everything happened at least that much earlier on the new scale.
    const by = this.#writtenUs - nowUs
    if (by > 0) {
      for (const [permit, endsAt] of this.#permits)
        this.#permits.set(permit, Math.max(1, endsAt - by))
      this.#writtenUs = nowUs
    }
    this.#ends = [...this.#permits.values()].filter((endsAt) => endsAt > nowUs)
  }

  /** When enough permits will have ended, if none is given back or renewed. */
  earliest(cost: number): number {
    const excess = this.#ends.length + cost - this.#policy.limit
    if (excess <= 0) return this.#nowUs
    return this.#ends.toSorted((a, b) => a - b)[excess - 1] ?? this.#nowUs
  }

  take({ cost, atUs, permit }: Taken): void {
    this.#dropEnded()
    this.#hold(cost, permit, atUs + this.#policy.termUs)
    this.#ends = [...this.#permits.values()]
  }

  penalize(): void {
    // A refused call holds nothing.
  }

  standing(): PolicyState {
    return {
      remaining: Math.max(0, this.#policy.limit - this.#ends.length),
      resetUs: Math.max(0, ...this.#ends.map((endsAt) => endsAt - this.#nowUs)),
    }
  }

  renew(cost: number, permit: string): boolean {
    if (!this.#holds(cost, permit)) return false
    this.#hold(cost, permit, this.#nowUs + this.#policy.termUs)
    return true
  }

  refund({ cost, permit }: Taken): boolean {
    if (!this.#holds(cost, permit)) return false
    for (let i = 1; i <= cost; i++) this.#permits.delete(`${permit}:${i}`)
    this.#dropEnded()
    return true
  }

  /** At every change, so that a clock that is set back a little does not revive an ended permit. */
  #dropEnded(): void {
    for (const [held, endsAt] of this.#permits)
      if (endsAt <= this.#nowUs) this.#permits.delete(held)
  }

  #holds(cost: number, permit: string): boolean {
    for (let i = 1; i <= cost; i++) {
      if ((this.#permits.get(`${permit}:${i}`) ?? 0) <= this.#nowUs) return false
    }
    return true
  }

  #hold(cost: number, permit: string, endsAt: number): void {
    for (let i = 1; i <= cost; i++) this.#permits.set(`${permit}:${i}`, endsAt)
    this.#writtenUs = this.#nowUs
  }
}
