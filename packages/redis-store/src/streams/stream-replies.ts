/** Reads the answers about streams: those of lua/stream-*.lua, and that of XREADGROUP. */

import type {
  AdditionReply,
  DeadLetterEntry,
  StreamEntry,
  StreamStatusReply,
  StreamTaken,
} from '@larder/core/store'
import { bytesOf, listOf, numberOf, textOf } from '../commands/replies.ts'

/** @throws UnexpectedReplyError; so do all of these */
export function readAdded(reply: readonly unknown[]): readonly AdditionReply[] {
  const added: AdditionReply[] = []
  for (let i = 0; i < reply.length; i += 2)
    added.push({ entry: textOf(reply[i]), isNew: reply[i + 1] === 1 })
  return added
}

export function readTaken(reply: readonly unknown[]): StreamTaken | 'absent' {
  const [isThere, cursor, next, goneCount, ...rest] = reply
  if (isThere !== 1) return 'absent'
  const count = numberOf(goneCount)
  const nextDueMs = numberOf(next)
  const entries: StreamEntry[] = []
  for (let i = count; i < rest.length; i += 4) {
    const onlyFor = textOf(rest[i + 2])
    entries.push({
      entry: textOf(rest[i]),
      deliveries: numberOf(rest[i + 1]),
      onlyFor: onlyFor === '' ? undefined : onlyFor,
      bytes: bytesOf(rest[i + 3]),
    })
  }
  return {
    cursor: textOf(cursor),
    nextDueMs: nextDueMs < 0 ? undefined : nextDueMs,
    gone: rest.slice(0, count).map(textOf),
    entries,
  }
}

/** What XREADGROUP replies for one stream; entries that were removed before they were read have no fields, and are left out. */
export function readDelivered(reply: unknown): readonly StreamEntry[] {
  if (reply === null) return []
  const [first, second] = listOf(reply)
  const entries = Array.isArray(first) ? first[1] : second
  return listOf(entries).flatMap((item) => {
    const [entry, fields] = listOf(item)
    if (fields === null) return []
    const { bytes, onlyFor } = fieldsOf(listOf(fields))
    return [{ entry: textOf(entry), bytes, onlyFor, deliveries: 1 }]
  })
}

export function readLetters(reply: readonly unknown[]): readonly DeadLetterEntry[] {
  const letters: DeadLetterEntry[] = []
  for (let i = 0; i < reply.length; i += 5)
    letters.push({
      letter: textOf(reply[i]),
      error: textOf(reply[i + 1]),
      deliveries: numberOf(reply[i + 2]),
      entry: textOf(reply[i + 3]),
      bytes: bytesOf(reply[i + 4]),
    })
  return letters
}

export function readStatus(reply: readonly unknown[]): StreamStatusReply {
  const [length = 0, pending = 0, waiting = 0, unread = -1, deadLetters = 0, consumers = 0] =
    reply.map(numberOf)
  const known = unread < 0 ? undefined : unread
  return { length, pending, waiting, unread: known, deadLetters, consumers }
}

/** Somebody else may have added the entry. */
function fieldsOf(fields: readonly unknown[]): Pick<StreamEntry, 'bytes' | 'onlyFor'> {
  let bytes: Buffer = Buffer.alloc(0)
  let onlyFor: string | undefined
  for (let i = 0; i < fields.length; i += 2) {
    const name = textOf(fields[i])
    if (name === 'm') bytes = bytesOf(fields[i + 1])
    if (name === 'g') onlyFor = textOf(fields[i + 1])
  }
  return { bytes, onlyFor }
}
