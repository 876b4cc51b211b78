/** What the decide scripts answer, read. */

import { describe, expect, it } from 'vitest'
import { readDecisions } from './read-decisions.ts'

function doubles(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * numbers.length)
  for (const [i, number] of numbers.entries()) bytes.writeDoubleBE(number, 8 * i)
  return bytes
}

const NOW = 1_700_000_000_000_001

describe('readDecisions', () => {
  it('reads one reply a call, with the state of each policy', () => {
    const reply = doubles(
      NOW,
      1,
      0,
      -1,
      4,
      10,
      9,
      20,
      0,
      500,
      1,
      3,
      30,
      0,
      40,
      -1,
      0,
      0,
      1,
      2,
      3,
      4,
    )
    expect(readDecisions(reply, 3, 2)).toEqual({
      nowUs: NOW,
      replies: [
        {
          admitted: true,
          waitUs: 0,
          refusedBy: -1,
          states: [
            { remaining: 4, resetUs: 10 },
            { remaining: 9, resetUs: 20 },
          ],
          nowUs: NOW,
        },
        expect.objectContaining({ admitted: false, waitUs: 500, refusedBy: 1 }),
        expect.objectContaining({
          admitted: false,
          waitUs: Number.POSITIVE_INFINITY,
          refusedBy: 0,
        }),
      ],
    })
  })

  it('reads the time alone where the calendar did not reach', () => {
    expect(readDecisions(doubles(NOW), 3, 2)).toEqual({ nowUs: NOW, replies: undefined })
  })

  it('refuses what is shorter, longer or something else', () => {
    expect(() => readDecisions(doubles(NOW, 1, 0, -1, 4), 1, 1)).toThrow(/length/)
    expect(() => readDecisions(Buffer.alloc(0), 1, 1)).toThrow(/length/)
    expect(() => readDecisions([1, 2], 1, 1)).toThrow(/bytes/)
  })
})
