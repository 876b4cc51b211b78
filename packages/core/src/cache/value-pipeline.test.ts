import { describe, expect, it, vi } from 'vitest'
import type { CodecStep, CodecStepContext } from '../contracts/codec.ts'
import { InvalidOptionError } from '../errors/option-error.ts'
import { structuredCodec } from '../testing/structured-codec.ts'
import { type EncodedValue, type EntryIdentity, ValuePipeline } from './value-pipeline.ts'

const codec = structuredCodec([])
const MOST_BYTES = 64 * 1024 * 1024
const ENTRY: EntryIdentity = {
  cache: 'c',
  key: 'c:k',
  flags: 0,
  commit: 12,
  birth: 3,
  schema: 0,
  tags: ['t'],
}

interface Marking extends CodecStep {
  readonly contexts: CodecStepContext[]
}

/** A step that puts its id behind the bytes, and checks that it finds it there. */
function marking(id: number, more: Partial<CodecStep> = {}): Marking {
  const contexts: CodecStepContext[] = []
  return {
    id,
    name: `marks ${id}`,
    contexts,
    encode(bytes, context) {
      contexts.push(context)
      return Uint8Array.of(...bytes, id)
    },
    async decode(bytes, context) {
      contexts.push(context)
      if (bytes.at(-1) !== id) throw new Error('not mine')
      return bytes.slice(0, -1)
    },
    ...more,
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

async function written(pipeline: ValuePipeline, value: unknown): Promise<EncodedValue> {
  return pipeline.seal(codec.encode(value), ENTRY)
}

async function read(
  pipeline: ValuePipeline,
  payload: Uint8Array,
  steps: readonly number[],
): Promise<unknown> {
  const ids = Uint8Array.from(steps)
  if (pipeline.isPlain(ids)) return pipeline.decode(payload, false)
  return pipeline.decode(await pipeline.open(payload, ids, ENTRY), false)
}

it('without steps, neither changes bytes nor looks at what they belong to', () => {
  const pipeline = new ValuePipeline(codec, [reading])
  const payload = codec.encode({ a: 1 })
  expect(pipeline.seal(payload, ENTRY)).toEqual({ payload, steps: [] })
  expect(pipeline.isPlain(Uint8Array.of())).toBe(true)
  expect(pipeline.decode(payload, false)).toEqual({ a: 1 })
  expect(pipeline.codec).toBe(codec)
})

it('applies steps in order, undoes them in reverse, and leaves out those that leave the bytes alone', async () => {
  const [first, last] = [marking(1), marking(255)]
  const pipeline = new ValuePipeline(codec, [first, passing, last], 'shop')
  const { payload, steps } = await written(pipeline, 'v')
  expect(steps).toEqual([1, 255])
  expect([...payload]).toEqual([...codec.encode('v'), 1, 255])
  expect(await read(pipeline, payload, steps)).toBe('v')
  const entry = { ...ENTRY, namespace: 'shop', maxBytes: MOST_BYTES }
  expect(first.contexts).toEqual(Array(2).fill({ ...entry, stepsBefore: [] }))
  expect(last.contexts).toEqual(Array(2).fill({ ...entry, stepsBefore: [1] }))
})

it('is done at once where no step needs time, and in order where one does', async () => {
  const slow = marking(2, { encode: async (bytes) => Uint8Array.of(...bytes, 2) })
  const quick = marking(3, { decode: (bytes) => bytes.slice(0, -1) })
  const sync = new ValuePipeline(codec, [quick])
  const made = sync.seal(codec.encode('v'), ENTRY)
  expect(made).not.toBeInstanceOf(Promise)
  const opened = sync.open((made as EncodedValue).payload, Uint8Array.of(3), ENTRY)
  expect(opened).toEqual(Uint8Array.from(codec.encode('v')))
  const mixed = new ValuePipeline(codec, [marking(1), slow, quick])
  const { payload, steps } = await written(mixed, 'v')
  expect(steps).toEqual([1, 2, 3])
  expect(await read(mixed, payload, steps)).toBe('v')
})

it('undoes what was applied elsewhere by a step that only reads here', async () => {
  const pipeline = new ValuePipeline(codec, [reading])
  const payload = Uint8Array.of(...codec.encode('v'), 0)
  expect(await read(pipeline, payload, [9])).toBe('v')
})

describe('an entry is not read', () => {
  it.each([
    ['that needs a step that nobody here knows', [7], 'unknown-step', 'step 7'],
    ['that names a step twice', [9, 9], 'format', 'twice'],
  ])('%s', async (_, steps, reason, message) => {
    const pipeline = new ValuePipeline(codec, [reading])
    const payload = Uint8Array.of(...codec.encode('v'), 0, 0)
    await expect(read(pipeline, payload, steps)).rejects.toMatchObject({
      reason,
      cause: { message: expect.stringContaining(message) },
    })
  })

  it('whose bytes a step or the codec refuses', async () => {
    const pipeline = new ValuePipeline(codec, [marking(1), marking(2, { decode: () => fail() })])
    await expect(read(pipeline, codec.encode('v'), [1])).rejects.toMatchObject({ reason: 'step' })
    await expect(read(pipeline, codec.encode('v'), [2])).rejects.toMatchObject({ reason: 'step' })
    await expect(read(pipeline, Uint8Array.of(), [])).rejects.toMatchObject({ reason: 'value' })
  })
})

describe('a required step', () => {
  const required = (more: Partial<CodecStep> = {}): Marking =>
    marking(5, { required: true, name: 'seal', ...more })

  it('cannot be opted out of by what an entry says', async () => {
    const pipeline = new ValuePipeline(codec, [marking(1), required()])
    const { payload, steps } = await written(pipeline, 'v')
    expect(steps).toEqual([1, 5])
    expect(await read(pipeline, payload, steps)).toBe('v')
    const plain = codec.encode('v')
    for (const [bytes, said] of [
      [plain, []],
      [Uint8Array.of(...plain, 1), [1]],
      [Uint8Array.of(...plain, 5, 1), [5, 1]],
    ] as const) {
      expect(pipeline.isPlain(Uint8Array.from(said))).toBe(false)
      await expect(read(pipeline, bytes, said)).rejects.toMatchObject({ reason: 'missing-step' })
    }
  })

  it('reads entries without it where it says so, and is asked about each', async () => {
    const readsWithout = vi.fn<(entry: CodecStepContext) => boolean>(() => true)
    const pipeline = new ValuePipeline(codec, [marking(1), required({ readsWithout })])
    expect(await read(pipeline, codec.encode('v'), [])).toBe('v')
    expect(await read(pipeline, Uint8Array.of(...codec.encode('w'), 1), [1])).toBe('w')
    expect(readsWithout.mock.calls.map(([{ key, stepsBefore }]) => [key, stepsBefore])).toEqual([
      ['c:k', []],
      ['c:k', [1]],
    ])
    readsWithout.mockReturnValue(false)
    await expect(read(pipeline, codec.encode('v'), [])).rejects.toMatchObject({
      reason: 'missing-step',
    })
  })

  it('may not leave bytes as they are: nobody would read them', async () => {
    for (const encode of [() => undefined, async () => undefined]) {
      const pipeline = new ValuePipeline(codec, [required({ encode })])
      await expect(written(pipeline, 'v')).rejects.toThrow('left the bytes unchanged')
    }
  })

  it('is the last one that writes', () => {
    const { encode: _, ...onlyReads } = required()
    const later = () => new ValuePipeline(codec, [required(), marking(1)])
    expect(later).toThrow(InvalidOptionError)
    expect(later).toThrow(/codec step seal\.required .*last one that writes.*after that of marks 1/)
    expect(() => new ValuePipeline(codec, [required(), marking(6, { required: true })])).toThrow(
      /two required steps/,
    )
    expect(() => new ValuePipeline(codec, [onlyReads])).toThrow(/a step that writes/)
    expect(() => new ValuePipeline(codec, [required(), reading])).not.toThrow()
  })
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

it('freezes what a codec cannot, and lets one that can do it itself', () => {
  const frozen: string[] = []
  const freezing = {
    ...codec,
    decodeFrozen: (bytes: Uint8Array) => frozen.push(Buffer.from(bytes).toString('hex')),
  }
  const payload = codec.encode({ a: [{}] })
  const pipeline = new ValuePipeline(codec, [])
  const found = pipeline.decode(payload, true) as { a: object[] }
  expect([found, found.a, found.a[0]].every(Object.isFrozen)).toBe(true)
  expect(Object.isFrozen(pipeline.decode(payload, false))).toBe(false)
  new ValuePipeline(freezing, []).decode(payload, true)
  expect(frozen).toEqual([Buffer.from(payload).toString('hex')])
})

function fail(): never {
  throw new Error('refused')
}
