/**
 * Short forms of keys that are long, hold lone surrogates, or look like a short form themselves.
 *
 * A short form ends with `#` and the 43 characters of a SHA-256. A key with a `#` at that place is shortened too, also when a
 * user wrote it. So every short form is a digest of the whole key, and no other key has that shape: two keys never collide.
 * The readable part comes first, so that patterns for the beginning of a key also find long keys.
 */

import { createHash } from 'node:crypto'

const MAX_LENGTH = 200
const READABLE_LENGTH = 100
/** `#` and 32 bytes in base64url. */
const TAIL_LENGTH = 44
const MARK = '#'.charCodeAt(0)

/**
 * Returns the text itself where it can be a key, and its short form otherwise.
 *
 * Keys are at most 200 UTF-16 units and well-formed, because Redis sees UTF-8, where lone surrogates become one and the
 * same character.
 */
export function fitKey(text: string): string {
  return wellFormedKey(boundKey(text))
}

/** The first half of `fitKey`: length and lookalikes. */
export function boundKey(text: string): string {
  const { length } = text
  if (length < TAIL_LENGTH) return text
  const isLookalike = text.charCodeAt(length - TAIL_LENGTH) === MARK
  return isLookalike || length > MAX_LENGTH ? shortForm(text) : text
}

/** The second half, for texts from `boundKey`: lone surrogates. */
export function wellFormedKey(text: string): string {
  return text.isWellFormed() ? text : shortForm(text)
}

function shortForm(text: string): string {
  // The UTF-16 units are hashed, and not UTF-8, for the same reason.
  const digest = createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('base64url')
  return `${text.slice(0, READABLE_LENGTH).toWellFormed()}#${digest}`
}
