/** Reads what lua/limit-decide-n.lua answers: doubles, one after the other, and then what went wrong. */

import { StoreKeyError } from '@larder/core'
import type { LimitReply, PolicyState } from '@larder/core/store'
import { bytesOf, UnexpectedReplyError } from '../commands/replies.ts'

export interface DecidedCalls {
  /** The server's clock. */
  readonly nowUs: number
  /** One per call; none when the calendar that came with the rule does not reach to that time. */
  readonly replies: readonly LimitReply[] | undefined
}

const ADMITTED = 1
const TOO_DEAR = -1
const FAILED = -2
const BYTES = 8
/** Status, wait, refusing policy. */
const FIELDS_PER_CALL = 3
/** What is left, and until when. */
const FIELDS_PER_POLICY = 2

/** @throws UnexpectedReplyError */
export function readDecisions(reply: unknown, calls: number, policies: number): DecidedCalls {
  const bytes = bytesOf(reply)
  const fieldsPerCall = FIELDS_PER_CALL + FIELDS_PER_POLICY * policies
  const end = BYTES * (1 + calls * fieldsPerCall)
  const isWhole = bytes.length >= end
  if (!isWhole && bytes.length !== BYTES) throw wrongLength()
  const nowUs = bytes.readDoubleBE(0)
  if (!isWhole) return { nowUs, replies: undefined }
  const errors = bytes.length === end ? [] : bytes.toString('utf8', end).split('\n')
  const replies: LimitReply[] = []
  let failed = 0
  for (let call = 0; call < calls; call++) {
    const at = BYTES * (1 + call * fieldsPerCall)
    const status = bytes.readDoubleBE(at)
    if (status === FAILED) {
      const error = new StoreKeyError('limits.decide', new Error(errors[failed]))
      replies.push({ admitted: false, waitUs: 0, refusedBy: -1, states: [], nowUs, error })
      failed += 1
      continue
    }
    replies.push({
      admitted: status === ADMITTED,
      waitUs: status === TOO_DEAR ? Number.POSITIVE_INFINITY : bytes.readDoubleBE(at + BYTES),
      refusedBy: bytes.readDoubleBE(at + 2 * BYTES),
      states: readStates(bytes, at + FIELDS_PER_CALL * BYTES, policies),
      nowUs,
    })
  }
  if (failed !== errors.length) throw wrongLength()
  return { nowUs, replies }
}

function wrongLength(): UnexpectedReplyError {
  return new UnexpectedReplyError('The decisions on limits are not of the length asked for')
}

function readStates(bytes: Buffer, from: number, policies: number): readonly PolicyState[] {
  const states: PolicyState[] = []
  for (let i = 0; i < policies; i++) {
    const at = from + FIELDS_PER_POLICY * BYTES * i
    states.push({
      remaining: bytes.readDoubleBE(at),
      resetUs: bytes.readDoubleBE(at + BYTES),
    })
  }
  return states
}
