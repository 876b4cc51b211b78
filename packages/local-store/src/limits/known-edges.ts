/** The edges of calendar periods, kept for as long as they hold. */

import { CalendarEdges, type CalendarPolicy } from '@larder/core/store'

const US_PER_MS = 1_000

interface KnownEdges {
  readonly calendar: CalendarEdges
  /** The same list, in ms, for as long as nothing has changed. */
  ms: readonly number[]
  us: readonly number[]
}

const calendars = new Map<string, KnownEdges>()

/** Where the periods around a time begin, µs. There are few periods and time zones, so all that were ever requested are kept. */
export function edgesAround(
  { period, timeZone }: CalendarPolicy,
  nowUs: number,
): readonly number[] {
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
