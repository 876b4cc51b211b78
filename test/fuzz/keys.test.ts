/** Keys are injective: whatever a key was made of can be read back from it, so two different things never share one. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeArguments } from '../../packages/core/src/keys/encode-arguments.ts'
import { compileTemplate } from '../../packages/core/src/keys/key-template.ts'
import { fitKey, keyText } from '../../packages/core/src/keys/key-text.ts'
import { testSeed } from '../support/seed.ts'
import { bag, readArguments, readParts, readSlots } from './key-reader.ts'

const seed = testSeed()
const runs = { seed: seed | 0, numRuns: 1_000 }
const LONGEST = 200

/** Text of what could confuse a reader: separators, escapes, marks of types, halves of a surrogate pair. */
const text = fc.string({
  unit: fc.constantFrom(
    ..."\\,[]{}():'-.#0123nuaeTFULDMSBC ",
    'ud83d',
    '\ud83d',
    '\ude00',
    '😀',
    'é',
    '\0',
  ),
  maxLength: 8,
})
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -0, Number.NaN, 1e21, -1.5e-9),
)
const leaf = fc.oneof(
  text,
  number,
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.date(),
  fc.uint8Array({ maxLength: 5 }),
)
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 3 }),
    fc
      .array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 })
      .map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 3 }).map((members) => new Set(members)),
  ),
}))
const args = fc.array(value, { maxLength: 4 })

describe(`default keys (SEED=${seed})`, () => {
  it('can be read back', () => {
    fc.assert(
      fc.property(args, (list) => {
        const key = encodeArguments(list)
        fc.pre(key.length <= LONGEST && !/#[\w-]{43}$/.test(key))
        expect(readArguments(key)).toEqual(list.map(canonical))
      }),
      runs,
    )
  })

  it('do not depend on the order of properties, entries and members', () => {
    fc.assert(
      fc.property(args, (list) => {
        expect(encodeArguments(list.map(reversed))).toBe(encodeArguments(list))
      }),
      runs,
    )
  })

  it('are well-formed and short', () => {
    fc.assert(
      fc.property(args, (list) => {
        const key = encodeArguments(list)
        expect(key.isWellFormed()).toBe(true)
        expect(key.length).toBeLessThanOrEqual(LONGEST)
      }),
      runs,
    )
  })
})

describe(`written keys (SEED=${seed})`, () => {
  it('of one string are that string', () => {
    fc.assert(
      fc.property(text, (key) => {
        fc.pre(key !== '' && key.isWellFormed())
        expect(keyText(key)).toBe(key)
      }),
      runs,
    )
  })

  it('of several parts can be read back', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (parts) => {
        fc.pre(parts.join('') !== '' && parts.every((part) => part.isWellFormed()))
        // A longer one ends in a digest, from which nothing can be read back.
        fc.pre(keyText(parts).length < 150)
        expect(readParts(keyText(parts))).toEqual(parts)
      }),
      runs,
    )
  })

  it('are shortened without two of them meeting', () => {
    const long = fc.tuple(fc.constantFrom('', 'a'), text, fc.constantFrom(0, 150, 300))
    const key = long.map(([start, end, length]) => start + 'x'.repeat(length) + end)
    const either = fc.oneof(key, key.map(fitKey), key.map(fitKey).map(fitKey))
    fc.assert(
      fc.property(either, either, (left, right) => {
        expect(fitKey(left) === fitKey(right)).toBe(left === right)
      }),
      runs,
    )
  })
})

describe(`template keys (SEED=${seed})`, () => {
  const slot = fc.oneof(text, number, fc.bigInt(), fc.boolean(), fc.constantFrom(null, undefined))

  it.each([':', '-', '.', "'", '1', 'n', '::', '😀', ' \n'])(
    'with %j between slots can be read back',
    (middle) => {
      const template = compileTemplate(`a{0}${middle}{1.id}`, 'key')
      fc.assert(
        fc.property(slot, slot, (first, second) => {
          const key = template([first, { id: second }])
          fc.pre(!/#[\w-]{43}$/.test(key))
          expect(readSlots(key.slice(1), middle)).toEqual([plain(first), plain(second)])
        }),
        runs,
      )
    },
  )
})

/** What a value counts as: -0 is 0, and what has no order of its own is sorted by its text. */
function canonical(item: unknown): unknown {
  if (Array.isArray(item)) return item.map(canonical)
  if (item instanceof Map) return { map: bag([...item].map((entry) => entry.map(canonical))) }
  if (item instanceof Set) return { set: bag([...item].map(canonical)) }
  if (item instanceof Date) return { date: item.getTime() }
  if (item instanceof Uint8Array) return { bytes: Buffer.from(item).toString('base64url') }
  if (typeof item !== 'object' || item === null) return plain(item)
  return { object: bag(Object.entries(item).map((entry) => entry.map(canonical))) }
}

function plain(item: unknown): unknown {
  return Object.is(item, -0) ? 0 : item
}

function reversed(item: unknown): unknown {
  if (Array.isArray(item)) return item.map(reversed)
  if (item instanceof Map)
    return new Map([...item].reverse().map(([key, inner]) => [reversed(key), reversed(inner)]))
  if (item instanceof Set) return new Set([...item].reverse().map(reversed))
  if (typeof item !== 'object' || item === null || item instanceof Date || ArrayBuffer.isView(item))
    return item
  return Object.fromEntries(
    Object.entries(item)
      .reverse()
      .map(([name, inner]) => [name, reversed(inner)]),
  )
}
