/** Reads the answers of lua/put-n.lua and lua/evict-n.lua: one for each change, and then what went wrong. */

import { UnexpectedReplyError } from '../commands/replies.ts'
import { refused } from '../connection/refusal.ts'

const DOUBLE_BYTES = 8
/** Before the numbers of the changes: now, and two about the announcement. */
const LEADING_DOUBLES = 3
const DIGIT_ZERO = 0x30
const STORED = 1
const FAILED = 2

/** The numbers of one change of a partition. */
interface Numbers {
  readonly previous: number
  readonly seq: number
}

export interface PutAnswer extends Numbers {
  /** False for a put that became an eviction. */
  readonly stored: boolean
}

/** How the changes of a script are announced. */
export interface Announcement {
  /** For how long it waits, ms; 0 where it was sent. */
  readonly waitsMs: number
  /** The node that made the changes has to announce them. */
  readonly isOwed: boolean
}

/** What a script answers about each change, in order: an error where one failed alone. */
export interface Answers<Answer> {
  readonly nowMs: number
  readonly announcement: Announcement
  readonly answers: readonly (Answer | Error)[]
}

/**
 * `places`: for each put, the place of its log in the script's keys.
 *
 * @throws UnexpectedReplyError
 */
export function readPutAnswers(
  packed: Buffer,
  places: readonly number[],
  logCount: number,
): Answers<PutAnswer> {
  const digits = (LEADING_DOUBLES + 2 * logCount) * DOUBLE_BYTES
  const words = wordsBehind(packed, digits + places.length)
  const answers = places.map((place, i): PutAnswer | Error => {
    const outcome = packed.readUInt8(digits + i) - DIGIT_ZERO
    if (outcome === FAILED) return answerError('put', words.shift() ?? '')
    const numbers = numbersAt(packed, (LEADING_DOUBLES + 2 * (place - 1)) * DOUBLE_BYTES)
    return { ...numbers, stored: outcome === STORED }
  })
  return { ...headOf(packed), answers }
}

/** @throws UnexpectedReplyError */
export function readEvictAnswers(packed: Buffer, count: number): Answers<Numbers> {
  const digits = (LEADING_DOUBLES + 2 * count) * DOUBLE_BYTES
  const words = wordsBehind(packed, digits + count)
  const answers: (Numbers | Error)[] = []
  for (let i = 0; i < count; i++) {
    const outcome = packed.readUInt8(digits + i) - DIGIT_ZERO
    if (outcome === FAILED) answers.push(answerError('evict', words.shift() ?? ''))
    else answers.push(numbersAt(packed, (LEADING_DOUBLES + 2 * i) * DOUBLE_BYTES))
  }
  return { ...headOf(packed), answers }
}

function numbersAt(packed: Buffer, at: number): Numbers {
  return { previous: packed.readDoubleBE(at), seq: packed.readDoubleBE(at + DOUBLE_BYTES) }
}

/** The lines of text behind the first part of a reply: one per failure. */
function wordsBehind(reply: Buffer, length: number): string[] {
  if (reply.length < length) {
    throw new UnexpectedReplyError('The answer about changes is not of the length asked for')
  }
  return reply.length === length ? [] : reply.toString('utf8', length).split('\n')
}

function answerError(operation: string, words: string): Error {
  const error = new Error(words)
  error.name = 'ReplyError'
  return refused(operation, error) as Error
}

function headOf(packed: Buffer): Pick<Answers<never>, 'nowMs' | 'announcement'> {
  const waitsMs = packed.readDoubleBE(DOUBLE_BYTES)
  const isOwed = packed.readDoubleBE(2 * DOUBLE_BYTES) === 1
  return { nowMs: packed.readDoubleBE(0), announcement: { waitsMs, isOwed } }
}
