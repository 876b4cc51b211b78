/**
 * XAES-256-GCM (https://c2sp.org/XAES-256-GCM): AES-256-GCM with a nonce of 192 bits, on `node:crypto` alone.
 *
 * Plain AES-GCM has nonces of 96 bits. Drawn at random, they must not be used for more than 2³² messages under one key, or two
 * of them may be equal, which gives the key for forging away; at a thousand writes a second that is after fifty days. Here
 * the first half of the nonce derives a key of its own for the message, so writes need not be counted.
 *
 * Published test vectors are in `xaes.test.ts`.
 */

import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto'

export const NONCE_BYTES = 24
export const TAG_BYTES = 16

const BLOCK = 16
const HALF_NONCE = 12
/** The label of the derivation, and what stands before the nonce in its two blocks. */
const LABEL = 0x58
const CIPHER = 'aes-256-gcm'

/** Bytes, and the data that they are bound to. */
export interface Sealing {
  readonly bytes: Uint8Array
  /** Not encrypted; opening with other associated data fails. */
  readonly associated: Uint8Array
}

/** A key of 256 bits, ready for use. */
export class XaesKey {
  readonly #key: KeyObject
  /** The same for every message: an AES encryption of zeros, doubled. */
  readonly #subkey: Buffer

  constructor(key: KeyObject) {
    this.#key = key
    this.#subkey = doubled(encryptBlocks(key, Buffer.alloc(BLOCK)))
  }

  /** Returns nonce, ciphertext and tag. `nonce`: for test vectors; it must never be used twice. */
  seal({ bytes, associated }: Sealing, nonce: Uint8Array = randomBytes(NONCE_BYTES)): Buffer {
    const cipher = createCipheriv(CIPHER, this.#derive(nonce), nonce.subarray(HALF_NONCE), {
      authTagLength: TAG_BYTES,
    })
    cipher.setAAD(associated)
    const sealed = cipher.update(bytes)
    return Buffer.concat([nonce, sealed, cipher.final(), cipher.getAuthTag()])
  }

  /** Returns what was sealed; `undefined` when the bytes, the key or the associated data are others. */
  open({ bytes, associated }: Sealing): Buffer | undefined {
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined
    const nonce = bytes.subarray(0, NONCE_BYTES)
    const end = bytes.length - TAG_BYTES
    // Without this length Node.js would accept a tag of four bytes, which can be guessed.
    const decipher = createDecipheriv(CIPHER, this.#derive(nonce), nonce.subarray(HALF_NONCE), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(associated)
    decipher.setAuthTag(bytes.subarray(end))
    const opened = decipher.update(bytes.subarray(NONCE_BYTES, end))
    try {
      return Buffer.concat([opened, decipher.final()])
    } catch {
      return undefined
    }
  }

  /** The key of one message: two blocks of CMAC over a counter, the label and the first half of the nonce. */
  #derive(nonce: Uint8Array): KeyObject {
    const blocks = Buffer.alloc(2 * BLOCK)
    for (const counter of [1, 2]) {
      const block = blocks.subarray((counter - 1) * BLOCK, counter * BLOCK)
      block[1] = counter
      block[2] = LABEL
      block.set(nonce.subarray(0, HALF_NONCE), BLOCK - HALF_NONCE)
      for (let i = 0; i < BLOCK; i++) block[i] = (block[i] ?? 0) ^ (this.#subkey[i] ?? 0)
    }
    return createSecretKey(encryptBlocks(this.#key, blocks))
  }
}

/** AES-256 over whole blocks, each by itself: what the derivation is made of, and nothing to encrypt data with. */
function encryptBlocks(key: KeyObject, blocks: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-ecb', key, null)
  cipher.setAutoPadding(false)
  return Buffer.concat([cipher.update(blocks), cipher.final()])
}

/** Multiplies by x in the field of CMAC: a shift to the left, and a constant where a bit falls off. */
function doubled(block: Buffer): Buffer {
  const result = Buffer.alloc(BLOCK)
  let carry = 0
  for (let i = BLOCK - 1; i >= 0; i--) {
    const byte = block[i] ?? 0
    result[i] = ((byte << 1) & 0xff) | carry
    carry = byte >> 7
  }
  result[BLOCK - 1] = (result[BLOCK - 1] ?? 0) ^ (carry * 0x87)
  return result
}
