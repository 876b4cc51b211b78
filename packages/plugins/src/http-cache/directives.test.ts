import { describe, expect, it } from 'vitest'
import { readDirectives } from './directives.ts'

const seconds = (name: string, ...lines: readonly string[]) => readDirectives(lines).seconds(name)

describe('a directive', () => {
  it.each([
    ['max-age=60', 60],
    ['Max-Age=60', 60],
    ['public , max-age=60 ,', 60],
    ['max-age="60"', 60],
    ['max-age="6\\0"', 60],
    ['max-age=060', 60],
    ['ext="a, no-store", max-age=60', 60],
    ['max-age=99999999999999999999', 2_147_483_648],
    [', ,max-age=60', 60],
  ])('%s has its number', (line, expected) => {
    expect(seconds('max-age', line)).toBe(expected)
  })

  it.each([
    'max-age',
    'max-age=',
    'max-age= 60',
    'max-age =60',
    "max-age='60'",
    'max-age=-1',
    'max-age=1.5',
    'max-age=6 0',
    'max-age=60s',
    'max-age="60',
    'max-age=60, max-age=60',
    'max-age=60, MAX-AGE=90',
  ])('%s counts as 0, which means stale', (line) => {
    expect(seconds('max-age', line)).toBe(0)
  })

  it('that is absent has no number', () => {
    expect(seconds('max-age', 'x-max-age=60, "max-age=60", s-maxage=1')).toBeUndefined()
    expect(readDirectives([]).isEmpty).toBe(true)
  })

  it('comes twice also over two lines', () => {
    expect(seconds('max-age', 'max-age=60', 'max-age=60')).toBe(0)
  })

  it('in a quoted string is none', () => {
    const read = readDirectives(['ext="a, no-store, b\\", private", public'])
    expect(['no-store', 'private', 'public'].map((name) => read.has(name))).toEqual([
      false,
      false,
      true,
    ])
  })

  it.each(['no-store', 'No-Store', 'no-store="x"', 'no-store=', 'a b, no-store', 'no-store;x'])(
    '%s is noticed, however it is written',
    (line) => {
      expect(readDirectives([`max-age=60, ${line}`]).has('no-store')).toBe(true)
    },
  )
})
