/** Makes sessions with new ids: in two steps, so that what is wrong with the data shows before an old session ends for it. */

import { InvalidOptionError } from '@larder/core'
import { isTagOfUser } from '@larder/core/store'
import type { PreparedData, SessionCalls } from './session-calls.ts'
import { makeId, parseId, type SessionId } from './session-id.ts'
import type { SessionUser } from './session-options.ts'

/** A session. */
export interface Session<Data extends object> {
  /** Who has it has the session: keep it out of logs. */
  readonly id: string
  readonly data: Data
  /** When it ends without a further use. */
  readonly endsAt: Date
  /** When it ends in any case. */
  readonly absoluteEnd: Date
}

/** A session that is about to be saved. */
export interface BegunSession<Data> {
  readonly at: SessionId
  readonly data: Data
  readonly prepared: PreparedData
}

/** Whose a new session is, and the option that says so. */
interface NewUser {
  /** @default the one that the data names, or nobody */
  readonly user: SessionUser | undefined
  readonly option: string
}

/** @throws InvalidOptionError for a user that is none, or that the data does not name; ValueError */
export async function beginSession<Data extends object>(
  calls: SessionCalls<Data>,
  data: Data,
  { user, option }: NewUser,
): Promise<BegunSession<Data>> {
  const named = calls.tagIn(data)
  const tag = user === undefined ? named : calls.tagOf(user, option)
  if (named !== undefined && named !== tag) {
    const expected = 'the user that the data names'
    throw new InvalidOptionError({ option, expected, received: user, described: 'another one' })
  }
  const at = parseId(makeId(Date.now(), tag), false)
  if (at === undefined) throw clockError('a time that no id can have')
  return { at, data, prepared: await calls.prepare(at, data) }
}

/** @throws SessionUnavailableError; InvalidOptionError where the clocks of this machine and the store are hours apart */
export async function putSession<Data extends object>(
  calls: SessionCalls<Data>,
  { at, data, prepared }: BegunSession<Data>,
): Promise<Session<Data>> {
  const saved = await calls.savePrepared(at, prepared, { mode: 'create' })
  // An id that was just made is new where the clocks agree.
  if (saved.kind !== 'saved') throw clockError('a session that is refused as old')
  const { endsAt, absoluteEnd } = saved
  return { id: at.id, data, endsAt: new Date(endsAt), absoluteEnd: new Date(absoluteEnd) }
}

/** Whether a user may be given what was in a session: it was theirs, or of nobody yet. */
export function isFor<Data extends object>(
  calls: SessionCalls<Data>,
  tag: string,
  before: { readonly data: Data; readonly tag: string },
): boolean {
  if (isTagOfUser(before.tag) && before.tag !== tag) return false
  return (calls.tagIn(before.data) ?? tag) === tag
}

function clockError(described: string): InvalidOptionError {
  return new InvalidOptionError({
    option: 'the clock of this machine',
    expected: 'to be less than an hour away from that of the store',
    received: undefined,
    described,
  })
}
