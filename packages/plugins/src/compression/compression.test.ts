import { randomBytes } from 'node:crypto'
import type { CodecStep, CodecStepContext } from '@larder/core/store'
import * as snappy from 'snappy'
import { describe, expect, it } from 'vitest'
import { ALGORITHMS, type Algorithm } from './algorithms.ts'
import { COMPRESSION_STEP_IDS, type CompressionOptions, compression } from './compression.ts'

const limits: CodecStepContext = {
  namespace: 'shop',
  cache: 'c',
  key: 'c:k',
  flags: 0,
  commit: 1,
  birth: 1,
  schema: 0,
  tags: [],
  stepsBefore: [],
  maxBytes: 64 * 1024 * 1024,
}
const ofRuntime = Object.keys(ALGORITHMS) as Algorithm[]
const available: readonly Algorithm[] = [...ofRuntime, 'snappy']
const text = (length: number): Buffer =>
  Buffer.from('the same again and again; '.repeat(length / 26))

function stepsOf(options: CompressionOptions): { writer: CodecStep; byId: Map<number, CodecStep> } {
  const steps = compression({ snappy, ...options }).codecSteps ?? []
  const writer = steps.find((step) => step.encode !== undefined)
  if (writer === undefined) throw new Error('no step writes')
  return { writer, byId: new Map(steps.map((step) => [step.id, step])) }
}

describe.each(available)('%s', (algorithm) => {
  it.each([3_000, 300_000])('brings %d bytes back the same', async (length) => {
    const { writer } = stepsOf({ algorithm })
    const packed = await writer.encode?.(text(length), limits)

    expect(packed?.length).toBeLessThan(length / 10)
    expect(Buffer.from(await writer.decode(packed ?? Buffer.alloc(0), limits))).toEqual(
      text(length),
    )
  })

  it('is readable by a plugin that writes another algorithm', async () => {
    const { writer } = stepsOf({ algorithm })
    const packed = await writer.encode?.(text(5_000), limits)
    const other = available.find((name) => name !== algorithm) ?? 'gzip'
    const reader = stepsOf({ algorithm: other }).byId.get(COMPRESSION_STEP_IDS[algorithm])

    expect(Buffer.from((await reader?.decode(packed ?? Buffer.alloc(0), limits)) ?? [])).toEqual(
      text(5_000),
    )
  })

  it.each([0, 1024 * 1024])(
    'refuses to inflate beyond the bound (off the event loop from %d bytes)',
    async (offThread) => {
      const { writer } = stepsOf({ algorithm, maxInflatedBytes: '1mb', offThread })
      const bomb = await stepsOf({ algorithm }).writer.encode?.(
        Buffer.alloc(8 * 1024 * 1024),
        limits,
      )

      await expect(async () => writer.decode(bomb ?? Buffer.alloc(0), limits)).rejects.toThrow()
      await expect(async () =>
        writer.decode(bomb ?? Buffer.alloc(0), { ...limits, maxBytes: 10 }),
      ).rejects.toThrow()
    },
  )

  it('throws on truncated bytes', async () => {
    const { writer } = stepsOf({ algorithm })
    const packed = await writer.encode?.(text(5_000), limits)
    const half = packed?.subarray(0, packed.length / 2) ?? Buffer.alloc(0)

    await expect(async () => writer.decode(half, limits)).rejects.toThrow()
  })
})

describe('what is left alone', () => {
  it('leaves payloads below the threshold', () => {
    const { writer } = stepsOf({ threshold: '1kb' })
    expect(writer.encode?.(text(900), limits)).toBeUndefined()
  })

  it('keeps the original when it does not shrink', async () => {
    const { writer } = stepsOf({ threshold: 0 })
    expect(await writer.encode?.(randomBytes(1_000), limits)).toBeUndefined()
    expect(await writer.encode?.(randomBytes(100_000), limits)).toBeUndefined()
  })
})

describe('options', () => {
  it.each([
    [{ algorithm: 'lzma' }, /compression\.algorithm/],
    [{ algorithm: 'gzip', level: 10 }, /compression\.level .*from 1 to 9/],
    [{ algorithm: 'snappy' }, /algorithm: 'snappy', snappy/],
    [{ algorithm: 'snappy', snappy, level: 1 }, /compression\.level .*no level for snappy/],
    [{ snappy: 'snappy' }, /compression\.snappy .*the package snappy/],
    [{ snappy: null }, /compression\.snappy .*the package snappy/],
    [{ snappy: { compress: snappy.compress } }, /compression\.snappy .*the package snappy/],
    [{ treshold: '2kb' }, /Did you mean threshold/],
    [{ threshold: '2 kb' }, /compression\.threshold/],
    [{ maxInflatedBytes: 0 }, /compression\.maxInflatedBytes/],
  ])('refuses %o', (options, message) => {
    expect(() => compression(options as CompressionOptions)).toThrow(message)
  })

  it('says which Node zstd needs where the runtime has none', () => {
    if (ofRuntime.includes('zstd')) expect(() => compression({ algorithm: 'zstd' })).not.toThrow()
    else expect(() => compression({ algorithm: 'zstd' })).toThrow(/Node 22\.15/)
  })
})

describe('snappy', () => {
  const decode = (bytes: Uint8Array, maxBytes = limits.maxBytes) =>
    stepsOf({ algorithm: 'snappy' }).writer.decode(bytes, { ...limits, maxBytes })

  it('is taken as the namespace of the module and as its default export', () => {
    const wrapped = { default: snappy } as unknown as CompressionOptions['snappy']
    expect(() => compression({ algorithm: 'snappy', snappy: wrapped })).not.toThrow()
  })

  it('refuses a length above the bound before it makes room for it, and inflates up to it', async () => {
    const packed = snappy.compressSync(Buffer.alloc(1_000))
    expect(() => decode(packed, 999)).toThrow(/1000 bytes, above 999/)
    expect((await decode(packed, 1_000)).length).toBe(1_000)
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a length that does not end', Buffer.alloc(12, 0xff)],
    ['a length and nothing behind it', Buffer.from([0xe8, 0x07])],
    ['less than it says', Buffer.concat([Buffer.from([0xe8, 0x07]), Buffer.from([0x00, 0x61])])],
    ['noise', randomBytes(200)],
  ])('refuses %s', (_, bytes) => {
    expect(() => decode(bytes)).toThrow()
  })

  it('is neither read nor written without the package', () => {
    const ids = (compression().codecSteps ?? []).map(({ id }) => id)
    expect(ids).not.toContain(COMPRESSION_STEP_IDS.snappy)
  })
})

it('ids on the wire are what they always were', () => {
  expect(COMPRESSION_STEP_IDS).toEqual({ gzip: 1, brotli: 2, deflate: 3, zstd: 4, snappy: 5 })
})
