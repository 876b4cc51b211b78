import { describe, expect, it } from 'vitest'
import { fitKey } from './key-digest.ts'

const long = 'user:'.padEnd(1_000, 'x')

describe('a key that fits', () => {
  it.each([
    '',
    'a',
    '#',
    'a#b',
    `${'x'.repeat(199)}#`,
    'x'.repeat(200),
    '😀'.repeat(100),
    '#'.repeat(43),
  ])('is kept: %j', (key) => {
    expect(fitKey(key)).toBe(key)
  })
})

describe('a key that does not fit', () => {
  it('becomes its first 100 characters, a mark and a digest', () => {
    expect(fitKey(long)).toMatch(/^user:x{95}#[\w-]{43}$/)
  })

  it('always becomes the same: nodes of all releases must agree', () => {
    expect(fitKey('x'.repeat(201))).toBe(
      `${'x'.repeat(100)}#w8U0FJamV-uilXzqemLjiv_4ZDjVsx-x94UFMxwIHP0`,
    )
  })

  it('differs from every other, whatever they share', () => {
    const keys = [
      long,
      `${long}y`,
      `${long.slice(0, -1)}y`,
      `y${long}`,
      'x'.repeat(201),
      'x'.repeat(202),
    ]
    expect(new Set(keys.map(fitKey)).size).toBe(keys.length)
  })

  it('never meets a key that was written to look like its short form', () => {
    const short = fitKey(long)
    const twice = fitKey(short)
    expect(twice).not.toBe(short)
    expect(fitKey(twice)).not.toBe(twice)
    expect(fitKey(`x#${'A'.repeat(43)}`)).not.toMatch(/A{43}$/)
  })

  it('is well-formed even where it was cut or broken', () => {
    for (const key of ['\ud83d', `${'x'.repeat(99)}${'😀'.repeat(100)}`, '\udc00'.repeat(300)]) {
      expect(fitKey(key).isWellFormed()).toBe(true)
      expect(fitKey(key).length).toBeLessThanOrEqual(144)
    }
  })

  it('keeps lone surrogates apart, which UTF-8 would not', () => {
    const keys = ['a\ud83d', 'a\ud83e', 'a\udc00', 'a\ufffd', '\ud83da']
    expect(new Set(keys.map((key) => Buffer.from(fitKey(key)).toString('hex'))).size).toBe(
      keys.length,
    )
  })
})
