/** Reads what lua/limit-decide-n.lua answers: doubles, one after the other. */

import type { LimitReply, PolicyState } from '@larder/core'
import { bytesOf, UnexpectedReplyError } from '../replies.ts'

export interface Decisions {
  /** The server's clock. */
  readonly nowUs: number
  /** One a call; none when the calendar that came with the rule does not reach to that time. */
  readonly replies: readonly LimitReply[] | undefined
}

const ADMITTED = 1
const TOO_DEAR = -1
const BYTES = 8
/** Status, wait, refusing policy. */
const FIELDS_PER_CALL = 3
/** What is left, and until when. */
const FIELDS_PER_POLICY = 2

/** @throws UnexpectedReplyError */
export function readDecisions(reply: unknown, calls: number, policies: number): Decisions {
  const bytes = bytesOf(reply)
  const fieldsPerCall = FIELDS_PER_CALL + FIELDS_PER_POLICY * policies
  const isWhole = bytes.length === BYTES * (1 + calls * fieldsPerCall)
  if (!isWhole && bytes.length !== BYTES) {
    throw new UnexpectedReplyError('The decisions on limits are not of the length asked for')
  }
  const nowUs = bytes.readDoubleBE(0)
  if (!isWhole) return { nowUs, replies: undefined }
  const replies: LimitReply[] = []
  for (let call = 0; call < calls; call++) {
    const at = BYTES * (1 + call * fieldsPerCall)
    const status = bytes.readDoubleBE(at)
    replies.push({
      admitted: status === ADMITTED,
      waitUs: status === TOO_DEAR ? Number.POSITIVE_INFINITY : bytes.readDoubleBE(at + BYTES),
      refusedBy: bytes.readDoubleBE(at + 2 * BYTES),
      states: readStates(bytes, at + FIELDS_PER_CALL * BYTES, policies),
      nowUs,
    })
  }
  return { nowUs, replies }
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
