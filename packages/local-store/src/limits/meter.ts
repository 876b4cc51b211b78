/**
 * What all limit algorithms have in common. Each is written twice, here and in the Redis package's lua/includes, step by
 * step; a test compares the two. Time is given with every step, in whole microseconds, so that a test can set it.
 */

import type { LimitPolicy, PolicyState } from '@larder/core/store'

/** Identifies an admission. */
export interface Taken {
  readonly cost: number
  /** When it is admitted, µs: ahead of `nowUs` when it was reserved. */
  readonly atUs: number
  /** When it was decided, µs. */
  readonly nowUs: number
  readonly permit: string
}

/** The state of one policy for one key. `look` comes first, and sets the time and the policy for what follows. */
export interface Meter<Policy extends LimitPolicy = LimitPolicy> {
  /** Moves to a time, and corrects the state if the clock was set back since the last write. */
  look(policy: Policy, nowUs: number): void
  /** The most cost that can ever be admitted at once. */
  readonly capacity: number
  /** The first time at which `cost` fits, µs; not before now. */
  earliest(cost: number): number
  /** Admits at a time that is not before `earliest`. */
  take(taken: Taken): void
  /** Counts a call that was refused. */
  penalize(cost: number): void
  standing(): PolicyState
  /** Takes an admission back; false when that is too long ago, or not safe. */
  refund(taken: Taken): boolean
  /**
   * Gives the latest points back without naming their admissions; returns how many. Absent for `concurrency`, where each permit
   * belongs to a running call.
   */
  reward?(points: number): number
  /** Prolongs a permit; for `concurrency`. */
  renew?(cost: number, permit: string): boolean
  /** The numbers that a script would store, without the time of expiry; empty where it would store nothing. */
  readonly written: readonly number[]
  /** From when on this is equal to a new meter, µs; under the policy it was written under, not that of a look. */
  readonly idleAt: number
  /** How many numbers it holds. */
  readonly size: number
}
