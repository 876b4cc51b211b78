/**
 * A number of calls per period: one that begins with the first admission after the last one (`fixed`), or one of the calendar. A
 * reservation opens the next period ahead of time.
 */

import type { CalendarPolicy, FixedPolicy, PolicyState } from '@larder/core/store'
import { edgesAround } from './known-edges.ts'
import type { Meter, Taken } from './meter.ts'

interface Period {
  readonly startUs: number
  readonly count: number
  /** The largest limit since the meter was last empty. */
  readonly most: number
}

export class PeriodMeter implements Meter<FixedPolicy | CalendarPolicy> {
  readonly size = 4
  #policy: FixedPolicy | CalendarPolicy
  #nowUs = 0
  #written: (Period & { readonly writtenUs: number; readonly endUs: number }) | undefined
  /** The present period, or one ahead that was reserved in; absent when nothing counts. */
  #open: Period | undefined

  constructor(policy: FixedPolicy | CalendarPolicy) {
    this.#policy = policy
  }

  get capacity(): number {
    return this.#policy.limit
  }

  get idleAt(): number {
    return this.#written?.endUs ?? 0
  }

  get written(): readonly number[] {
    if (this.#written === undefined) return []
    const { startUs, writtenUs, count, most } = this.#written
    return [startUs, writtenUs, count, most]
  }

  look(policy: FixedPolicy | CalendarPolicy, nowUs: number): void {
    this.#policy = policy
    this.#nowUs = nowUs
    this.#open = undefined
    if (this.#written === undefined) return
    const { startUs, writtenUs, count, most } = this.#written
    // The clock was set back: earlier admissions count now.
    const by = Math.max(0, writtenUs - nowUs)
    const begunUs = this.#movedBack(startUs, by)
    if (begunUs === undefined || this.#endOf(begunUs) <= nowUs) return
    this.#open = { startUs: begunUs, count, most: Math.max(most, policy.limit) }
    if (by > 0) this.#write(begunUs, count)
  }

  earliest(cost: number): number {
    if (this.#open === undefined) return this.#nowUs
    const { startUs, count } = this.#open
    const fits = count + cost <= this.#policy.limit
    return fits ? Math.max(this.#nowUs, startUs) : this.#endOf(startUs)
  }

  take({ cost, atUs }: Taken): void {
    const open = this.#open
    if (open !== undefined && atUs < this.#endOf(open.startUs))
      this.#write(open.startUs, open.count + cost)
    else this.#write(this.#startOf(atUs) ?? atUs, cost)
  }

  penalize(cost: number): void {
    const { limit } = this.#policy
    const startUs = this.#open?.startUs ?? this.#startOf(this.#nowUs) ?? this.#nowUs
    const count = this.#open?.count ?? 0
    // The count may be above the limit if the limit was lowered.
    this.#write(startUs, Math.max(count, Math.min(limit, count + cost)))
  }

  standing(): PolicyState {
    const { limit } = this.#policy
    if (this.#open === undefined) return { remaining: limit, resetUs: 0 }
    const { startUs, count } = this.#open
    // When the next period is open already, this one is used up.
    const remaining = startUs > this.#nowUs ? 0 : Math.max(0, limit - count)
    return { remaining, resetUs: this.#endOf(startUs) - this.#nowUs }
  }

  refund({ cost, atUs }: Taken): boolean {
    if (this.#open === undefined) return false
    const { startUs, count, most } = this.#open
    if (atUs < startUs || atUs >= this.#endOf(startUs) || count < cost) return false
    // A period ahead without reservations is closed again: it was opened because the one before was full.
    if (count === cost && startUs > this.#nowUs) this.#write(this.#startBefore(startUs), most)
    else this.#write(startUs, count - cost)
    return true
  }

  reward(points: number): number {
    if (this.#open === undefined) return 0
    const { startUs, count } = this.#open
    const given = Math.min(points, count)
    this.#write(startUs, count - given)
    return given
  }

  #write(startUs: number, count: number): void {
    this.#open = { startUs, count, most: this.#open?.most ?? this.#policy.limit }
    this.#written = { ...this.#open, writtenUs: this.#nowUs, endUs: this.#endOf(startUs) }
  }

  #movedBack(startUs: number, by: number): number | undefined {
    const moved = this.#startOf(startUs - by)
    if (by === 0 || this.#policy.algorithm === 'fixed') return moved
    return Math.max(moved ?? 0, this.#startOf(this.#nowUs) ?? 0)
  }

  /** Where the period of a time begins; a `fixed` one begins at its first admission. Undefined for a period long over. */
  #startOf(atUs: number): number | undefined {
    if (this.#policy.algorithm === 'fixed') return atUs
    return this.#edges().findLast((edge) => edge <= atUs)
  }

  #startBefore(startUs: number): number {
    if (this.#policy.algorithm === 'fixed') return startUs - this.#policy.windowUs
    return this.#startOf(startUs - 1) ?? startUs
  }

  #endOf(startUs: number): number {
    if (this.#policy.algorithm === 'fixed') return startUs + this.#policy.windowUs
    const edges = this.#edges()
    const next = edges.find((edge) => edge > startUs)
    // Beyond the known edges: no reservation reaches that far.
    return next ?? startUs + (edges.at(-1) ?? 0) - (edges.at(-2) ?? 0)
  }

  /** Where the periods around now begin, µs. */
  #edges(): readonly number[] {
    if (this.#policy.algorithm === 'fixed') return []
    return edgesAround(this.#policy, this.#nowUs)
  }
}
