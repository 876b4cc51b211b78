/** The published test vectors of https://c2sp.org/XAES-256-GCM, and what must not open. */

import { createCipheriv, createHash, createSecretKey, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { NONCE_BYTES, TAG_BYTES, XaesKey } from './xaes.ts'

const NONCE = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWX')
const TEXT = Buffer.from('XAES-256-GCM')

function keyOf(bytes: Uint8Array): XaesKey {
  return new XaesKey(createSecretKey(bytes))
}

describe('published vectors', () => {
  it.each([
    [
      'whose subkey begins with a 0',
      1,
      '',
      'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271',
    ],
    [
      'whose subkey begins with a 1',
      3,
      'c2sp.org/XAES-256-GCM',
      '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d',
    ],
  ])('%s', (_, byte, aad, expected) => {
    const key = keyOf(Buffer.alloc(32, byte))
    const associated = Buffer.from(aad)
    const sealed = key.seal({ bytes: TEXT, associated }, NONCE)
    expect(sealed.subarray(0, NONCE_BYTES)).toEqual(NONCE)
    expect(sealed.subarray(NONCE_BYTES).toString('hex')).toBe(expected)
    expect(key.open({ bytes: sealed, associated })).toEqual(TEXT)
  })

  it('of 10 000 random messages, by the hash of all ciphertexts', () => {
    const rounds = 10_000
    // Of each message: key, nonce, and two texts of up to 255 bytes with their lengths.
    const most = rounds * (32 + NONCE_BYTES + 2 * 256)
    const stream = createHash('shake128', { outputLength: most }).digest()
    expect(stream.subarray(0, 16).toString('hex')).toBe('7f9c2ba4e88f827d616045507605853e')
    let at = 0
    const take = (length: number): Buffer => {
      at += length
      return stream.subarray(at - length, at)
    }
    const takeText = (): Buffer => take(take(1)[0] ?? 0)
    const hash = createHash('shake128', { outputLength: 32 })
    for (let round = 0; round < rounds; round++) {
      const key = keyOf(take(32))
      const nonce = take(NONCE_BYTES)
      const bytes = takeText()
      const associated = takeText()
      const sealed = key.seal({ bytes, associated }, nonce)
      if (!key.open({ bytes: sealed, associated })?.equals(bytes)) throw new Error(`round ${round}`)
      hash.update(sealed.subarray(NONCE_BYTES))
    }
    expect(hash.digest('hex')).toBe(
      'e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939',
    )
  })
})

describe('what was sealed', () => {
  const key = keyOf(randomBytes(32))
  const associated = Buffer.from('of this entry')
  const sealed = key.seal({ bytes: TEXT, associated })

  it('is another text each time', () => {
    const many = Array.from({ length: 100 }, () => key.seal({ bytes: TEXT, associated }))
    expect(new Set(many.map((each) => each.toString('hex'))).size).toBe(100)
    expect(many.every((each) => key.open({ bytes: each, associated })?.equals(TEXT))).toBe(true)
  })

  it('opens empty, too', () => {
    const empty = key.seal({ bytes: Buffer.alloc(0), associated })
    expect(empty).toHaveLength(NONCE_BYTES + TAG_BYTES)
    expect(key.open({ bytes: empty, associated })).toHaveLength(0)
  })

  it('does not open with a bit changed, wherever', () => {
    for (let at = 0; at < sealed.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bytes = Buffer.from(sealed)
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
        expect(key.open({ bytes, associated }), `${at}, ${bit}`).toBeUndefined()
      }
    }
  })

  it('does not open cut off, from either end', () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(key.open({ bytes: sealed.subarray(0, length), associated })).toBeUndefined()
      expect(key.open({ bytes: sealed.subarray(length + 1), associated })).toBeUndefined()
    }
  })

  it.each([4, 12, 15])('does not open with the first %d bytes of its own tag', (length) => {
    const nonce = randomBytes(NONCE_BYTES)
    const whole = key.seal({ bytes: TEXT, associated }, nonce)
    const short = whole.subarray(0, whole.length - TAG_BYTES + length)
    expect(key.open({ bytes: short, associated })).toBeUndefined()
    // The same with a text that is longer by what the tag lacks.
    const padded = Buffer.concat([short, Buffer.alloc(TAG_BYTES - length)])
    expect(key.open({ bytes: padded, associated })).toBeUndefined()
  })

  it('does not open with another key, or for something else', () => {
    expect(keyOf(randomBytes(32)).open({ bytes: sealed, associated })).toBeUndefined()
    expect(key.open({ bytes: sealed, associated: Buffer.from('of another') })).toBeUndefined()
    expect(key.open({ bytes: sealed, associated: Buffer.alloc(0) })).toBeUndefined()
  })

  it('is not plain AES-GCM under the key itself', () => {
    const raw = Buffer.alloc(32, 1)
    const cipher = createCipheriv('aes-256-gcm', raw, NONCE.subarray(12))
    const plain = Buffer.concat([cipher.update(TEXT), cipher.final(), cipher.getAuthTag()])
    const mine = keyOf(raw).seal({ bytes: TEXT, associated: Buffer.alloc(0) }, NONCE)
    expect(mine.subarray(NONCE_BYTES)).not.toEqual(plain)
  })
})
