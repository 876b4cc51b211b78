/**
 * Never more than the limit in any window: counts by slice of time, newest first.
 *
 * A window of B slices touches at most B + 1 of them; all of those are counted, so no more than the limit is admitted,
 * and at least limit * B / (B + 1).
 */

import type { PolicyState, SlicedPolicy } from '@larder/core/store'
import type { Meter, Taken } from './meter.ts'

/** How the counts were last written. */
interface Written {
  readonly sliceUs: number
  readonly slices: number
  readonly writtenUs: number
}

export class WindowMeter implements Meter<SlicedPolicy> {
  #policy: SlicedPolicy
  #nowUs = 0
  #written: Written
  /** Number of the newest slice. Counts of it and of those before it follow; none when nothing is known. */
  #top = 0
  #counts: number[] = []

  constructor(policy: SlicedPolicy) {
    this.#policy = policy
    this.#written = { ...policy, writtenUs: 0 }
  }

  get capacity(): number {
    return this.#policy.limit
  }

  get idleAt(): number {
    return this.#endUnder(this.#written)
  }

  get size(): number {
    return this.#counts.length + 3
  }

  get written(): readonly number[] {
    if (this.#counts.length === 0) return []
    const { sliceUs, slices, writtenUs } = this.#written
    return [sliceUs, slices, writtenUs, this.#top, ...this.#counts]
  }

  look(policy: SlicedPolicy, nowUs: number): void {
    this.#policy = policy
    this.#nowUs = nowUs
    if (this.#counts.length === 0) return
    const { sliceUs, slices, writtenUs } = this.#written
    const isMoved = writtenUs > nowUs
    const isChanged = sliceUs !== policy.sliceUs
    // The clock was set back: everything happened at least that much earlier on the new scale.
    if (isMoved) this.#top -= Math.floor((writtenUs - nowUs) / sliceUs)
    if (isChanged) this.#putInOneSlice({ sliceUs, slices })
    if (isMoved || isChanged) this.#write()
  }

  earliest(cost: number): number {
    const { sliceUs, slices, limit } = this.#policy
    const current = Math.floor(this.#nowUs / sliceUs)
    let slice = this.#counts.length === 0 ? current : Math.max(current, this.#top)
    let sum = this.#sumFrom(slice - slices)
    // Once all have left, the sum is 0, and the cost is no more than the limit.
    while (sum + cost > limit) {
      sum -= this.#countOf(slice - slices)
      slice += 1
    }
    return Math.max(this.#nowUs, slice * sliceUs)
  }

  take({ cost, atUs }: Taken): void {
    this.#open(Math.floor(atUs / this.#policy.sliceUs))
    this.#counts[0] = (this.#counts[0] ?? 0) + cost
  }

  penalize(cost: number): void {
    const current = Math.floor(this.#nowUs / this.#policy.sliceUs)
    this.#open(this.#counts.length === 0 ? current : Math.max(current, this.#top))
    const before = this.#counts[0] ?? 0
    // The count may be above the limit if the limit was lowered.
    this.#counts[0] = Math.max(before, Math.min(this.#policy.limit, before + cost))
  }

  standing(): PolicyState {
    const { limit } = this.#policy
    return {
      remaining: Math.max(0, limit - this.#sumFrom(this.#oldest)),
      resetUs: Math.max(0, this.#endUnder(this.#policy) - this.#nowUs),
    }
  }

  refund({ cost, atUs }: Taken): boolean {
    const slice = Math.floor(atUs / this.#policy.sliceUs)
    if (slice < this.#oldest || this.#countOf(slice) < cost) return false
    const index = this.#top - slice
    this.#counts[index] = (this.#counts[index] ?? 0) - cost
    this.#trim()
    return true
  }

  /** The newest first. */
  reward(points: number): number {
    let left = points
    const end = Math.min(this.#counts.length, this.#top - this.#oldest + 1)
    for (let i = 0; i < end && left > 0; i++) {
      const count = this.#counts[i] ?? 0
      const given = Math.min(left, count)
      this.#counts[i] = count - given
      left -= given
    }
    if (left < points) this.#trim()
    return points - left
  }

  /** Forgets the newest slices if nothing is left in them, and those that do not count any more. */
  #trim(): void {
    this.#write()
    this.#counts.length = Math.min(this.#counts.length, this.#top - this.#oldest + 1)
    while (this.#counts[0] === 0) {
      this.#counts.shift()
      this.#top -= 1
    }
  }

  /** When the newest slice leaves the window. */
  #endUnder({ sliceUs, slices }: Pick<Written, 'sliceUs' | 'slices'>): number {
    return this.#counts.length === 0 ? 0 : (this.#top + slices + 1) * sliceUs
  }

  /** The oldest slice that counts now. */
  get #oldest(): number {
    return Math.floor(this.#nowUs / this.#policy.sliceUs) - this.#policy.slices
  }

  #countOf(slice: number): number {
    return this.#counts[this.#top - slice] ?? 0
  }

  #sumFrom(oldest: number): number {
    let sum = 0
    const end = Math.min(this.#counts.length, this.#top - oldest + 1)
    for (let i = 0; i < end; i++) sum += this.#counts[i] ?? 0
    return sum
  }

  /** Makes a slice the newest one, and forgets those that do not count any more. */
  #open(slice: number): void {
    this.#write()
    if (this.#counts.length > 0 && slice === this.#top) return
    const kept = Math.max(0, Math.min(this.#counts.length, this.#top - this.#oldest + 1))
    const between = kept > 0 ? Array.from({ length: slice - this.#top - 1 }, () => 0) : []
    this.#counts = [0, ...between, ...this.#counts.slice(0, kept)]
    this.#top = slice
  }

  /**
   * Slices of another width cannot be compared: everything that still counts is put into one slice, the latest possible
   * one.
   */
  #putInOneSlice({ sliceUs, slices }: Pick<Written, 'sliceUs' | 'slices'>): void {
    const current = Math.floor(this.#nowUs / sliceUs)
    const sum = this.#sumFrom(current - slices)
    const latest = this.#top > current ? (this.#top + 1) * sliceUs - 1 : this.#nowUs
    this.#top = Math.floor(latest / this.#policy.sliceUs)
    this.#counts = sum > 0 ? [sum] : []
  }

  #write(): void {
    const { sliceUs, slices } = this.#policy
    this.#written = { sliceUs, slices, writtenUs: this.#nowUs }
  }
}
