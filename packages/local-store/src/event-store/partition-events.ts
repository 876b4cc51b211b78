/** One partition of an event store within this process: its streams, its log, and how far its projections have come. */

import type {
  EventAppend,
  EventAppendReply,
  EventLogPage,
  EventLogRange,
  EventRange,
  ExpectedVersion,
  KeptEvent,
  LoggedEvent,
  ProjectionClaim,
  ProjectionSave,
  ProjectionSaved,
  ProjectionTurn,
} from '@larder/core/store'

interface Done {
  readonly endsAt: number
  readonly version: number
}

interface Turn {
  owner: string
  until: number
  fence: number
  position: number
  mark: string
}

const NO_TURN: Turn = { owner: '', until: 0, fence: 0, position: 0, mark: '' }
const US_PER_MS = 1_000

export class PartitionEvents {
  readonly #streams = new Map<string, KeptEvent[]>()
  readonly #log: LoggedEvent[] = []
  /** What appends with an id have done, the oldest first. */
  readonly #done = new Map<string, Done>()
  readonly #turns = new Map<string, Turn>()

  append(append: EventAppend, now: number): EventAppendReply {
    const { stream, expected, events, id, idMs, mark } = append
    const key = JSON.stringify([stream, id])
    const known = id === undefined ? undefined : this.#done.get(key)
    if (known !== undefined && known.endsAt > now)
      return { outcome: 'duplicate', version: known.version }
    const kept = this.#streams.get(stream) ?? []
    if (!isMet(expected, kept.length)) return { outcome: 'conflict', version: kept.length }
    if (events.length === 0) return { outcome: 'appended', version: kept.length }
    for (const { schema, bytes } of events) {
      const version = kept.length + 1
      const position = this.#log.length + 1
      const event = { stream, version, position, at: now, schema, bytes: bytes.slice() }
      kept.push(event)
      this.#log.push({ ...event, mark })
    }
    this.#streams.set(stream, kept)
    if (id !== undefined) this.#remember(key, { endsAt: now + idMs, version: kept.length }, now)
    return { outcome: 'appended', version: kept.length }
  }

  read(stream: string, range: EventRange): readonly KeptEvent[] {
    const { from, to, isBackwards, count, bytes } = range
    const part = (this.#streams.get(stream) ?? []).slice(Math.max(0, from - 1), Math.max(0, to))
    return within(isBackwards ? part.reverse() : part, count, bytes)
  }

  readLog({ after, mark, count, bytes }: EventLogRange): EventLogPage {
    const last = this.#log.length
    const isContinued = mark === '' || this.#isContinued(after, mark)
    const found = isContinued ? this.#log.slice(after, after + count) : []
    const events = within(found, count, bytes)
    const seen = events.at(-1) ?? { position: after, mark }
    return { events, until: seen.position, mark: seen.mark, isContinued, last }
  }

  take({ projection, owner, leaseMs }: ProjectionClaim, now: number): ProjectionTurn {
    const turn = this.#turns.get(projection) ?? { ...NO_TURN }
    this.#turns.set(projection, turn)
    if (turn.owner !== '' && turn.owner !== owner && turn.until > now) {
      // As in lua/event-take-2.lua: the clock was set back.
      turn.until = Math.min(turn.until, now + leaseMs)
      return { kind: 'held', leftMs: turn.until - now }
    }
    if (turn.owner !== owner) turn.fence = Math.max(turn.fence + 1, now * US_PER_MS)
    turn.owner = owner
    turn.until = now + leaseMs
    const isRewound = !this.#isContinued(turn.position, turn.mark)
    if (isRewound) Object.assign(turn, { position: 0, mark: '' })
    const { fence, position, mark } = turn
    return { kind: 'taken', fence, position, mark, isRewound }
  }

  save(save: ProjectionSave, now: number): ProjectionSaved {
    const { projection, owner, fence, position, mark, leaseMs, isLast } = save
    const turn = this.#turns.get(projection)
    if (turn === undefined) return 'rewound'
    if (turn.owner !== owner || turn.fence !== fence) return 'lost'
    if (!this.#isContinued(position, mark)) return 'rewound'
    if (position > turn.position) Object.assign(turn, { position, mark })
    turn.owner = isLast ? '' : owner
    turn.until = isLast ? now : now + leaseMs
    return 'saved'
  }

  /** As in lua/includes/events.lua. Here a log loses nothing, but a caller may be wrong. */
  #isContinued(position: number, mark: string): boolean {
    if (position === 0) return true
    const found = this.#log[position - 1]?.mark
    return found !== undefined && (found === '' || mark === '' || found === mark)
  }

  /** No timer: what adds to the table also makes it smaller. */
  #remember(key: string, done: Done, now: number): void {
    this.#done.delete(key)
    this.#done.set(key, done)
    for (const [oldest, { endsAt }] of this.#done) {
      if (endsAt > now) break
      this.#done.delete(oldest)
    }
  }
}

function isMet(expected: ExpectedVersion, version: number): boolean {
  if (expected === 'any') return true
  if (expected === 'none') return version === 0
  return expected === 'exists' ? version > 0 : expected === version
}

/** As many as fit, and one at least. */
function within<Event extends KeptEvent>(
  events: readonly Event[],
  count: number,
  bytes: number,
): readonly Event[] {
  let left = bytes
  const taken: Event[] = []
  for (const event of events) {
    if (taken.length >= count || left <= 0) break
    left -= event.bytes.length
    taken.push(event)
  }
  return taken
}
