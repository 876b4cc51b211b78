/**
 * Ids of sessions, and where they lead.
 *
 * An id is `<tag>~<when>~<random>`. The tag is the place: all sessions of a user have the same one, made from the user's name by a
 * one-way function, so that a bare id leads to the one place where everything of its user is kept. Before a login it is random. `when`
 * is the second at which the id was made; it tells a store whether a session that it does not know can be new. The rest are 128 random
 * bits, which are what makes the id a secret.
 */

import { randomBytes } from 'node:crypto'
import { type SessionPlace, sessionDigest } from '@larder/core/store'

/** Of nobody yet. */
const ANYBODY = 'a'
/** Of an id that somebody else made. */
const FOREIGN = 'f'

const TAG_BYTES = 12
const SECRET_BYTES = 16
const SECONDS_LENGTH = 7
const OWN = /^([ua][A-Za-z0-9_-]{16})~([0-9a-z]{7})~([A-Za-z0-9_-]{22})$/
/** In UTF-8, so that its name is a name in every store. */
const MOST_FOREIGN_BYTES = 200
const FOREIGN_NAME = '~'

/** An id that has the right form. */
export interface SessionId {
  readonly id: string
  /** Where it is kept unless it was moved. */
  readonly home: SessionPlace
}

/** Makes an id at this time, ms since the epoch. `tag`: that of its user. */
export function makeId(nowMs: number, tag: string | undefined): string {
  const at = tag ?? ANYBODY + randomBytes(TAG_BYTES).toString('base64url')
  const when = Math.floor(nowMs / 1_000)
    .toString(36)
    .padStart(SECONDS_LENGTH, '0')
  return `${at}~${when}~${randomBytes(SECRET_BYTES).toString('base64url')}`
}

/** Reads an id, or returns `undefined` for what is none. `foreign`: whether ids that others made are taken, too. */
export function parseId(id: unknown, foreign: boolean): SessionId | undefined {
  if (typeof id !== 'string') return undefined
  const [, tag, when, secret] = OWN.exec(id) ?? []
  if (tag !== undefined && when !== undefined) {
    const madeAt = Number.parseInt(when, 36) * 1_000
    return madeAt === 0 ? undefined : { id, home: { tag, name: `${when}~${secret}`, madeAt } }
  }
  // By its length first: strangers may send a text of any size.
  if (!foreign || id.length === 0 || id.length > MOST_FOREIGN_BYTES) return undefined
  if (!id.isWellFormed() || Buffer.byteLength(id) > MOST_FOREIGN_BYTES) return undefined
  const name = FOREIGN_NAME + Buffer.from(id, 'utf8').toString('base64url')
  return { id, home: { tag: FOREIGN + sessionDigest([id]), name, madeAt: 0 } }
}

/** Where a session is kept that was moved under the tag of a user. */
export function placeUnder({ id, home }: SessionId, tag: string): SessionPlace {
  if (tag === home.tag) return home
  return { tag, name: home.madeAt === 0 ? home.name : id, madeAt: home.madeAt }
}

/** The id of a session in a user's list. */
export function idIn(tag: string, name: string): string {
  if (name.startsWith(FOREIGN_NAME)) return Buffer.from(name.slice(1), 'base64url').toString('utf8')
  return OWN.test(name) ? name : `${tag}~${name}`
}
