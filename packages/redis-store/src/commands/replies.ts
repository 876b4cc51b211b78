/** Reads script replies: integers come as numbers, numbers beyond 32 bits and texts as buffers. */

import type { Reply } from '../connection/redis-client.ts'

/** A reply that does not have the shape its script promises. */
export class UnexpectedReplyError extends Error {
  override readonly name = 'UnexpectedReplyError'
}

export function listOf(reply: Reply): readonly unknown[] {
  if (Array.isArray(reply)) return reply
  throw new UnexpectedReplyError('A script replied with something other than a list')
}

export function numberOf(item: unknown): number {
  const number = typeof item === 'number' ? item : numeralOf(textOf(item))
  if (Number.isFinite(number)) return number
  throw new UnexpectedReplyError('A script replied with something other than a number')
}

export function textOf(item: unknown): string {
  if (typeof item === 'string') return item
  if (Buffer.isBuffer(item)) return item.toString('utf8')
  throw new UnexpectedReplyError('A script replied with something other than a text')
}

export function bytesOf(item: unknown): Buffer {
  if (Buffer.isBuffer(item)) return item
  throw new UnexpectedReplyError('A script replied with something other than bytes')
}

/** Number makes 0 of an empty text. */
function numeralOf(text: string): number {
  return text === '' ? Number.NaN : Number(text)
}

/** Members with their scores: side by side, or in pairs, as newer protocols have it. */
export function scoredOf(reply: Reply): readonly (readonly [member: string, score: number])[] {
  const list = listOf(reply)
  const pairs: (readonly [string, number])[] = []
  for (let i = 0; i < list.length; i += 1) {
    const item = list[i]
    if (Array.isArray(item)) pairs.push([textOf(item[0]), numberOf(item[1])])
    else {
      i += 1
      pairs.push([textOf(item), numberOf(list[i])])
    }
  }
  return pairs
}

const MS_PER_S = 1_000
const US_PER_MS = 1_000

/** What TIME replies, as ms since the epoch. */
export function millisecondsOf(time: Reply): number {
  const [seconds, micros] = listOf(time)
  return numberOf(seconds) * MS_PER_S + Math.floor(numberOf(micros) / US_PER_MS)
}
