import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { InvalidOptionError } from '@larder/core'
import { describe, expect, it } from 'vitest'
import { encryption } from './encryption.ts'
import { keyRingOf } from './key-ring.ts'
import { keyFromPassphrase } from './passphrase.ts'

const secret = randomBytes(32)
const idOf = (key: Uint8Array | string): string => keyRingOf([{ key }], 'keys').writing.id

describe('a key', () => {
  it('is the same as bytes, in base64, and as an object, whatever becomes of the bytes', () => {
    const bytes = Buffer.from(secret)
    const ring = keyRingOf([{ key: bytes }], 'keys')
    bytes.fill(0)
    const spellings = [
      secret.toString('base64'),
      secret.toString('base64').slice(0, -1),
      secret.toString('base64url'),
      new Uint8Array(secret),
    ]
    expect(new Set(spellings.map(idOf))).toEqual(new Set([ring.writing.id]))
    expect(keyRingOf([{ key: createSecretKey(secret) }], 'keys').writing.id).toBe(ring.writing.id)
    expect(ring.writing.id).toMatch(/^[0-9a-f]{8}$/)
  })

  it.each([
    ['undefined', undefined],
    ['a variable that is empty', ''],
    ['16 bytes', randomBytes(16)],
    ['33 bytes', randomBytes(33)],
    ['hexadecimal digits', secret.toString('hex')],
    ['a passphrase', 'correct horse battery staple'],
    ['a passphrase of 43 characters with a space', `${'a'.repeat(20)} ${'b'.repeat(22)}`],
    ['a public key', generateKeyPairSync('ed25519').publicKey],
    ['a secret key of 16 bytes', createSecretKey(randomBytes(16))],
    ['a number', 7],
    ['null', null],
  ])('is not %s, and no message repeats it', (_, key) => {
    const make = () => encryption({ keys: [{ key: key as never }] })
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(
      /^encryption\.keys\[0\]\.key takes 32 bytes: a Buffer, base64, or a secret/,
    )
    if (typeof key !== 'string' || key.length === 0) return
    expect(make).not.toThrow(new RegExp(key.slice(0, 8)))
  })

  it('is not shown by what prints the plugin', () => {
    const plugin = encryption({ keys: [{ key: secret }] })
    const shown = inspect(plugin, { depth: 9, showHidden: true }) + JSON.stringify(plugin)
    for (const text of [secret.toString('hex'), secret.toString('base64')]) {
      expect(shown).not.toContain(text)
      expect(shown).not.toContain(text.slice(0, 12))
    }
    expect(shown).not.toContain([...secret.subarray(0, 4)].join(', '))
  })
})

describe('keys', () => {
  it.each([[[]], [undefined], ['key'], [{ key: secret }], [null]])('are not %o', (keys) => {
    expect(() => encryption({ keys: keys as never })).toThrow(
      /^encryption\.keys takes an array of keys/,
    )
  })

  it('with a word that is not known are refused', () => {
    const keys = [{ key: secret, id: 'a' }] as never
    expect(() => encryption({ keys })).toThrow(/^encryption\.keys\[0\]\.id is not a known option/)
  })

  it('cannot have one id: that of one twice, or of two by chance', () => {
    expect(() => encryption({ keys: [{ key: secret }, { key: secret }] })).toThrow(
      /^encryption\.keys\[1\] takes a key whose id no other one has/,
    )
  })
})

describe('a passphrase', () => {
  it('gives the same key for the same salt, and another for another', async () => {
    const text = 'correct horse battery staple'
    const [a, b, other] = await Promise.all([
      keyFromPassphrase(text, 'shop.example'),
      keyFromPassphrase(text, Buffer.from('shop.example')),
      keyFromPassphrase(text, 'shop.example2'),
    ])
    expect(a.export()).toEqual(b.export())
    expect(a.export()).not.toEqual(other.export())
    expect(keyRingOf([{ key: a }], 'keys').ids).toHaveLength(1)
  })

  it.each([
    ['short', 'a salt of eight', 'text'],
    [undefined, 'a salt of eight', 'text'],
    ['long enough it is', 'salt', 'salt'],
    ['long enough it is', undefined, 'salt'],
  ])('%o with %o is refused, and not repeated', async (text, salt, option) => {
    const made = keyFromPassphrase(text as string, salt as string)
    await expect(made).rejects.toThrow(InvalidOptionError)
    await expect(made).rejects.toThrow(`keyFromPassphrase.${option} takes`)
    await expect(made).rejects.not.toThrow(/short|long enough/)
  })
})

describe('options', () => {
  const keys = [{ key: secret }]

  it.each([
    [{ keys, accept: 'plain' }, /^encryption\.accept/],
    [{ keys, acept: 'both' }, /^encryption\.acept .*Did you mean accept/],
    [{ keys, refreshEvery: '1m' }, /^encryption\.refreshEvery takes to be left out/],
    [{ keys: () => keys, refreshEvery: '10ms' }, /^encryption\.refreshEvery/],
    [{}, /^encryption\.keys/],
  ])('%o are refused', (options, message) => {
    expect(() => encryption(options as never)).toThrow(message)
  })
})
