import { describe, expect, it } from 'vitest'
import { describeValue, InvalidOptionError } from '../errors/option-error.ts'
import { type Duration, parseDuration } from './duration.ts'

const parse = (value: unknown, bounds?: { min?: number; max?: number }) =>
  parseDuration(value as Duration, 'products.ttl', bounds)

/** Numbers, texts and things that look like a duration to a careless parser, or would hang or break one. */
const REFUSED: readonly unknown[] = [
  ...['', ' ', 's', '5', '5 m', ' 5m', '5m ', '5m\n', '\t5m', '5minutes', '5M', '5 minutes'],
  ...['1e3s', '0x10s', '-5s', '+5s', '.5s', '5.s', '1.2.3s', '1,5s', '1_000ms', '5w', '5us'],
  ...['Infinitys', 'NaNms', '\u0665m', '\uff15m', '5\u0000m', '5m5m', '1h30m', 'P1D', '5\u043c'],
  ...['constructor', '__proto__', `${'9'.repeat(400)}s`, `1.${'0'.repeat(400)}s`],
  ...[`${'9'.repeat(15)}d`, '3650.000001d', 315_360_000_001, Number.MAX_VALUE],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -0.5, -Number.MIN_VALUE],
  ...[5n, true, null, undefined, [], ['5m'], {}, { valueOf: () => 5 }, { toString: () => '5m' }],
  ...[Object(5), Object('5m'), new Date(0), () => 5, Symbol('5m')],
]

describe('a duration', () => {
  it.each<[Duration, number]>([
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['0s', 0],
    ['007s', 7_000],
    ['1.5s', 1_500],
    ['0.5ms', 1],
    ['0.000001s', 1],
    ['3650d', 315_360_000_000],
    [0, 0],
    [1_500, 1_500],
    [0.2, 1],
    [Number.MIN_VALUE, 1],
  ])('%s is %d ms', (value, ms) => {
    expect(parse(value)).toBe(ms)
  })

  // Each of these is a little more than its due when multiplied in floating point.
  it.each<[Duration, number]>([
    ['0.07h', 252_000],
    ['0.14h', 504_000],
    ['0.27m', 16_200],
    ['0.07d', 6_048_000],
  ])('%s is %d ms and not one more', (value, ms) => {
    expect(parse(value)).toBe(ms)
  })

  it('turns minus nought into nought', () => {
    expect(Object.is(parse(-0), 0)).toBe(true)
  })

  it.each(REFUSED.map((value) => [describeValue(value), value] as const))(
    'refuses %s',
    (_, value) => {
      expect(() => parse(value)).toThrow(InvalidOptionError)
    },
  )

  it('says which option, what it takes with its bounds, and what it got', () => {
    expect(() => parse('2h', { min: 10, max: 3_600_000 })).toThrow(
      "products.ttl takes a duration such as '250ms', '30s', '5m', '2h', '1d', or milliseconds, " +
        'from 10ms to 1h, but got "2h" (string).',
    )
  })

  it('takes its bounds themselves and nothing past them', () => {
    const bounds = { min: 10, max: 20 }
    expect([parse(10, bounds), parse('20ms', bounds)]).toEqual([10, 20])
    expect(() => parse('9ms', bounds)).toThrow(InvalidOptionError)
    expect(() => parse(20.1, bounds)).toThrow(InvalidOptionError)
  })

  it.each([
    ['5 minutes', '5m'],
    ['5min', '5m'],
    ['5M', '5m'],
    ['1.5 secs', '1.5s'],
    ['250 milliseconds', '250ms'],
    ['2 hrs', '2h'],
    ['1 day', '1d'],
  ])('suggests for %s what it means', (text, meant) => {
    expect(() => parse(text)).toThrow(`Did you mean '${meant}'?`)
  })

  it.each(['5 months', '5 weeks', '5', 'soon', '-5s'])('suggests nothing for %s', (text) => {
    expect(() => parse(text)).not.toThrow('Did you mean')
  })

  it('is checked by the type system', () => {
    const right: readonly Duration[] = ['250ms', '30s', '5m', '2h', '1d', '1.5s', 100]
    // @ts-expect-error a unit spelt out
    const spelt: Duration = '5 minutes'
    // @ts-expect-error no unit
    const bare: Duration = '5'
    // @ts-expect-error no such unit
    const weeks: Duration = '5w'
    expect([...right, spelt, bare, weeks]).toHaveLength(10)
  })
})
