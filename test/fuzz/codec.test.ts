/** Whatever value goes in comes out the same, and whatever bytes come in, decoding returns or throws and nothing else. */

import { isDeepStrictEqual } from 'node:util'
import { msgpackCodec } from '@larder/redis-store'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeEntry, encodeEntry } from '../../packages/core/src/entry/envelope.ts'
import { testSeed } from '../support/seed.ts'

const seed = testSeed()
const codec = msgpackCodec()

const anyValue = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: false,
  withObjectString: true,
  withUnicodeString: true,
})

it(`brings arbitrary values back (SEED=${seed})`, () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      // Invalid dates are equal to nothing, themselves included.
      fc.pre(
        !JSON.stringify(fc.stringify(value)).includes('Invalid Date') &&
          !fc.stringify(value).includes('NaN'),
      )
      expect(isDeepStrictEqual(codec.decode(codec.encode(value)), value)).toBe(true)
    }),
    { seed, numRuns: 2_000 },
  )
})

it(`survives arbitrary bytes (SEED=${seed})`, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        codec.decode(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
      decodeEntry(bytes)
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    }),
    { seed, numRuns: 5_000 },
  )
})

it(`survives damaged values and entries (SEED=${seed})`, () => {
  const damages = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(anyValue, damages, (value, changes) => {
      const payload = codec.encode(value)
      const entry = encodeEntry({
        flags: 0,
        commit: 1,
        birth: 1,
        freshForMs: 1,
        staleForMs: 1,
        livesForMs: 1,
        loadMs: 1,
        schema: 0,
        steps: [],
        tags: ['a', 'ü'],
        payload,
      })
      for (const [at, byte] of changes) entry[at % entry.length] = byte
      const found = decodeEntry(entry)
      try {
        if (found !== undefined) codec.decode(found.payload)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }),
    { seed, numRuns: 3_000 },
  )
})
