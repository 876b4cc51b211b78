/** Reads the answers of lua/session-*.lua: a word, and what belongs to it. */

import type {
  MovedSession,
  MoveReply,
  NoSession,
  SaveReply,
  SessionReply,
} from '@larder/core/store'
import { bytesOf, numberOf, textOf, UnexpectedReplyError } from '../commands/replies.ts'

/** @throws UnexpectedReplyError; so do all of these */
export function readSession(reply: readonly unknown[]): SessionReply {
  const kind = textOf(reply[0])
  if (kind !== 'live') return noneOrMoved(kind, reply)
  const [, version, endsAt, absoluteEnd, now, bytes] = reply
  return {
    kind,
    version: numberOf(version),
    endsAt: numberOf(endsAt),
    absoluteEnd: numberOf(absoluteEnd),
    now: numberOf(now),
    bytes: bytesOf(bytes),
  }
}

export function readSaved(reply: readonly unknown[]): SaveReply {
  const kind = textOf(reply[0])
  if (kind === 'conflict') return { kind }
  if (kind !== 'saved') return noneOrMoved(kind, reply)
  const [, version, endsAt, absoluteEnd, now, ...ended] = reply
  return {
    kind,
    version: numberOf(version),
    endsAt: numberOf(endsAt),
    absoluteEnd: numberOf(absoluteEnd),
    now: numberOf(now),
    ended: ended.map(textOf),
  }
}

export function readMoved(reply: readonly unknown[]): MoveReply {
  const kind = textOf(reply[0])
  return kind === 'conflict' ? { kind } : noneOrMoved(kind, reply)
}

function noneOrMoved(kind: string, reply: readonly unknown[]): MovedSession | NoSession {
  if (kind === 'moved') return { kind, tag: textOf(reply[1]) }
  if (kind === 'ended' || kind === 'absent') return { kind }
  throw new UnexpectedReplyError('A script about sessions replied with an unknown word')
}
