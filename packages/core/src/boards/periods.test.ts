/** Periods by the calendar, found anew or from those that were known. */

import { describe, expect, it, vi } from 'vitest'
import type { PeriodRule } from '../contracts/period-rule.ts'
import { CalendarEdges } from '../limits/calendar-edges.ts'
import { Periods } from './periods.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Clocks are set in March and October in Berlin, by half an hour in Lord Howe; 2028 has a leap day. */
const ZONES = ['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/Santiago', 'Australia/Lord_Howe']

describe.each(ZONES)('in %s', (timeZone) => {
  it.each(['hour', 'day', 'week', 'month'] as const)(
    'each %s is the same one whether the one before was known or not',
    (per) => {
      const rule: PeriodRule = { per, timeZone, periods: 5 }
      const followed = new Periods(rule)
      let at = Date.UTC(2027, 11, 28)
      for (let n = 0; n < 30; n++) {
        const { from, until, starts } = followed.at(at)
        const anew = new Periods(rule).at(at)
        expect(starts).toEqual(anew.starts)
        expect([...starts]).toEqual([...new Set(starts)].sort((a, b) => b - a))
        expect([from, until]).toEqual([anew.from, anew.until])
        expect(starts[0]).toBe(from)
        at = until
      }
    },
  )
})

it('when a period ends, only the next one is looked for', () => {
  const periods = new Periods({ per: 'hour', timeZone: 'Europe/Berlin', periods: 400 })
  const noon = Date.UTC(2027, 5, 1, 12)
  periods.at(noon)
  const before = vi.spyOn(CalendarEdges.prototype, 'before')
  expect(periods.at(noon + HOUR_MS).starts).toHaveLength(400)
  expect(before).not.toHaveBeenCalled()
  expect(periods.at(noon + 3 * HOUR_MS).starts).toHaveLength(400)
  expect(before).toHaveBeenCalledTimes(399)
  before.mockRestore()
})
