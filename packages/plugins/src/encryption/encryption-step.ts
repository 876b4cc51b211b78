/**
 * The codec step: payload bytes to `version (1) | key id (4) | nonce (24) | ciphertext | tag (16)` and back.
 *
 * The id in the payload says which key to try; keys are never tried in turn. An attacker who changes it chooses among keys
 * under which these bytes were not sealed.
 */

import { EncryptionKeyError } from '@larder/core'
import type { CodecStep, CodecStepContext } from '@larder/core/store'
import { associatedDataOf } from './associated-data.ts'
import { ID_BYTES, type KeyRing } from './key-ring.ts'
import type { KeySource } from './key-source.ts'
import { NONCE_BYTES, TAG_BYTES } from './xaes.ts'

/** Of Larder's own; written into entries. */
export const ENCRYPTION_STEP_ID = 8
const FORMAT = 1
const HEAD_BYTES = 1 + ID_BYTES
/** By how many bytes an entry grows. */
export const OVERHEAD_BYTES = HEAD_BYTES + NONCE_BYTES + TAG_BYTES

const IDS = { format: FORMAT, step: ENCRYPTION_STEP_ID } as const

/** Is told what the step does; for the statistics. */
export interface StepReports {
  wrote(keyId: string): void
  read(keyId: string): void
  readPlain(): void
}

export interface StepParts {
  readonly source: KeySource
  /** Whether entries that were not encrypted are read. */
  readonly acceptsPlain: boolean
  readonly reports: StepReports
}

export function encryptionStep({ source, acceptsPlain, reports }: StepParts): CodecStep {
  const seal = (ring: KeyRing, bytes: Uint8Array, entry: CodecStepContext): Buffer => {
    const { id, idBytes, cipher } = ring.writing
    const sealed = cipher.seal({ bytes, associated: associatedDataOf(entry, IDS) })
    reports.wrote(id)
    return Buffer.concat([Buffer.of(FORMAT), idBytes, sealed])
  }
  const open = (ring: KeyRing, bytes: Uint8Array, entry: CodecStepContext): Buffer => {
    const id = Buffer.from(bytes.subarray(1, HEAD_BYTES)).toString('hex')
    const key = ring.find(id)
    if (key === undefined) throw unknownKey(id, ring)
    const associated = associatedDataOf(entry, IDS)
    const opened = key.cipher.open({ bytes: bytes.subarray(HEAD_BYTES), associated })
    if (opened === undefined) throw wrongTag(id)
    reports.read(id)
    return opened
  }
  return {
    id: ENCRYPTION_STEP_ID,
    name: 'encryption',
    required: true,
    ...(acceptsPlain
      ? {
          readsWithout: () => {
            reports.readPlain()
            return true
          },
        }
      : {}),
    encode(bytes, entry) {
      const { ring } = source
      return ring instanceof Promise
        ? ring.then((keys) => seal(keys, bytes, entry))
        : seal(ring, bytes, entry)
    },
    decode(bytes, entry) {
      assertFormat(bytes, entry.maxBytes)
      const { ring } = source
      return ring instanceof Promise
        ? ring.then((keys) => open(keys, bytes, entry))
        : open(ring, bytes, entry)
    },
  }
}

function assertFormat(bytes: Uint8Array, maxBytes: number): void {
  const isWhole = bytes.length >= OVERHEAD_BYTES && bytes[0] === FORMAT
  if (isWhole && bytes.length - OVERHEAD_BYTES <= maxBytes) return
  throw new EncryptionKeyError('format', 'The bytes are not a ciphertext of this plugin')
}

function unknownKey(id: string, { ids }: KeyRing): EncryptionKeyError {
  const message = `The entry was encrypted with the key ${id}, and there are ${ids.join(', ')}`
  return new EncryptionKeyError('unknown-key', message)
}

function wrongTag(id: string): EncryptionKeyError {
  const message = `The entry cannot be opened with its key ${id}: it was changed, or it was written for another key, cache, namespace or version`
  return new EncryptionKeyError('tag', message)
}
