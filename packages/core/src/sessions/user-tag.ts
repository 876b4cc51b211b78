/** Under which tag the sessions of a user are kept. It leads to them, and does not say who it is. */

import { createHash } from 'node:crypto'

/** Tags of users begin with it; those of nobody yet, with others. */
const USER = 'u'
const TAG_LENGTH = 16

/** The tag of a user, among the sessions of this name. */
export function tagOfUser(namespace: string, sessions: string, user: string): string {
  return USER + sessionDigest([namespace, sessions, user])
}

export function isTagOfUser(tag: string): boolean {
  return tag.startsWith(USER)
}

/** Each part with its length, so that no two lists are the same text. */
export function sessionDigest(parts: readonly string[]): string {
  const text = ['larder session', ...parts].map((part) => `${part.length}:${part}`).join('')
  return createHash('sha256').update(text).digest('base64url').slice(0, TAG_LENGTH)
}
