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
