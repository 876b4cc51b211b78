import type { BusMessage } from '@larder/core/store'
import { pack } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { withSeed } from '../../../../test/support/seed.ts'
import { decodeMessage, decodeMessages, encodeMessage } from './bus-message.ts'

function wire(kind: string, fields: unknown): Buffer {
  return Buffer.concat([Buffer.from(kind), pack(fields)])
}

describe('decodeMessage', () => {
  it('reads changed keys, large numbers as texts', () => {
    expect(
      decodeMessage(wire('k', [12, '1700000000000000', '1700000000000001', ['c:a', 'c:☃']])),
    ).toEqual({
      kind: 'keys',
      partition: 12,
      previous: 1_700_000_000_000_000,
      seq: 1_700_000_000_000_001,
      keys: ['c:a', 'c:☃'],
    })
  })

  it('reads tags, and an empty list however it was packed', () => {
    const expected = { kind: 'tags', previous: 1, version: 2, floor: 0, tags: [] }
    expect(decodeMessage(wire('t', ['1', '2', '0', []]))).toEqual(expected)
    expect(decodeMessage(wire('t', ['1', '2', '0', {}]))).toEqual(expected)
  })

  it('reads a wake-up', () => {
    expect(decodeMessage(wire('w', ['c:a']))).toEqual({ kind: 'wake', key: 'c:a' })
  })

  it('reads a doubt, with empty lists however they were packed', () => {
    expect(decodeMessage(wire('d', [['c:a'], {}, 1]))).toEqual({
      kind: 'doubt',
      keys: ['c:a'],
      tags: [],
      isRepeated: true,
    })
  })

  it.each<BusMessage>([
    { kind: 'keys', partition: 63, previous: 1, seq: 2 ** 53 - 1, keys: ['c:a'] },
    { kind: 'tags', previous: 1, version: 2, floor: 0, tags: [] },
    { kind: 'wake', key: 'c:☃' },
    { kind: 'doubt', keys: ['c:a'], tags: ['t'], isRepeated: true },
    { kind: 'doubt', keys: [], tags: [], isRepeated: false },
    { kind: 'doubt', keys: ['c:a'], tags: [], soft: true, isRepeated: false },
  ])('reads what encodeMessage writes: $kind', (message) => {
    expect(decodeMessage(encodeMessage(message))).toEqual(message)
  })

  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['a kind alone', Buffer.from('k')],
    ['text', Buffer.from('neither fish nor fowl')],
    ['an unknown kind', wire('x', ['c:a'])],
    ['no list', wire('w', 'c:a')],
    ['a missing field', wire('k', [1, '2', '3'])],
    ['a fraction for a number', wire('k', [1, '2', 3.5, []])],
    ['a negative number', wire('k', [-1, '2', '3', []])],
    ['a number beyond 2^53', wire('k', [1, '2', '9007199254740993', []])],
    ['an exponent', wire('k', [1, '2', '1e3', []])],
    ['an empty text for a number', wire('k', [1, '', '3', []])],
    ['a key that is no text', wire('k', [1, '2', '3', ['c:a', 7]])],
    ['keys in a map', wire('k', [1, '2', '3', { a: 'c:a' }])],
    ['a doubt that does not say whether it was said before', wire('d', [['c:a'], []])],
    ['a doubt with a text for that', wire('d', [[], [], 'c:a'])],
    ['a wake-up of nobody', wire('w', [])],
    ['bytes after the list', Buffer.concat([wire('w', ['c:a']), Buffer.from([0xc0])])],
    [
      'a list that promises four thousand million items',
      Buffer.from([0x6b, 0xdd, 255, 255, 255, 255]),
    ],
    ['an extension', Buffer.from([0x77, 0x91, 0xd4, 0x00, 0x00])],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeMessage(bytes)).toThrow(Error)
  })

  it('survives any bytes', () =>
    withSeed((random) => {
      const good = wire('k', [1, '2', '3', ['c:a', 'c:b']])
      for (let run = 0; run < 3_000; run++) {
        const bytes = Buffer.from(good.subarray(0, random.int(good.length + 1)))
        for (let n = random.int(4); n > 0 && bytes.length > 0; n--) {
          bytes[random.int(bytes.length)] = random.int(256)
        }
        try {
          expect(['keys', 'tags', 'wake', 'doubt']).toContain(decodeMessage(bytes).kind)
        } catch (error) {
          expect((error as Error).name).toBe('Error')
        }
      }
    }))
})

describe('decodeMessages', () => {
  const one = [1, '2', '3', ['c:a']]
  const other = [4, '5', '6', ['c:b'], 1, 100]

  function framed(fields: unknown): Buffer {
    const list = pack(fields)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(list.length)
    return Buffer.concat([length, list])
  }

  function together(...parts: readonly Buffer[]): Buffer {
    return Buffer.concat([Buffer.from('m'), ...parts])
  }

  it('reads one message of any kind', () => {
    expect(decodeMessages(wire('w', ['c:a']))).toEqual([{ kind: 'wake', key: 'c:a' }])
  })

  it('reads several changes in their order, also from the middle of a larger buffer', () => {
    const bytes = Buffer.concat([Buffer.from('xx'), together(framed(one), framed(other))])
    expect(decodeMessages(bytes.subarray(2))).toEqual([
      { kind: 'keys', partition: 1, previous: 2, seq: 3, keys: ['c:a'] },
      { kind: 'keys', partition: 4, previous: 5, seq: 6, keys: ['c:b'], soft: true, settleMs: 100 },
    ])
  })

  it.each<[string, Buffer]>([
    ['a length that is cut off', together(framed(one), Buffer.from([0, 0]))],
    ['a list that is cut off', together(framed(one)).subarray(0, -1)],
    ['a length beyond the end', together(Buffer.from([255, 255, 255, 255, 0x90]))],
    ['a list of another kind', together(framed(['c:a']))],
    ['an empty list', together(Buffer.from([0, 0, 0, 0]))],
    ['an extension', together(Buffer.from([0, 0, 0, 3, 0xd4, 0x00, 0x00]))],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeMessages(bytes)).toThrow(Error)
  })

  it('survives any bytes', () =>
    withSeed((random) => {
      const good = together(framed(one), framed(other))
      for (let run = 0; run < 3_000; run++) {
        const bytes = Buffer.from(good.subarray(0, 1 + random.int(good.length)))
        for (let i = random.int(4); i > 0; i--) bytes[random.int(bytes.length)] = random.int(256)
        try {
          for (const message of decodeMessages(bytes)) expect(message).toHaveProperty('kind')
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }
    }))
})
