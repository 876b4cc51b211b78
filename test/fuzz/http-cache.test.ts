/** Fields that anybody may send, read by the cache for responses: never an exception, never more freshness than a field says. */

import { expect, it } from 'vitest'
import { readDirectives } from '../../packages/plugins/src/http-cache/directives.ts'
import { governing, lifetimeOf } from '../../packages/plugins/src/http-cache/lifetime.ts'
import { readRange } from '../../packages/plugins/src/http-cache/parts.ts'
import {
  readDictionary,
  readStrings,
  stringItem,
} from '../../packages/plugins/src/http-cache/structured-fields.ts'
import { readTarget, uriTag } from '../../packages/plugins/src/http-cache/uri.ts'
import { type Random, withSeed } from '../support/seed.ts'

const ROUNDS = 20_000
const PIECES = [
  'max-age',
  's-maxage',
  'no-store',
  'private',
  'public',
  'stale-if-error',
  'Age',
  '=',
  '=',
  ',',
  ',',
  ' ',
  '\t',
  '"',
  '\\',
  ';',
  '0',
  '1',
  '60',
  '-',
  '.',
  '99999999999',
  "'",
  '(',
  ')',
  ':',
  '?1',
  '*',
  'é',
  '\u0000',
  '%',
  '%2',
  '%41',
  '/',
  '..',
  '#',
  '&',
  'bytes',
  'NO-STORE',
] as const

it('whatever is sent', () => withSeed(readAll))

function readAll(random: Random): void {
  const text = (): string =>
    Array.from({ length: random.int(14) }, () => random.pick(PIECES)).join('')
  for (let round = 0; round < ROUNDS; round += 1) {
    const lines = [text(), text()].slice(0, 1 + random.int(2))
    const fields = [
      ...lines.map((line) => ['Cache-Control', line] as const),
      ['Age', text()] as const,
      ['Expires', text()] as const,
      ['CDN-Cache-Control', text()] as const,
    ]
    const where = JSON.stringify(fields)
    const read = readDirectives(lines)
    for (const name of ['max-age', 's-maxage']) {
      const seconds = read.seconds(name)
      if (seconds === undefined) continue
      expect(Number.isInteger(seconds) && seconds >= 0, where).toBe(true)
      // A number that is taken stands there.
      if (seconds > 0 && seconds < 2_147_483_648)
        expect(lines.join().replaceAll('\\', ''), where).toMatch(new RegExp(`=["]?0*${seconds}`))
    }
    // What forbids keeping is noticed wherever it stands outside of quotes.
    if (/^(?:[^"\\]*,)?[ \t]*no-store[ \t]*(?:,|$)/i.test(lines[0] ?? ''))
      expect(read.has('no-store'), where).toBe(true)
    const life = lifetimeOf(
      fields,
      governing(fields, ['cdn-cache-control']),
      {
        ttlMs: undefined,
        staleWhileRevalidateMs: 0,
        staleIfErrorMs: 0,
      },
      1_800_000_000_000,
    )
    for (const ms of Object.values(life)) expect(Number.isFinite(ms) && ms >= 0, where).toBe(true)
    readDictionary(lines)
    readRange(lines[0] ?? '')
    const strings = readStrings(lines)
    if (strings !== undefined)
      expect(readStrings(strings.map((each) => stringItem(each) ?? '')), where).toEqual(strings)
    const target = readTarget(`/${text()}`)
    if (target !== undefined) {
      const tag = uriTag(target.path)
      expect(tag.length, where).toBeLessThan(200)
      // Encoded once more is another path where it is encoded already.
      if (!target.path.includes('%')) expect(uriTag(encodedWhole(target.path)), where).toBe(tag)
    }
  }
}

function encodedWhole(path: string): string {
  return path.replaceAll(/[^/]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
