/** A number of calls at the same time: permits, each with the end of its term. */

import type { ConcurrencyPolicy, PolicyState } from '@larder/core/store'
import type { Meter, Taken } from './meter.ts'

export class ConcurrencyMeter implements Meter<ConcurrencyPolicy> {
  #policy: ConcurrencyPolicy
  #nowUs = 0
  #writtenUs = 0
  /** Names and ends, µs. */
  readonly #leases = new Map<string, number>()
  /** The ends of permits that have not ended, as of the last look. */
  #ends: readonly number[] = []

  constructor(policy: ConcurrencyPolicy) {
    this.#policy = policy
  }

  get capacity(): number {
    return this.#policy.limit
  }

  get idleAt(): number {
    return Math.max(0, ...this.#leases.values())
  }

  get size(): number {
    return 2 * this.#leases.size
  }

  get written(): readonly number[] {
    if (this.#leases.size === 0) return []
    return [this.#writtenUs, ...[...this.#leases.values()].sort((a, b) => a - b)]
  }

  look(policy: ConcurrencyPolicy, nowUs: number): void {
    this.#policy = policy
    this.#nowUs = nowUs
    // The clock was set back: everything happened at least that much earlier on the new scale.
    const by = this.#writtenUs - nowUs
    if (by > 0) {
      for (const [permit, endsAt] of this.#leases)
        this.#leases.set(permit, Math.max(1, endsAt - by))
      this.#writtenUs = nowUs
    }
    this.#ends = [...this.#leases.values()].filter((endsAt) => endsAt > nowUs)
  }

  /** When enough permits will have ended, if none is given back or renewed. */
  earliest(cost: number): number {
    const excess = this.#ends.length + cost - this.#policy.limit
    if (excess <= 0) return this.#nowUs
    return this.#ends.toSorted((a, b) => a - b)[excess - 1] ?? this.#nowUs
  }

  take({ cost, atUs, permit }: Taken): void {
    this.#dropEnded()
    this.#hold(cost, permit, atUs + this.#policy.leaseUs)
    this.#ends = [...this.#leases.values()]
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
    this.#hold(cost, permit, this.#nowUs + this.#policy.leaseUs)
    return true
  }

  refund({ cost, permit }: Taken): boolean {
    if (!this.#holds(cost, permit)) return false
    for (let i = 1; i <= cost; i++) this.#leases.delete(`${permit}:${i}`)
    this.#dropEnded()
    return true
  }

  /** At every change, so that a clock that is set back a little does not revive an ended permit. */
  #dropEnded(): void {
    for (const [held, endsAt] of this.#leases) if (endsAt <= this.#nowUs) this.#leases.delete(held)
  }

  #holds(cost: number, permit: string): boolean {
    for (let i = 1; i <= cost; i++) {
      if ((this.#leases.get(`${permit}:${i}`) ?? 0) <= this.#nowUs) return false
    }
    return true
  }

  #hold(cost: number, permit: string, endsAt: number): void {
    for (let i = 1; i <= cost; i++) this.#leases.set(`${permit}:${i}`, endsAt)
    this.#writtenUs = this.#nowUs
  }
}
