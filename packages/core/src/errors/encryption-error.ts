/** Nothing can be encrypted, or an entry cannot be decrypted, with the keys at hand. */

import { markFamily } from './family.ts'
import { LarderError } from './larder-error.ts'

/**
 * `no-keys`: the key source has given none yet; `unknown-key`: the entry is of a key that is not among them; `tag`: it was
 * changed, or belongs to another key, cache, namespace or version; `format`: it is no ciphertext of this plugin.
 */
export type EncryptionReason = 'no-keys' | 'unknown-key' | 'tag' | 'format'

/** Of `@larder/plugins/encryption`. No call fails with it: it is in events, and what they tell of is a miss, or not stored. */
export class EncryptionKeyError extends LarderError {
  static {
    markFamily(EncryptionKeyError)
  }

  readonly reason: EncryptionReason

  constructor(reason: EncryptionReason, message: string, cause?: unknown) {
    super('LARDER_ENCRYPTION_KEY', message, { cause })
    this.reason = reason
  }

  override get name(): string {
    return 'EncryptionKeyError'
  }
}
