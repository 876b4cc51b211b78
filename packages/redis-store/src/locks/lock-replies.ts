/** Reads the answers of lua/lock-acquire-n.lua and lua/lock-release-n.lua: one per lock, and then what went wrong. */

import type { AcquireReply } from '@larder/core/store'
import { UnexpectedReplyError } from '../commands/replies.ts'
import { answerError } from '../connection/key-error.ts'

const DOUBLE_BYTES = 8
const ACQUIRE_REPLY_BYTES = 3 * DOUBLE_BYTES
const GRANTED = 1
const FAILED = 2
const DIGIT_ZERO = 0x30

/** One of many answers, which may be a failure. */
export function given<Answer>(answer: Answer | Error): Answer {
  if (answer instanceof Error) throw answer
  return answer
}

/** @throws UnexpectedReplyError */
export function readAcquireReplies(packed: Buffer, count: number): (AcquireReply | Error)[] {
  const words = wordsBehind(packed, count * ACQUIRE_REPLY_BYTES)
  const replies: (AcquireReply | Error)[] = []
  for (let at = 0; at < count * ACQUIRE_REPLY_BYTES; at += ACQUIRE_REPLY_BYTES) {
    const kind = packed.readDoubleBE(at)
    const detail = packed.readDoubleBE(at + DOUBLE_BYTES)
    const position = packed.readDoubleBE(at + 2 * DOUBLE_BYTES)
    if (kind === FAILED) replies.push(answerError('locks.acquire', words.shift() ?? ''))
    else if (kind === GRANTED) replies.push({ kind: 'granted', fence: detail })
    else replies.push({ kind: 'held', retryInMs: detail, position })
  }
  return replies
}

/** @throws UnexpectedReplyError */
export function readReleaseReplies(digits: Buffer, count: number): (boolean | Error)[] {
  const words = wordsBehind(digits, count)
  const replies: (boolean | Error)[] = []
  for (let at = 0; at < count; at++) {
    const outcome = digits.readUInt8(at) - DIGIT_ZERO
    if (outcome === FAILED) replies.push(answerError('locks.release', words.shift() ?? ''))
    else replies.push(outcome === GRANTED)
  }
  return replies
}

/** The lines of text behind the first part of a reply: one per failure. */
function wordsBehind(reply: Buffer, length: number): string[] {
  if (reply.length < length) {
    throw new UnexpectedReplyError('The answer about locks is not of the length asked for')
  }
  return reply.length === length ? [] : reply.toString('utf8', length).split('\n')
}
