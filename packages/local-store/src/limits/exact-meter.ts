/**
 * Never more than the limit in any window: the stamps of the latest admissions, oldest first.
 *
 * A call of cost c fits at the time when the (limit - c + 1)-th newest stamp has left the window: one look, however many
 * are. Nothing is admitted before the last admission, so no later window holds more than the one that ends with
 * the newest stamp.
 */

import type { ExactPolicy, PolicyState } from '@larder/core/store'
import type { Meter, Taken } from './meter.ts'

const NONE = { atUs: 0, writtenUs: 0 }

export class ExactMeter implements Meter<ExactPolicy> {
  #policy: ExactPolicy
  #nowUs = 0
  /** Ascending. */
  #stamps: number[] = []
  /** The latest admission that was reserved ahead, and when it was. */
  #reserved = NONE
  /** The largest limit under which anything was admitted since the meter was last empty. */
  #most = 0
  /** The longest window, over the same time. */
  #windowUs = 0

  constructor(policy: ExactPolicy) {
    this.#policy = policy
  }

  get capacity(): number {
    return this.#policy.limit
  }

  get idleAt(): number {
    const newest = this.#stamps.at(-1)
    return newest === undefined ? 0 : newest + this.#windowUs
  }

  get size(): number {
    return this.#stamps.length
  }

  get written(): readonly number[] {
    if (this.#stamps.length === 0) return []
    return [this.#reserved.atUs, this.#reserved.writtenUs, this.#most, ...this.#stamps]
  }

  look(policy: ExactPolicy, nowUs: number): void {
    this.#policy = policy
    this.#nowUs = nowUs
    const newest = this.#stamps.at(-1) ?? 0
    // Ahead of now: it was reserved, or the clock was set back.
    if (newest <= nowUs) return
    const { atUs, writtenUs } = this.#reserved
    const by = (newest === atUs ? writtenUs : newest) - nowUs
    if (by <= 0) return
    // Then everything happened at least that much earlier on the new scale.
    this.#stamps = this.#stamps.map((stamp) => Math.max(0, stamp - by))
    this.#reserved = { atUs: Math.max(0, atUs - by), writtenUs: Math.max(0, writtenUs - by) }
  }

  earliest(cost: number): number {
    const at = Math.max(this.#nowUs, this.#stamps.at(-1) ?? 0)
    const leaving = this.#stamps.at(cost - this.#policy.limit - 1)
    return leaving === undefined ? at : Math.max(at, leaving + this.#policy.windowUs)
  }

  take({ cost, atUs }: Taken): void {
    // Dropped only when they are the greater part, and not when a reservation leaves them behind: it may be taken back, and
    // then they count again.
    const dead = this.#countDead()
    const { limit, windowUs } = this.#policy
    const isAllDead = dead === this.#stamps.length
    this.#most = isAllDead ? limit : Math.max(this.#most, limit)
    this.#windowUs = isAllDead ? windowUs : Math.max(this.#windowUs, windowUs)
    if (dead * 2 >= this.#stamps.length + cost) this.#stamps.splice(0, dead)
    for (let i = 0; i < cost; i++) this.#stamps.push(atUs)
    if (atUs > this.#nowUs) this.#reserved = { atUs, writtenUs: this.#nowUs }
  }

  penalize(cost: number): void {
    const atUs = Math.max(this.#nowUs, this.#stamps.at(-1) ?? 0)
    this.take({ cost, atUs, nowUs: this.#nowUs, permit: '' })
    // Only the newest ones can matter: as many as the largest limit, which may be set again.
    const length = this.#stamps.length
    if (length >= 2 * this.#most) this.#stamps.splice(0, length - this.#most)
  }

  standing(): PolicyState {
    const { limit, windowUs } = this.#policy
    const newest = this.#stamps.at(-1)
    if (newest === undefined) return { remaining: limit, resetUs: 0 }
    const used = this.#stamps.length - this.#countDead()
    return {
      remaining: Math.max(0, limit - used),
      resetUs: Math.max(0, newest + windowUs - this.#nowUs),
    }
  }

  refund({ cost, atUs }: Taken): boolean {
    if (atUs <= this.#nowUs - this.#policy.windowUs) return false
    const end = this.#stamps.lastIndexOf(atUs) + 1
    const start = Math.max(this.#stamps.indexOf(atUs), end - cost)
    if (end === 0) return false
    this.#giveBack(start, end - start)
    return true
  }

  /** The newest first. */
  reward(points: number): number {
    const count = Math.min(points, this.#stamps.length - this.#countDead())
    if (count > 0) this.#giveBack(this.#stamps.length - count, count)
    return count
  }

  #giveBack(start: number, count: number): void {
    this.#stamps.splice(start, count)
    const newest = this.#stamps.at(-1)
    if (newest === undefined) this.#reserved = NONE
    else if (newest > this.#nowUs) this.#reserved = { atUs: newest, writtenUs: this.#nowUs }
  }

  /** How many of the oldest stamps have left the window that ends now. */
  #countDead(): number {
    const edge = this.#nowUs - this.#policy.windowUs
    let low = 0
    let high = this.#stamps.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#stamps[middle] ?? 0) <= edge) low = middle + 1
      else high = middle
    }
    return low
  }
}
