/**
 * Messages on the wire: one letter for the kind, then a MessagePack list, as the scripts write them. Any client that reaches
 * Redis can publish, so bytes are checked before they are decoded, and every field before it is used.
 */

import type { BusMessage } from '@larder/core/store'
import { pack, unpack } from 'msgpackr/pack'
import { checkMsgpack } from '../codec/check-msgpack.ts'

/** The letter m: several changes of keys. */
const TOGETHER = 0x6d

/** Encodes a message as the scripts do. */
export function encodeMessage(message: BusMessage): Buffer {
  const letter = Buffer.from(message.kind.slice(0, 1))
  return Buffer.concat([letter, pack(fieldsOf(message))])
}

function fieldsOf(message: BusMessage): readonly unknown[] {
  switch (message.kind) {
    case 'keys':
      return [message.partition, `${message.previous}`, `${message.seq}`, message.keys]
    case 'tags':
      return [`${message.previous}`, `${message.version}`, `${message.floor}`, message.tags]
    case 'wake':
      return [message.key]
    case 'doubt':
      // A field that is left out is read as a zero, also by older versions.
      return [
        message.keys,
        message.tags,
        message.isRepeated ? 1 : 0,
        message.soft ? 1 : 0,
        `${message.sender ?? 0}`,
      ]
  }
}

const LENGTH_BYTES = 4

/**
 * Decodes what was published: a message, or several changes of keys that were announced together, each with its length before it.
 *
 * @throws Error when the bytes are neither; it does not repeat them.
 */
export function decodeMessages(bytes: Uint8Array): readonly BusMessage[] {
  if (bytes[0] !== TOGETHER) return [decodeMessage(bytes)]
  const messages: BusMessage[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 1; at < bytes.length; ) {
    if (at + LENGTH_BYTES > bytes.length) throw new Error('A message is incomplete')
    const from = at + LENGTH_BYTES
    at = from + view.getUint32(at)
    if (at > bytes.length) throw new Error('A message is incomplete')
    messages.push(keysMessage(fieldsIn(bytes.subarray(from, at))))
  }
  return messages
}

/**
 * Decodes a message.
 *
 * @throws Error when the bytes are not a message; it does not repeat them.
 */
export function decodeMessage(bytes: Uint8Array): BusMessage {
  const kind = String.fromCharCode(bytes[0] ?? 0)
  const fields = fieldsIn(bytes.subarray(1))
  if (kind === 'k') return keysMessage(fields)
  if (kind === 't') return tagsMessage(fields)
  if (kind === 'w') return { kind: 'wake', key: textOf(fields[0]) }
  if (kind === 'd') return doubtMessage(fields)
  throw new Error('The message is of an unknown kind')
}

function fieldsIn(list: Uint8Array): readonly unknown[] {
  checkMsgpack(list)
  const fields: unknown = unpack(list)
  if (!Array.isArray(fields)) throw new Error('The message is not a list')
  return fields
}

function keysMessage(fields: readonly unknown[]): BusMessage {
  const [partition, previous, seq, keys, soft = 0, settle = 0] = fields
  const settleMs = countOf(settle)
  return {
    kind: 'keys',
    partition: countOf(partition),
    previous: countOf(previous),
    seq: countOf(seq),
    keys: textsOf(keys),
    ...(countOf(soft) === 1 ? { soft: true } : {}),
    ...(settleMs > 0 ? { settleMs } : {}),
  }
}

function tagsMessage([previous, version, floor, tags]: readonly unknown[]): BusMessage {
  return {
    kind: 'tags',
    previous: countOf(previous),
    version: countOf(version),
    floor: countOf(floor),
    tags: textsOf(tags),
  }
}

function doubtMessage([keys, tags, repeated, soft = 0, from = 0]: readonly unknown[]): BusMessage {
  const sender = countOf(from)
  return {
    kind: 'doubt',
    keys: textsOf(keys),
    tags: textsOf(tags),
    ...(countOf(soft) === 1 ? { soft: true } : {}),
    isRepeated: countOf(repeated) > 0,
    ...(sender > 0 ? { sender } : {}),
  }
}

/** Large numbers come as texts: MessagePack in Redis writes them as doubles or as integers. */
function countOf(field: unknown): number {
  const isNumeral = typeof field === 'string' && /^\d{1,16}$/.test(field)
  const number = isNumeral ? Number(field) : field
  if (Number.isSafeInteger(number) && (number as number) >= 0) return number as number
  throw new Error('The message has something other than a number')
}

function textsOf(field: unknown): readonly string[] {
  if (isEmptyTable(field)) return []
  if (Array.isArray(field)) return field.map(textOf)
  throw new Error('The message has something other than a list of texts')
}

/** An empty Lua table is packed as a map or a list: it does not say which it is. */
function isEmptyTable(field: unknown): boolean {
  return typeof field === 'object' && field !== null && Object.keys(field).length === 0
}

function textOf(field: unknown): string {
  if (typeof field === 'string') return field
  throw new Error('The message has something other than a text')
}
