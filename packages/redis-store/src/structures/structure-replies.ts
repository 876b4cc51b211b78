/** Reads the answers of lua/structure-*.lua. */

import type { StoredItem, StructurePutReply, StructureReply } from '@larder/core/store'
import { bytesOf, numberOf, textOf, UnexpectedReplyError } from '../commands/replies.ts'

const VERSION_BYTES = 7
/** Node.js reads numbers of six bytes at most. */
const LOW_BYTES = 6
const OUTCOMES = ['put', 'full', 'conflict'] as const

/** @throws UnexpectedReplyError; so do all of these */
export function readPut([word, added, dropped]: readonly unknown[]): StructurePutReply {
  const outcome = OUTCOMES[numberOf(word)]
  if (outcome === undefined)
    throw new UnexpectedReplyError('A script about structures replied with an unknown number')
  if (outcome !== 'put') return { outcome }
  return { outcome, added: numberOf(added), dropped: numberOf(dropped) }
}

export function readItems([count, leftMs, ...pairs]: readonly unknown[]): StructureReply {
  const items: StoredItem[] = []
  for (let i = 0; i < pairs.length; i += 2) {
    const held = bytesOf(pairs[i + 1])
    if (held.length < VERSION_BYTES)
      throw new UnexpectedReplyError('An item of a structure is too short')
    const [high = 0] = held
    const version = high * 2 ** (8 * LOW_BYTES) + held.readUIntBE(1, LOW_BYTES)
    items.push({ name: textOf(pairs[i]), version, bytes: held.subarray(VERSION_BYTES) })
  }
  return { count: numberOf(count), leftMs: numberOf(leftMs), items }
}
