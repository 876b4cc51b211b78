/** Periods by which something is counted. */

import type { CalendarPeriod } from './rate-limit-provider.ts'

/** Periods by which something is counted. */
export interface PeriodRule {
  /** `none`: one list for all time. */
  readonly per: CalendarPeriod | 'none'
  /** IANA name. */
  readonly timeZone: string
  /** How many periods are kept, the present one included. From 1. */
  readonly periods: number
}
