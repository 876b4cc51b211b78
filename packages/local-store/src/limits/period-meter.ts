/**
 * So many per period: one that begins with the first admission after the last one (`fixed`), or one of the calendar. A
 * reservation opens the next period ahead of time.
 */

import {
  CalendarEdges,
  type CalendarPolicy,
  type FixedPolicy,
  type PolicyState,
} from '@larder/core/store'
import type { Meter, Taken } from './meter.ts'

const US_PER_MS = 1_000

interface Period {
  readonly startUs: number
  readonly count: number
}

export class PeriodMeter implements Meter<FixedPolicy | CalendarPolicy> {
  readonly size = 4
  #policy: FixedPolicy | CalendarPolicy
  #nowUs = 0
  /** As last written, and when. */
  #written: Period | undefined
  #writtenUs = 0
  /** The present period, or one ahead that was reserved in; absent when nothing counts. */
  #open: Period | undefined
  /** The largest limit since nothing counted last. */
  #most = 0

  constructor(policy: FixedPolicy | CalendarPolicy) {
    this.#policy = policy
  }

  get capacity(): number {
    return this.#policy.limit
  }

  get idleAt(): number {
    return this.#written === undefined ? 0 : this.#endOf(this.#written.startUs)
  }

  look(policy: FixedPolicy | CalendarPolicy, nowUs: number): void {
    this.#policy = policy
    this.#nowUs = nowUs
    this.#open = undefined
    const most = Math.max(this.#most, policy.limit)
    this.#most = policy.limit
    if (this.#written === undefined) return
    // The clock was set back: what was admitted before now counts now.
    const by = Math.max(0, this.#writtenUs - nowUs)
    const startUs = this.#movedBack(this.#written.startUs, by)
    if (startUs === undefined || this.#endOf(startUs) <= nowUs) return
    this.#open = { startUs, count: this.#written.count }
    this.#most = most
    if (by > 0) this.#write(this.#open)
  }

  earliest(cost: number): number {
    if (this.#open === undefined) return this.#nowUs
    const { startUs, count } = this.#open
    const fits = count + cost <= this.#policy.limit
    return fits ? Math.max(this.#nowUs, startUs) : this.#endOf(startUs)
  }

  take({ cost, atUs }: Taken): void {
    const { startUs, count } = this.#open ?? { startUs: atUs, count: 0 }
    if (atUs < this.#endOf(startUs)) this.#write({ startUs, count: count + cost })
    else this.#write({ startUs: atUs, count: cost })
  }

  penalize(cost: number): void {
    const { startUs, count } = this.#open ?? { startUs: this.#nowUs, count: 0 }
    this.#write({ startUs, count: Math.max(count, Math.min(this.#policy.limit, count + cost)) })
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
    const { startUs, count } = this.#open
    if (atUs < startUs || atUs >= this.#endOf(startUs) || count < cost) return false
    // A period ahead in which nothing is reserved any more is closed again: it was opened because the one before was full.
    if (count === cost && startUs > this.#nowUs)
      this.#write({ startUs: this.#startBefore(startUs), count: this.#most })
    else this.#write({ startUs, count: count - cost })
    return true
  }

  reward(points: number): number {
    if (this.#open === undefined) return 0
    const { startUs, count } = this.#open
    const given = Math.min(points, count)
    this.#write({ startUs, count: count - given })
    return given
  }

  #write({ startUs, count }: Period): void {
    this.#open = { startUs: this.#startOf(startUs) ?? startUs, count }
    this.#written = this.#open
    this.#writtenUs = this.#nowUs
  }

  #movedBack(startUs: number, by: number): number | undefined {
    const moved = this.#startOf(startUs - by)
    if (by === 0 || this.#policy.algorithm === 'fixed') return moved
    return Math.max(moved ?? 0, this.#startOf(this.#nowUs) ?? 0)
  }

  /** Where the period of a time begins; a `fixed` one begins when it is said to. Undefined for what is long over. */
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
    // Beyond what is known: no reservation reaches that far.
    return next ?? startUs + (edges.at(-1) ?? 0) - (edges.at(-2) ?? 0)
  }

  /** Where the periods around now begin, µs. */
  #edges(): readonly number[] {
    if (this.#policy.algorithm === 'fixed') return []
    return edgesOf(this.#policy, this.#nowUs)
  }
}

interface KnownEdges {
  readonly calendar: CalendarEdges
  /** The same list, in ms, for as long as nothing has changed. */
  ms: readonly number[]
  us: readonly number[]
}

const calendars = new Map<string, KnownEdges>()

/** There are few periods and time zones, so all that were ever asked for are kept. */
function edgesOf({ period, timeZone }: CalendarPolicy, nowUs: number): readonly number[] {
  const name = `${period} ${timeZone}`
  let known = calendars.get(name)
  if (known === undefined) {
    known = { calendar: new CalendarEdges(period, timeZone), ms: [], us: [] }
    calendars.set(name, known)
  }
  const ms = known.calendar.around(Math.floor(nowUs / US_PER_MS))
  if (ms !== known.ms) {
    known.ms = ms
    known.us = ms.map((edge) => edge * US_PER_MS)
  }
  return known.us
}
