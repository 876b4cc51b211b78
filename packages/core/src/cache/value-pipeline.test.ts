import { describe, expect, it } from 'vitest'
import type { CodecStep } from '../contracts/codec.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { structuredCodec } from '../testing/structured-codec.ts'
import { ValuePipeline } from './value-pipeline.ts'

const codec = structuredCodec([])
const MOST_BYTES = 64 * 1024 * 1024

/** A step that puts its id behind the bytes, and checks that it finds it there. */
function marking(id: number): CodecStep & { readonly limits: number[] } {
  const limits: number[] = []
  return {
    id,
    name: `marks ${id}`,
    limits,
    encode(bytes, { maxBytes }) {
      limits.push(maxBytes)
      return Uint8Array.of(...bytes, id)
    },
    async decode(bytes, { maxBytes }) {
      limits.push(maxBytes)
      if (bytes.at(-1) !== id) throw new Error('not mine')
      return bytes.slice(0, -1)
    },
  }
}

const reading: CodecStep = { id: 9, name: 'only reads', decode: (bytes) => bytes.slice(0, -1) }
const passing: CodecStep = {
  id: 8,
  name: 'leaves it',
  encode: () => undefined,
  decode: () => {
    throw new Error('was not applied')
  },
}

it('without steps, encodes and decodes at once', () => {
  const pipeline = new ValuePipeline(codec, [reading])
  const encoded = pipeline.encode({ a: 1 })
  expect(encoded).toEqual({ payload: codec.encode({ a: 1 }), steps: [] })
  expect(pipeline.decode(codec.encode({ a: 1 }), Uint8Array.of(), false)).toEqual({ a: 1 })
  expect(pipeline.codec).toBe(codec)
})

it('applies steps in order, undoes them in reverse, and leaves out those that leave the bytes alone', async () => {
  const first = marking(1)
  const pipeline = new ValuePipeline(codec, [first, passing, marking(255)])
  const { payload, steps } = await pipeline.encode('v')
  expect(steps).toEqual([1, 255])
  expect([...payload]).toEqual([...codec.encode('v'), 1, 255])
  expect(await pipeline.decode(payload, Uint8Array.from(steps), false)).toBe('v')
  expect(first.limits).toEqual([MOST_BYTES, MOST_BYTES])
})

it('undoes what was applied elsewhere by a step that only reads here', async () => {
  const pipeline = new ValuePipeline(codec, [reading])
  const payload = Uint8Array.of(...codec.encode('v'), 0)
  expect(await pipeline.decode(payload, Uint8Array.of(9), false)).toBe('v')
})

it('refuses an entry of a step that nobody here knows, by its number', async () => {
  const pipeline = new ValuePipeline(codec, [reading])
  await expect(pipeline.decode(codec.encode('v'), Uint8Array.of(7), false)).rejects.toThrow(
    'step 7',
  )
})

describe('the id of a step', () => {
  it.each([0, -1, 256, 1.5, Number.NaN])('cannot be %d', (id) => {
    expect(() => new ValuePipeline(codec, [marking(id)])).toThrow(InvalidOptionError)
    expect(() => new ValuePipeline(codec, [marking(id)])).toThrow(
      /codec step marks .*\.id.*a whole number from 1 to 255/,
    )
  })

  it('cannot be that of another', () => {
    const twice = () => new ValuePipeline(codec, [marking(1), { ...reading, id: 1 }])
    expect(twice).toThrow(InvalidOptionError)
    expect(twice).toThrow(/codec step only reads\.id.*other than that of marks 1/)
  })
})

it('freezes what a codec cannot, and lets one that can do it itself', async () => {
  const frozen: string[] = []
  const freezing = {
    ...codec,
    decodeFrozen: (bytes: Uint8Array) => frozen.push(Buffer.from(bytes).toString('hex')),
  }
  const payload = codec.encode({ a: [{}] })
  for (const steps of [Uint8Array.of(), Uint8Array.of(9)]) {
    const given = steps.length === 0 ? payload : Uint8Array.of(...payload, 0)
    const pipeline = new ValuePipeline(codec, [reading])
    const found = (await pipeline.decode(given, steps, true)) as { a: object[] }
    expect([found, found.a, found.a[0]].every(Object.isFrozen)).toBe(true)
    const left = await pipeline.decode(given, steps, false)
    expect(Object.isFrozen(left)).toBe(false)
    await new ValuePipeline(freezing, [reading]).decode(given, steps, true)
  }
  expect(frozen).toEqual(Array(2).fill(Buffer.from(payload).toString('hex')))
})
