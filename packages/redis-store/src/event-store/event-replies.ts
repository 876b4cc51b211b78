/** Reads the answers of lua/event-*.lua. */

import type {
  EventAppendReply,
  KeptEvent,
  LoggedEvent,
  ProjectionSaved,
  ProjectionTurn,
} from '@larder/core/store'
import { bytesOf, numberOf, textOf, UnexpectedReplyError } from '../commands/replies.ts'

const OUTCOMES = ['appended', 'duplicate', 'conflict'] as const
const SAVED = ['saved', 'lost', 'rewound'] as const
const FIELDS = 4
const POINTER_FIELDS = 4

/** What a log says of an event. */
export interface EventPointer {
  readonly position: number
  readonly version: number
  readonly stream: string
  readonly mark: string
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
  for (let i = 0; i < reply.length; i += POINTER_FIELDS) {
    const [position, version, stream, mark] = reply.slice(i, i + POINTER_FIELDS)
    pointers.push({
      position: numberOf(position),
      version: numberOf(version),
      stream: textOf(stream),
      mark: textOf(mark),
    })
  }
  return pointers
}

/** The events that pointers lead to, as far as they were looked at; without those that are not there. */
export function readFetched(
  reply: readonly unknown[],
  pointers: readonly EventPointer[],
): { readonly events: readonly LoggedEvent[]; readonly looked: number } {
  const looked = reply.length / FIELDS
  const events = pointers.slice(0, looked).flatMap((pointer, i) => {
    const fields = reply.slice(i * FIELDS, (i + 1) * FIELDS)
    if (textOf(fields[0]) === '') return []
    const event = eventOf(pointer, fields)
    if (event.position === pointer.position) return [{ ...event, mark: pointer.mark }]
    // Between the two steps another server took over, which had not all events and has got others.
    throw new UnexpectedReplyError('The log and a stream of events do not agree')
  })
  return { events, looked }
}

export function readTurn([isTaken, first, ...rest]: readonly unknown[]): ProjectionTurn {
  if (isTaken !== 1) return { kind: 'held', leftMs: numberOf(first) }
  const [position, mark, isRewound] = rest
  return {
    kind: 'taken',
    fence: numberOf(first),
    position: numberOf(position),
    mark: textOf(mark),
    isRewound: isRewound === 1,
  }
}

export function readSaved([word]: readonly unknown[]): ProjectionSaved {
  const saved = SAVED.find((each) => each === textOf(word))
  if (saved !== undefined) return saved
  throw new UnexpectedReplyError('A script about projections replied with an unknown word')
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
