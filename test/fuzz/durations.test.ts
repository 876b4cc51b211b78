/** Durations and sizes: what is taken is exact, and what is refused is refused by name. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../packages/core/src/errors/option-error.ts'
import { type Duration, parseDuration } from '../../packages/core/src/options/duration.ts'
import { parseSize, type Size } from '../../packages/core/src/options/size.ts'
import { testSeed } from '../support/seed.ts'

const seed = testSeed()
const runs = { seed: seed | 0, numRuns: 2_000 }
const MAX_MS = 3_650n * 86_400_000n
const MAX_BYTES = 1_024n ** 4n
const MILLIONTHS = 1_000_000n
const UNIT_MS = { ms: 1n, s: 1_000n, m: 60_000n, h: 3_600_000n, d: 86_400_000n }
const UNIT_BYTES = { b: 1n, kb: 1_024n, mb: 1_024n ** 2n, gb: 1_024n ** 3n }

const whole = fc.oneof(fc.nat({ max: 99 }), fc.nat({ max: 10 ** 9 })).map(BigInt)
const fraction = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 6 })

/** The amount in exact arithmetic, rounded up. */
function exactly(integer: bigint, decimals: string, worth: bigint): bigint {
  const millionths = integer * MILLIONTHS + BigInt(decimals.padEnd(6, '0'))
  return (millionths * worth + MILLIONTHS - 1n) / MILLIONTHS
}

describe(`durations (SEED=${seed})`, () => {
  it.each(Object.entries(UNIT_MS))(
    'in %s are exact to the millisecond, or out of bounds',
    (unit, worth) => {
      fc.assert(
        fc.property(whole, fraction, (integer, decimals) => {
          const written = `${integer}${decimals === '' ? '' : `.${decimals}`}${unit}` as Duration
          const ms = exactly(integer, decimals, worth)
          if (ms > MAX_MS) expect(() => parseDuration(written, 'ttl')).toThrow(InvalidOptionError)
          else expect(parseDuration(written, 'ttl')).toBe(Number(ms))
        }),
        runs,
      )
    },
  )

  it('are whole, not negative and not less than the number given, or it was out of bounds', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double(), fc.double({ min: -2, max: 1e12 }), fc.integer()),
        (given) => {
          if (!(given >= 0 && given <= Number(MAX_MS))) {
            expect(() => parseDuration(given, 'ttl')).toThrow(InvalidOptionError)
            return
          }
          const ms = parseDuration(given, 'ttl')
          expect(Number.isInteger(ms) && ms >= given && ms - 1 < given).toBe(true)
        },
      ),
      runs,
    )
  })

  it('are nothing else, whatever is given', () => {
    const nearly = fc.string({ unit: fc.constantFrom(...'019.,-+ emshdMS\n٥'), maxLength: 6 })
    fc.assert(
      fc.property(fc.oneof(nearly, fc.anything()), (given) => {
        fc.pre(typeof given !== 'number' && !isWritten(given))
        expect(() => parseDuration(given as Duration, 'products.ttl')).toThrow(
          /^products\.ttl takes a duration/,
        )
      }),
      runs,
    )
  })
})

describe(`sizes (SEED=${seed})`, () => {
  it.each(Object.entries(UNIT_BYTES))(
    'in %s are exact to the byte, or out of bounds',
    (unit, worth) => {
      fc.assert(
        fc.property(whole, fraction, (integer, decimals) => {
          const written = `${integer}${decimals === '' ? '' : `.${decimals}`}${unit}` as Size
          const bytes = exactly(integer, decimals, worth)
          if (bytes < 1n || bytes > MAX_BYTES)
            expect(() => parseSize(written, 'maxBytes')).toThrow(InvalidOptionError)
          else expect(parseSize(written, 'maxBytes')).toBe(Number(bytes))
        }),
        runs,
      )
    },
  )
})

function isWritten(given: unknown): boolean {
  return typeof given === 'string' && /^\d+(?:\.\d+)?(?:ms|[smhd])$/.test(given)
}
