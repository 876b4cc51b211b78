import { describe, expect, it } from 'vitest'
import { readDate } from './dates.ts'
import type { FieldLines } from './fields.ts'
import { governing, lifetimeOf } from './lifetime.ts'

const NOW = Date.UTC(2026, 10, 30, 12)
const ROUTE = { ttlMs: 7_000, staleWhileRevalidateMs: 1_000, staleIfErrorMs: 2_000 }
const at = (ms: number): string => new Date(NOW + ms).toUTCString()

function lifetime(
  fields: FieldLines,
  targets: readonly string[] = ['larder-cache-control', 'cdn-cache-control'],
) {
  const { freshMs, staleWhileRevalidateMs, staleIfErrorMs } = lifetimeOf(
    fields,
    governing(fields, targets),
    ROUTE,
    NOW,
  )
  return [freshMs, staleWhileRevalidateMs, staleIfErrorMs].map((ms) => ms / 1_000)
}

describe('a response is fresh', () => {
  it.each<readonly [string, FieldLines, readonly number[]]>([
    ['as the route says, where it says nothing', [], [7, 1, 2]],
    ['for max-age', [['Cache-Control', 'max-age=60']], [60, 0, 0]],
    ['for s-maxage before max-age', [['Cache-Control', 'max-age=60, s-maxage=5']], [5, 0, 0]],
    [
      'for max-age before Expires',
      [
        ['Cache-Control', 'max-age=60'],
        ['Expires', at(5_000)],
      ],
      [60, 0, 0],
    ],
    [
      'until Expires, counted from Date',
      [
        ['Expires', at(5_000)],
        ['Date', at(0)],
      ],
      [5, 0, 0],
    ],
    [
      'not at all for a malformed max-age',
      [
        ['Cache-Control', 'max-age=x'],
        ['Expires', at(5_000)],
      ],
      [0, 0, 0],
    ],
    ['not at all for Expires: 0', [['Expires', '0']], [0, 0, 0]],
    [
      'not at all for two Expires',
      [
        ['Expires', at(5_000)],
        ['Expires', at(9_000)],
      ],
      [0, 0, 0],
    ],
    ['not at all for what says nothing of it', [['Cache-Control', 'public']], [0, 0, 0]],
    ['not at all for Pragma alone', [['Pragma', 'no-cache']], [0, 0, 0]],
    [
      'for less by its age',
      [
        ['Cache-Control', 'max-age=60'],
        ['Age', '20'],
      ],
      [40, 0, 0],
    ],
    [
      'for less by its date',
      [
        ['Cache-Control', 'max-age=60'],
        ['Date', at(-20_000)],
      ],
      [40, 0, 0],
    ],
    [
      'by the first of several ages',
      [
        ['Cache-Control', 'max-age=60'],
        ['Age', '20, 50'],
      ],
      [40, 0, 0],
    ],
    [
      'and an age that is none is ignored',
      [
        ['Cache-Control', 'max-age=60'],
        ['Age', 'x'],
      ],
      [60, 0, 0],
    ],
    [
      'with stale windows',
      [['Cache-Control', 'max-age=1, stale-while-revalidate=2, stale-if-error=3']],
      [1, 2, 3],
    ],
    [
      'without them after must-revalidate',
      [['Cache-Control', 'max-age=1, stale-if-error=3, must-revalidate']],
      [1, 0, 0],
    ],
    [
      'without them after s-maxage',
      [['Cache-Control', 's-maxage=1, stale-while-revalidate=3']],
      [1, 0, 0],
    ],
    [
      'as a targeted field says',
      [
        ['Cache-Control', 'max-age=60'],
        ['CDN-Cache-Control', 'max-age=5'],
      ],
      [5, 0, 0],
    ],
    [
      'as the first target says',
      [
        ['CDN-Cache-Control', 'max-age=5'],
        ['Larder-Cache-Control', 'max-age=9'],
      ],
      [9, 0, 0],
    ],
    [
      'as Cache-Control says, where a target is malformed',
      [
        ['CDN-Cache-Control', 'Max-Age=5'],
        ['Cache-Control', 'max-age=60'],
      ],
      [60, 0, 0],
    ],
    [
      'as Cache-Control says, where a target is empty',
      [
        ['CDN-Cache-Control', ''],
        ['Cache-Control', 'max-age=60'],
      ],
      [60, 0, 0],
    ],
    [
      'not by Expires, where a target says nothing',
      [
        ['CDN-Cache-Control', 'public'],
        ['Expires', at(5_000)],
      ],
      [0, 0, 0],
    ],
  ])('%s', (_, fields, expected) => {
    expect(lifetime(fields)).toEqual(expected)
  })
})

describe('a date', () => {
  it.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', 784_111_777_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 784_111_777_000],
    ['Sun Nov  6 08:49:37 1994', 784_111_777_000],
    ['Sun, 6 Nov 1994 08:49:37 GMT', undefined],
    ['Sun, 06 Nov 1994 08:49:37 UTC', undefined],
    ['Sun, 06 Nov 1994 24:49:37 GMT', undefined],
    ['1994-11-06T08:49:37Z', undefined],
    ['0', undefined],
    ['', undefined],
  ])('%s', (text, expected) => {
    expect(readDate(text, NOW)).toBe(expected)
  })

  it('of two digits lies at most fifty years ahead', () => {
    const year = (text: string) => new Date(readDate(text, NOW) ?? 0).getUTCFullYear()
    expect([
      year('Sunday, 06-Nov-76 08:49:37 GMT'),
      year('Sunday, 06-Nov-77 08:49:37 GMT'),
    ]).toEqual([2076, 1977])
  })
})
