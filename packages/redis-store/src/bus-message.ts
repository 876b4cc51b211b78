/** Messages on the wire: one letter for the kind, then a MessagePack list. Whatever else arrives is refused, never trusted. */

import type { BusMessage } from '@larder/core'
import { unpack } from 'msgpackr'

/**
 * Decodes a message.
 *
 * @throws Error when the bytes are no message.
 */
export function decodeMessage(bytes: Uint8Array): BusMessage {
  const kind = String.fromCharCode(bytes[0] ?? 0)
  const fields: unknown = unpack(bytes.subarray(1))
  if (!Array.isArray(fields)) throw new Error('not a list')
  if (kind === 'k') {
    const [partition, previous, seq, keys] = fields as unknown[]
    return {
      kind: 'keys',
      partition: count(partition),
      previous: count(previous),
      seq: count(seq),
      keys: texts(keys),
    }
  }
  if (kind === 't') {
    const [previous, version, floor, tags] = fields as unknown[]
    return {
      kind: 'tags',
      previous: count(previous),
      version: count(version),
      floor: count(floor),
      tags: texts(tags),
    }
  }
  if (kind === 'w') {
    const [key] = texts(fields)
    if (key !== undefined) return { kind: 'wake', key }
  }
  throw new Error('of an unknown kind')
}

function count(field: unknown): number {
  const number = Number(typeof field === 'string' || typeof field === 'number' ? field : Number.NaN)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw new Error('with something other than a number')
}

function texts(field: unknown): readonly string[] {
  // An empty Lua table is packed as an empty map.
  if (typeof field === 'object' && field !== null && !Array.isArray(field)) {
    if (Object.keys(field).length === 0) return []
  }
  if (Array.isArray(field) && field.every((item) => typeof item === 'string')) return field
  throw new Error('with something other than texts')
}
