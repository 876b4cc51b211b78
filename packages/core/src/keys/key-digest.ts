/** Short forms of keys that are long, hold lone surrogates, or look like a short form. */

import { createHash } from 'node:crypto'

const READABLE_LENGTH = 48

/**
 * Returns `#`, a SHA-256 of the key's UTF-16 units in base64url, and a readable beginning.
 *
 * A leading `#` marks short forms. Keys that begin with it themselves are shortened too, so no key a user can write
 * equals a short form by accident. UTF-16 units are hashed, not UTF-8: lone surrogates would all become the same bytes.
 */
export function shortenKey(key: string): string {
  const digest = createHash('sha256').update(Buffer.from(key, 'utf16le')).digest('base64url')
  return `#${digest}:${key.slice(0, READABLE_LENGTH).toWellFormed()}`
}
