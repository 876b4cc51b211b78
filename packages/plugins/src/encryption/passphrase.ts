/** Makes a key of a passphrase. It has to be asked for: no option that takes a key takes a passphrase. */

import { createSecretKey, type KeyObject, scrypt } from 'node:crypto'
import { InvalidOptionError } from '@larder/core'

const WHERE = 'keyFromPassphrase'
const KEY_BYTES = 32
/** It takes some tenths of a second and 128 MB, once, so that guessing is expensive. */
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 }
const SHORTEST_TEXT = 12
const SHORTEST_SALT = 8

/**
 * Derives a key with scrypt (N = 2¹⁷, r = 8, p = 1). The same text and salt give the same key, on every node: the salt is
 * one for the application, and need not be secret. Texts are normalised (NFC). A random key is better where one can be kept.
 *
 * @param text at least 12 characters
 * @param salt at least 8 bytes
 * @throws InvalidOptionError
 * @example encryption({ keys: [{ key: await keyFromPassphrase(process.env.PASSPHRASE, 'shop.example') }] })
 */
export async function keyFromPassphrase(
  text: string,
  salt: string | Uint8Array,
): Promise<KeyObject> {
  if (typeof text !== 'string' || [...text].length < SHORTEST_TEXT) {
    const expected = `a text of at least ${SHORTEST_TEXT} characters`
    throw new InvalidOptionError({ option: `${WHERE}.text`, expected, ...withheld(text) })
  }
  const bytes = typeof salt === 'string' ? Buffer.from(salt.normalize('NFC'), 'utf8') : salt
  if (!(bytes instanceof Uint8Array) || bytes.length < SHORTEST_SALT) {
    const expected = `a text or bytes, at least ${SHORTEST_SALT} bytes`
    throw new InvalidOptionError({ option: `${WHERE}.salt`, expected, ...withheld(salt) })
  }
  return new Promise((resolve, reject) => {
    scrypt(text.normalize('NFC'), bytes, KEY_BYTES, COST, (error, key) => {
      if (error === null) resolve(createSecretKey(key))
      else reject(error)
    })
  })
}

function withheld(received: unknown): { readonly received: unknown; readonly isSecret: true } {
  return { received, isSecret: true }
}
