/** Keys as they are given, checked, and found by their ids. Nothing here prints or returns the bytes of a key. */

import { createHash, createSecretKey, KeyObject } from 'node:crypto'
import { InvalidOptionError } from '@larder/core'
import { assertKnownOptions, optionNames } from '@larder/core/store'
import { XaesKey } from './xaes.ts'

/** A key of 256 random bits. */
export interface EncryptionKey {
  /** 32 bytes: as a `Buffer`, in base64, or as a secret `KeyObject`. `undefined`, as of a variable that is not set, is refused. */
  readonly key: Uint8Array | string | KeyObject | undefined
}

const KEY_BYTES = 32
export const ID_BYTES = 4
const ID_LABEL = 'larder encryption key id\0'
const NAMES = optionNames<EncryptionKey>({ key: true })
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/

/** A key with its id, which is not secret: entries carry it. */
export interface RingKey {
  /** Eight hexadecimal digits. */
  readonly id: string
  readonly idBytes: Buffer
  readonly cipher: XaesKey
}

/** The keys in use: the first one writes, all read. */
export class KeyRing {
  readonly writing: RingKey
  readonly #byId: ReadonlyMap<string, RingKey>

  constructor(keys: readonly [RingKey, ...RingKey[]]) {
    this.writing = keys[0]
    this.#byId = new Map(keys.map((key) => [key.id, key]))
  }

  get ids(): readonly string[] {
    return [...this.#byId.keys()]
  }

  find(id: string): RingKey | undefined {
    return this.#byId.get(id)
  }
}

/** @throws InvalidOptionError for none, for what is not a key, and for two of one id */
export function keyRingOf(keys: unknown, option: string): KeyRing {
  if (!Array.isArray(keys) || keys.length === 0) {
    const expected = 'an array of keys, the one to write with first'
    throw new InvalidOptionError({ option, expected, received: keys, isSecret: true })
  }
  const ring = keys.map((key: unknown, i) => ringKeyOf(key, `${option}[${i}]`))
  const ids = ring.map(({ id }) => id)
  const twice = ids.findIndex((id, i) => ids.indexOf(id) !== i)
  if (twice >= 0) {
    throw new InvalidOptionError({
      option: `${option}[${twice}]`,
      expected: 'a key whose id no other one has',
      received: undefined,
      described: `another one of the id ${ids[twice]}`,
    })
  }
  return new KeyRing(ring as [RingKey, ...RingKey[]])
}

function ringKeyOf(given: unknown, option: string): RingKey {
  if (typeof given !== 'object' || given === null) {
    const expected = 'an object with a key'
    throw new InvalidOptionError({ option, expected, received: given, isSecret: true })
  }
  assertKnownOptions(given, NAMES, option)
  const { key } = given as { readonly key?: unknown }
  const secret = secretOf(key)
  if (secret === undefined) {
    throw new InvalidOptionError({
      option: `${option}.key`,
      expected: '32 bytes: a Buffer, base64, or a secret KeyObject',
      received: key,
      ...describedWithout(key),
      isSecret: true,
    })
  }
  const idBytes = idOf(secret)
  return { id: idBytes.toString('hex'), idBytes, cipher: new XaesKey(secret) }
}

/** A copy, so that it does not matter what happens to the caller's own bytes. */
function secretOf(key: unknown): KeyObject | undefined {
  if (key instanceof KeyObject) {
    return key.type === 'secret' && key.symmetricKeySize === KEY_BYTES ? key : undefined
  }
  if (typeof key === 'string' && !BASE64.test(key)) return undefined
  const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : key
  if (!(bytes instanceof Uint8Array) || bytes.length !== KEY_BYTES) return undefined
  return createSecretKey(bytes)
}

/** Nothing of a key may be in a message. */
function describedWithout(key: unknown): { readonly described?: string } {
  if (typeof key === 'string') return { described: `a string of ${key.length} characters` }
  if (key instanceof Uint8Array) return { described: `${key.length} bytes` }
  if (key instanceof KeyObject) {
    const size = key.symmetricKeySize
    return { described: `a ${key.type} key${size === undefined ? '' : ` of ${size} bytes`}` }
  }
  return {}
}

/** The beginning of a hash: enough to tell the keys of an application apart, and nothing about the key. */
function idOf(secret: KeyObject): Buffer {
  const hash = createHash('sha256').update(ID_LABEL).update(secret.export())
  return hash.digest().subarray(0, ID_BYTES)
}
