/** Reads the answers of lua/event-*.lua. */

import type { EventAppendReply, KeptEvent, ProjectionTurn } from '@larder/core/store'
import { bytesOf, numberOf, textOf, UnexpectedReplyError } from '../commands/replies.ts'

const OUTCOMES = ['appended', 'duplicate', 'conflict'] as const
const FIELDS = 4

/** What a log says of an event. */
export interface EventPointer {
  readonly position: number
  readonly version: number
  readonly stream: string
}

/** @throws UnexpectedReplyError; so do all of these */
export function readAppended([word, version]: readonly unknown[]): EventAppendReply {
  const outcome = OUTCOMES.find((each) => each === textOf(word))
  if (outcome === undefined)
    throw new UnexpectedReplyError('A script about events replied with an unknown word')
  return { outcome, version: numberOf(version) }
}

/** `reply`: for each event its version, and what follows it. */
export function readEvents(reply: readonly unknown[], stream: string): readonly KeptEvent[] {
  const events: KeptEvent[] = []
  for (let i = 0; i < reply.length; i += 1 + FIELDS) {
    const fields = reply.slice(i + 1, i + 1 + FIELDS)
    events.push(eventOf({ stream, version: numberOf(reply[i]) }, fields))
  }
  return events
}

export function readPointers(reply: readonly unknown[]): readonly EventPointer[] {
  const pointers: EventPointer[] = []
  for (let i = 0; i < reply.length; i += 3) {
    const [position, version, stream] = reply.slice(i, i + 3)
    pointers.push({
      position: numberOf(position),
      version: numberOf(version),
      stream: textOf(stream),
    })
  }
  return pointers
}

/** The events that pointers lead to, as far as they were looked at; without those that are not there. */
export function readFetched(
  reply: readonly unknown[],
  pointers: readonly EventPointer[],
): { readonly events: readonly KeptEvent[]; readonly looked: number } {
  const looked = reply.length / FIELDS
  const events = pointers.slice(0, looked).flatMap((pointer, i) => {
    const fields = reply.slice(i * FIELDS, (i + 1) * FIELDS)
    return textOf(fields[0]) === '' ? [] : [eventOf(pointer, fields)]
  })
  return { events, looked }
}

export function readTurn([isTaken, first, position]: readonly unknown[]): ProjectionTurn {
  if (isTaken === 1) return { kind: 'taken', fence: numberOf(first), position: numberOf(position) }
  return { kind: 'held', leftMs: numberOf(first) }
}

function eventOf(
  { stream, version }: Pick<KeptEvent, 'stream' | 'version'>,
  [position, at, form, bytes]: readonly unknown[],
): KeptEvent {
  return {
    stream,
    version,
    position: numberOf(position),
    at: numberOf(at),
    schema: numberOf(form),
    bytes: bytesOf(bytes),
  }
}
