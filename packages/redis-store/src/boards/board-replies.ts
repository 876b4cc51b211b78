/** Reads the answers of lua/board-*.lua and lua/counter-*.lua, without their first word. */

import type { AddReply, BoardPlace, BoardReply, SubmitReply } from '@larder/core/store'
import { numberOf, textOf, UnexpectedReplyError } from '../commands/replies.ts'

const ADDED = ['counted', 'duplicate', 'range'] as const
const OUTCOMES = ['kept', 'dropped', 'range'] as const

/** @throws UnexpectedReplyError; so do all of these */
export function readSubmitted(reply: readonly unknown[]): readonly SubmitReply[] {
  const replies: SubmitReply[] = []
  for (let i = 0; i < reply.length; i += 3) {
    const outcome = OUTCOMES[numberOf(reply[i])]
    if (outcome === undefined)
      throw new UnexpectedReplyError('A script about boards replied with an unknown number')
    const before = textOf(reply[i + 2])
    const previous = before === '' ? undefined : numberOf(before)
    replies.push({ score: numberOf(reply[i + 1]), previous, outcome })
  }
  return replies
}

export function readAdded([word, total]: readonly unknown[]): AddReply {
  const outcome = ADDED[numberOf(word)]
  if (outcome === undefined)
    throw new UnexpectedReplyError('A script about counters replied with an unknown number')
  return { outcome, total: numberOf(total) }
}

export function readLook(reply: readonly unknown[]): BoardReply {
  const [count, first, standardOfFirst, denseOfFirst, ...pairs] = reply
  const places: BoardPlace[] = []
  let ordinal = numberOf(first)
  let standard = numberOf(standardOfFirst)
  let dense = numberOf(denseOfFirst)
  for (let i = 0; i < pairs.length; i += 2) {
    const score = numberOf(pairs[i + 1])
    const before = places.at(-1)
    if (before !== undefined && before.score !== score) {
      standard = ordinal
      dense += 1
    }
    places.push({ member: textOf(pairs[i]), score, ordinal, standard, dense })
    ordinal += 1
  }
  return { count: numberOf(count), places }
}
