/** A value comes back the same whichever form it was written in, and frozen or not. */

import { isDeepStrictEqual } from 'node:util'
import { isPlainData, plainPartsOf } from '@larder/core/store'
import { msgpackCodec } from '@larder/redis-store'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isJsonForm, readJson, writeJson } from '../../packages/redis-store/src/codec/json-form.ts'
import { msgpackForm } from '../../packages/redis-store/src/codec/msgpack-form.ts'
import { testSeed } from '../support/seed.ts'

const seed = testSeed()
const codec = msgpackCodec()
const msgpack = msgpackForm()

const anyText = fc.string({ unit: 'binary', maxLength: 12 })
const longText = fc
  .tuple(fc.constantFrom('abc', 'grün', '東京', '😀', '\u2028"\\\u0000'), fc.nat(300))
  .map(([part, times]) => part.repeat(times))
const leaf = fc.oneof(
  anyText,
  longText,
  fc.string({ unit: 'grapheme' }),
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.constant(null),
)
/** Mostly plain data, with what is none strewn in: undefined, dates, -0, lone surrogates, names such as __proto__. */
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    { weight: 6, arbitrary: leaf },
    {
      weight: 1,
      arbitrary: fc.constantFrom(undefined, new Date(5), -0, Number.NaN, 3n, '\ud800', Infinity),
    },
    { weight: 4, arbitrary: fc.array(tie('value'), { maxLength: 20 }) },
    {
      weight: 4,
      arbitrary: fc.dictionary(
        fc.oneof(anyText, fc.constantFrom('__proto__', 'constructor', 'toJSON', '1', '\udc00')),
        tie('value'),
        { maxKeys: 12, noNullPrototype: true },
      ),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.integer({ min: 1, max: 60 }),
          fc.record({ id: leaf, note: leaf, tags: fc.array(leaf) }),
        )
        .map(([count, row]) => Array.from({ length: count }, () => structuredClone(row))),
    },
  ),
}))

it(`the form that is chosen, frozen or not (SEED=${seed})`, () => {
  const forms = { json: 0, other: 0 }
  fc.assert(
    fc.property(anyValue, (value) => {
      const bytes = codec.encode(value)
      forms[isJsonForm(bytes) ? 'json' : 'other'] += 1
      expect(isDeepStrictEqual(codec.decode(bytes), value)).toBe(true)
      const frozen = codec.decodeFrozen?.(bytes)
      expect(isDeepStrictEqual(frozen, value)).toBe(true)
      expect(thawedIn(frozen)).toBeUndefined()
    }),
    { seed, numRuns: 300 },
  )
  expect(Math.min(forms.json, forms.other)).toBeGreaterThan(5)
})

it(`plain data in each of the forms (SEED=${seed})`, () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      fc.pre(isPlainData(value))
      expect(isDeepStrictEqual(codec.decode(msgpack.write(value)), value)).toBe(true)
      if (!plainPartsOf(value)?.isJson) return
      const bytes = writeJson(value)
      expect(isDeepStrictEqual(readJson(bytes), value)).toBe(true)
      const isShort = bytes.length < 2 || typeof value !== 'object' || value === null
      if (!isShort) expect(isDeepStrictEqual(codec.decode(bytes), value)).toBe(true)
    }),
    { seed, numRuns: 300 },
  )
})

it(`damaged JSON is refused, or decodes to something else (SEED=${seed})`, () => {
  const damages = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.jsonValue(), damages, (value, changes) => {
      const bytes = Buffer.from(JSON.stringify([value, value, 'grün', { a: value }]))
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte
      for (const decode of [codec.decode, codec.decodeFrozen]) {
        try {
          decode?.(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    }),
    { seed, numRuns: 1_500 },
  )
})

/** A plain object or array that is not frozen. */
function thawedIn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return undefined
  if (!Object.isFrozen(value)) return value
  return Object.values(value).find((part) => thawedIn(part) !== undefined)
}
