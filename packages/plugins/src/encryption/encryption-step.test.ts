import { randomBytes } from 'node:crypto'
import { EncryptionKeyError } from '@larder/core'
import type { CodecStep, CodecStepContext } from '@larder/core/store'
import { describe, expect, it } from 'vitest'
import {
  ENCRYPTION_STEP_ID,
  type EncryptionPlugin,
  encryption,
  OVERHEAD_BYTES,
} from './encryption.ts'

const ENTRY: CodecStepContext = {
  namespace: 'shop',
  cache: 'c',
  key: 'c:k',
  flags: 0,
  commit: 12,
  birth: 7,
  schema: 0,
  tags: ['t'],
  stepsBefore: [],
  maxBytes: 1_000,
}
const TEXT = Buffer.from('a value as the codec made it')

function stepOf(
  plugin: EncryptionPlugin,
): Required<Pick<CodecStep, 'encode' | 'decode'>> & CodecStep {
  const step = plugin.codecSteps?.[0]
  if (step?.encode === undefined) throw new Error('no step that writes')
  return step as ReturnType<typeof stepOf>
}

const plugin = encryption({ keys: [{ key: randomBytes(32) }] })
const step = stepOf(plugin)
const sealed = step.encode(TEXT, ENTRY) as Buffer

/** Why bytes do not open. */
function reasonOf(
  bytes: Uint8Array,
  entry: CodecStepContext = ENTRY,
  by: CodecStep = step,
): string {
  try {
    by.decode(bytes, entry)
    return 'it opens'
  } catch (error) {
    return error instanceof EncryptionKeyError ? error.reason : `${error}`
  }
}

describe('an encrypted payload', () => {
  it('opens as what it was, at once, and is a little larger', () => {
    expect(step.decode(sealed, ENTRY)).toEqual(TEXT)
    expect(sealed.length - TEXT.length).toBe(OVERHEAD_BYTES)
    expect(OVERHEAD_BYTES).toBe(45)
    expect(sealed.includes(TEXT.subarray(0, 8))).toBe(false)
    expect([step.id, step.required]).toEqual([ENCRYPTION_STEP_ID, true])
  })

  it('does not open with a bit changed, wherever', () => {
    for (let at = 0; at < sealed.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bytes = Buffer.from(sealed)
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
        const expected = at === 0 ? 'format' : at < 5 ? 'unknown-key' : 'tag'
        expect(reasonOf(bytes), `${at}, ${bit}`).toBe(expected)
      }
    }
  })

  it('does not open cut off or grown', () => {
    for (let length = 0; length < sealed.length; length++) {
      const expected = length < OVERHEAD_BYTES ? 'format' : 'tag'
      expect(reasonOf(sealed.subarray(0, length))).toBe(expected)
    }
    expect(reasonOf(Buffer.concat([sealed, Buffer.of(0)]))).toBe('tag')
  })

  it.each([
    ['namespace', { namespace: 'other' }],
    ['cache', { cache: 'd' }],
    ['key', { key: 'c:l' }],
    ['kind: nothing', { flags: 1 }],
    ['kind: an error', { flags: 2 }],
    ['kind: put', { flags: 64 }],
    ['write', { commit: 13 }],
    ['birth', { birth: 8 }],
    ['version', { schema: 1 }],
    ['tags: one less', { tags: [] }],
    ['tags: one more', { tags: ['t', 'u'] }],
    ['steps before it', { stepsBefore: [2] }],
  ])('does not open for another %s', (_, other) => {
    expect(reasonOf(sealed, { ...ENTRY, ...other })).toBe('tag')
  })

  it('of a key that is not there is of an unknown key, whose id it says and no more', () => {
    const other = stepOf(encryption({ keys: [{ key: randomBytes(32) }] }))
    expect(reasonOf(sealed, ENTRY, other)).toBe('unknown-key')
    const id = sealed.subarray(1, 5).toString('hex')
    expect(() => other.decode(sealed, ENTRY)).toThrow(`encrypted with the key ${id}`)
    expect(plugin.usage().writing).toBe(id)
  })

  it('of another key under the id of this one does not open', () => {
    const other = stepOf(encryption({ keys: [{ key: randomBytes(32) }] }))
    const foreign = Buffer.from(other.encode(TEXT, ENTRY) as Buffer)
    sealed.copy(foreign, 1, 1, 5)
    expect(reasonOf(foreign)).toBe('tag')
  })

  it('of more than is allowed is not opened', () => {
    expect(reasonOf(sealed, { ...ENTRY, maxBytes: TEXT.length - 1 })).toBe('format')
    expect(step.decode(sealed, { ...ENTRY, maxBytes: TEXT.length })).toEqual(TEXT)
  })
})

describe('two keys', () => {
  const [old, young] = [{ key: randomBytes(32) }, { key: randomBytes(32) }]

  it('change places without an entry that one of the stages cannot read', () => {
    const stages = [[old], [old, young], [young, old], [young]].map((keys) => encryption({ keys }))
    for (let i = 0; i + 1 < stages.length; i++) {
      const [before, after] = [stages[i], stages[i + 1]].map((each) =>
        stepOf(each as typeof plugin),
      )
      for (const [writer, reader] of [
        [before, after],
        [after, before],
      ] as const) {
        const bytes = writer?.encode(TEXT, ENTRY) as Buffer
        // What the last stage has dropped is written by nobody of the stage before.
        expect(reader?.decode(bytes, ENTRY)).toEqual(TEXT)
      }
    }
  })

  it('are counted apart, so that one sees when a key is not in use any more', () => {
    const writer = stepOf(encryption({ keys: [old] }))
    const both = encryption({ keys: [young, old] })
    const reader = stepOf(both)
    reader.decode(writer.encode(TEXT, ENTRY) as Buffer, ENTRY)
    reader.decode(reader.encode(TEXT, ENTRY) as Buffer, ENTRY)
    const [first, second] = both.usage().keys
    expect([first?.written, first?.read, second?.written, second?.read]).toEqual([1, 1, 0, 1])
    expect(both.usage()).toMatchObject({ writing: first?.id, plainRead: 0 })
  })
})

describe('entries that are not encrypted', () => {
  it('are read in a roll-out, and counted; otherwise the step has no say', () => {
    const both = encryption({ keys: [{ key: randomBytes(32) }], accept: 'both' })
    expect(stepOf(both).readsWithout?.(ENTRY)).toBe(true)
    expect(both.usage().plainRead).toBe(1)
    expect(step.readsWithout).toBeUndefined()
  })
})
