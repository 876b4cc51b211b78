/** The periods that something is counted by, as keys of a store name them. */

import type { PeriodRule } from '../contracts/period-rule.ts'
import { CalendarEdges } from '../limits/calendar-edges.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** No period is longer: clocks that are set back add an hour. */
const LONGEST_MS = {
  hour: HOUR_MS,
  day: DAY_MS + 2 * HOUR_MS,
  week: 7 * DAY_MS + 2 * HOUR_MS,
  month: 31 * DAY_MS + 2 * HOUR_MS,
} as const

/** The periods as they are at one moment. */
export interface PeriodsNow {
  /** Where the present period begins and ends, ms since the epoch. Without periods: all time. */
  readonly from: number
  readonly until: number
  /** Where each period that is kept begins, the present one first. Without periods: 0. */
  readonly starts: readonly number[]
  /** What is kept of the present period is needed until then. Without periods: for ever. */
  readonly keptUntil: number
}

const ALL_TIME: PeriodsNow = {
  from: Number.NEGATIVE_INFINITY,
  until: Number.POSITIVE_INFINITY,
  starts: [0],
  keptUntil: Number.POSITIVE_INFINITY,
}

/** Tells the periods of one rule; remembers those of the present one. */
export class Periods {
  readonly #rule: PeriodRule
  readonly #edges: CalendarEdges | undefined
  #now: PeriodsNow | undefined

  constructor(rule: PeriodRule) {
    this.#rule = rule
    this.#edges = rule.per === 'none' ? undefined : new CalendarEdges(rule.per, rule.timeZone)
  }

  /** @param atMs an instant, ms since the epoch */
  at(atMs: number): PeriodsNow {
    const known = this.#now
    if (known !== undefined && atMs >= known.from && atMs < known.until) return known
    this.#now = this.#find(atMs)
    return this.#now
  }

  #find(atMs: number): PeriodsNow {
    const { per, periods } = this.#rule
    if (this.#edges === undefined || per === 'none') return ALL_TIME
    const [, from = 0, until = 0] = this.#edges.around(atMs)
    const starts = this.#startsFrom(from, this.#edges)
    return { from, until, starts, keptUntil: until + (periods - 1) * LONGEST_MS[per] }
  }

  /** Finding one takes some microseconds, and there may be hundreds: where one period follows the other, only the first one is new. */
  #startsFrom(from: number, edges: CalendarEdges): readonly number[] {
    const { periods } = this.#rule
    if (this.#now?.until === from) return [from, ...this.#now.starts].slice(0, periods)
    const starts = [from]
    while (starts.length < periods) starts.push(edges.before(starts.at(-1) ?? 0))
    return starts
  }
}

const known = new Map<string, Periods>()

/** The periods of a rule. There are few rules, so all that were ever asked for are kept. */
export function periodsOf({ per, timeZone, periods }: PeriodRule): Periods {
  const name = `${per} ${periods} ${timeZone}`
  let found = known.get(name)
  if (found === undefined) {
    found = new Periods({ per, timeZone, periods })
    known.set(name, found)
  }
  return found
}
