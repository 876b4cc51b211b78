/**
 * Where the periods of a calendar begin, in a time zone.
 *
 * A day begins at the first instant whose local date is that day: at midnight, or an hour later where clocks are set
 * forward at midnight. So a day may have 23 or 25 hours, and hours have 60 minutes always.
 */

import type { CalendarPeriod } from '../contracts/rate-limit-provider.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** How many periods before and after the present one are known. */
const BEFORE = 1
const AFTER = 4

/** The periods of one calendar; remembers the present one. */
export class CalendarEdges {
  readonly #period: CalendarPeriod
  readonly #format: Intl.DateTimeFormat
  #edges: readonly number[] = []

  /** @throws RangeError for an unknown time zone */
  constructor(period: CalendarPeriod, timeZone: string) {
    this.#period = period
    this.#format = new Intl.DateTimeFormat('en-US-u-ca-gregory', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  /** Beginnings of periods, ms since the epoch, ascending: the period before `atMs`, the present one and the next ones. */
  around(atMs: number): readonly number[] {
    const [, start = 0, end = 0] = this.#edges
    if (atMs >= start && atMs < end) return this.#edges
    const edges = Array.from({ length: BEFORE + 1 + AFTER }, (_, i) =>
      this.#startOf(atMs, i - BEFORE),
    )
    this.#edges = edges
    return edges
  }

  /** The beginning of the period that is over at this instant, or of the one that it is within. */
  before(atMs: number): number {
    return this.#startOf(atMs - 1, 0)
  }

  /** The beginning of the period that is `steps` after the one of `atMs`. */
  #startOf(atMs: number, steps: number): number {
    const local = this.#localTime(atMs)
    if (this.#period === 'hour') return atMs - modulo(local, HOUR_MS) + steps * HOUR_MS
    return this.#instantOf(localStart(this.#period, local, steps))
  }

  /** The first instant at which local clocks show at least this time. */
  #instantOf(local: number): number {
    // Offsets change by hours, so those a day before and after are the ones to try; the earlier instant is the first.
    const candidates = [local - DAY_MS, local + DAY_MS].map((near) => local - this.#offset(near))
    const fitting = candidates.filter((at) => this.#localTime(at) === local)
    if (fitting.length > 0) return Math.min(...fitting)
    // No clock shows it: it was skipped, and the day begins where the skip ends.
    const [before = local, after = local] = candidates
    return this.#endOfSkip(Math.min(before, after), Math.max(before, after))
  }

  /** Between two instants around a change of the offset, the instant of the change. */
  #endOfSkip(from: number, to: number): number {
    const offset = this.#offset(from)
    let low = from
    let high = to
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (this.#offset(middle) === offset) low = middle
      else high = middle
    }
    return high
  }

  #offset(atMs: number): number {
    return this.#localTime(atMs) - atMs
  }

  /** What local clocks show, written as if it were UTC, ms. */
  #localTime(atMs: number): number {
    const shown: Record<string, number> = {}
    for (const { type, value } of this.#format.formatToParts(atMs)) shown[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown
    return Date.UTC(year, month - 1, day, hour, minute, second) + modulo(atMs, 1_000)
  }
}

function localStart(period: CalendarPeriod, local: number, steps: number): number {
  const date = new Date(local)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  if (period === 'month') return Date.UTC(year, month + steps, 1)
  if (period === 'day') return Date.UTC(year, month, day + steps)
  const sinceMonday = (date.getUTCDay() + 6) % 7
  return Date.UTC(year, month, day - sinceMonday + 7 * steps)
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by
}
