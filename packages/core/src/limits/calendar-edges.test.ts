/** Where days, weeks and months begin, also where clocks are changed. */

import { describe, expect, it } from 'vitest'
import type { CalendarPeriod } from '../contracts/rate-limit-provider.ts'
import { CalendarEdges } from './calendar-edges.ts'

function around(period: CalendarPeriod, timeZone: string, at: string): readonly string[] {
  const edges = new CalendarEdges(period, timeZone).around(Date.parse(at))
  return edges.map((edge) => new Date(edge).toISOString().replace(':00.000Z', 'Z'))
}

describe('periods', () => {
  it('hours begin on the hour of the zone, wherever that is', () => {
    expect(around('hour', 'UTC', '2025-01-01T12:34:56.789Z').slice(0, 3)).toEqual([
      '2025-01-01T11:00Z',
      '2025-01-01T12:00Z',
      '2025-01-01T13:00Z',
    ])
    expect(around('hour', 'Asia/Kathmandu', '2025-01-01T12:34:00Z')[1]).toBe('2025-01-01T12:15Z')
  })

  it('days begin at local midnight', () => {
    expect(around('day', 'Asia/Tokyo', '2025-01-01T15:00:00Z')[1]).toBe('2025-01-01T15:00Z')
    expect(around('day', 'Asia/Tokyo', '2025-01-01T14:59:59.999Z')[1]).toBe('2024-12-31T15:00Z')
  })

  it('weeks begin on Monday', () => {
    expect(around('week', 'UTC', '2025-01-05T23:59:59Z').slice(0, 3)).toEqual([
      '2024-12-23T00:00Z',
      '2024-12-30T00:00Z',
      '2025-01-06T00:00Z',
    ])
  })

  it('months are of their own length', () => {
    expect(around('month', 'UTC', '2024-02-29T12:00:00Z').slice(0, 4)).toEqual([
      '2024-01-01T00:00Z',
      '2024-02-01T00:00Z',
      '2024-03-01T00:00Z',
      '2024-04-01T00:00Z',
    ])
  })
})

describe('where clocks are changed', () => {
  it('a day has 23 or 25 hours', () => {
    const spring = around('day', 'Europe/Berlin', '2025-03-30T12:00:00Z')
    expect(spring.slice(1, 3)).toEqual(['2025-03-29T23:00Z', '2025-03-30T22:00Z'])
    const autumn = around('day', 'Europe/Berlin', '2025-10-26T12:00:00Z')
    expect(autumn.slice(1, 3)).toEqual(['2025-10-25T22:00Z', '2025-10-26T23:00Z'])
  })

  it('a day whose midnight is skipped begins where the skip ends', () => {
    // In Cairo, clocks went from 00:00 to 01:00 on 26 April 2024.
    const edges = around('day', 'Africa/Cairo', '2024-04-26T12:00:00Z')
    expect(edges.slice(1, 3)).toEqual(['2024-04-25T22:00Z', '2024-04-26T21:00Z'])
  })

  it('a midnight that comes twice begins the day the first time', () => {
    // In Havana, clocks went from 01:00 back to 00:00 on 3 November 2024.
    const edges = around('day', 'America/Havana', '2024-11-03T12:00:00Z')
    expect(edges.slice(1, 3)).toEqual(['2024-11-03T04:00Z', '2024-11-04T05:00Z'])
  })

  it('hours stay hours', () => {
    const edges = new CalendarEdges('hour', 'Europe/Berlin').around(Date.parse('2025-10-26T00:30Z'))
    for (const [i, edge] of edges.slice(1).entries()) expect(edge - (edges[i] ?? 0)).toBe(3_600_000)
  })
})

it('every instant of ten years is in the period it is said to be in, and periods ascend', () => {
  const wrong: string[] = []
  for (const period of ['hour', 'day', 'week', 'month'] as const) {
    for (const timeZone of ['UTC', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Tehran']) {
      const calendar = new CalendarEdges(period, timeZone)
      for (let at = Date.UTC(2015, 0, 1); at < Date.UTC(2025, 0, 1); at += 200_123_457) {
        const edges = calendar.around(at)
        const [, begins = Number.NaN, ends = Number.NaN] = edges
        const isAscending = edges.every((edge, i) => i === 0 || edge > (edges[i - 1] ?? edge))
        if (begins <= at && ends > at && isAscending) continue
        wrong.push(`${period} ${timeZone} ${new Date(at).toISOString()}`)
      }
    }
  }
  expect(wrong).toEqual([])
})

it('gives the same list for as long as nothing has changed', () => {
  const calendar = new CalendarEdges('day', 'UTC')
  const noon = Date.UTC(2025, 0, 1, 12)
  expect(calendar.around(noon)).toBe(calendar.around(noon + 1_000))
  expect(calendar.around(noon)).not.toBe(calendar.around(noon + 86_400_000))
})
