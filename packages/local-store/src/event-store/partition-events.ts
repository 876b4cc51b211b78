/** One partition of an event store within this process: its streams, its log, and how far its projections have come. */

import type {
  EventAppend,
  EventAppendReply,
  EventLogPage,
  EventLogRange,
  EventRange,
  ExpectedVersion,
  KeptEvent,
  ProjectionClaim,
  ProjectionSave,
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
}

export class PartitionEvents {
  readonly #streams = new Map<string, KeptEvent[]>()
  readonly #log: KeptEvent[] = []
  /** What appends with an id have done, the oldest first. */
  readonly #done = new Map<string, Done>()
  readonly #turns = new Map<string, Turn>()

  append(append: EventAppend, now: number): EventAppendReply {
    const { stream, expected, events, id, idMs } = append
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
      this.#log.push(event)
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

  readLog({ after, count, bytes }: EventLogRange): EventLogPage {
    const events = within(this.#log.slice(after, after + count), count, bytes)
    return { events, until: events.at(-1)?.position ?? after, last: this.#log.length }
  }

  take({ projection, owner, leaseMs }: ProjectionClaim, now: number): ProjectionTurn {
    const turn = this.#turns.get(projection) ?? { owner: '', until: 0, fence: 0, position: 0 }
    this.#turns.set(projection, turn)
    if (turn.owner !== '' && turn.owner !== owner && turn.until > now) {
      // As in lua/event-take-1.lua: the clock was set back.
      turn.until = Math.min(turn.until, now + leaseMs)
      return { kind: 'held', leftMs: turn.until - now }
    }
    if (turn.owner !== owner) turn.fence += 1
    turn.owner = owner
    turn.until = now + leaseMs
    return { kind: 'taken', fence: turn.fence, position: turn.position }
  }

  save(save: ProjectionSave, now: number): boolean {
    const { projection, owner, fence, position, leaseMs, isLast } = save
    const turn = this.#turns.get(projection)
    if (turn === undefined || turn.owner !== owner || turn.fence !== fence) return false
    turn.position = Math.max(turn.position, position)
    turn.owner = isLast ? '' : owner
    turn.until = isLast ? now : now + leaseMs
    return true
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
function within(events: readonly KeptEvent[], count: number, bytes: number): readonly KeptEvent[] {
  let left = bytes
  const taken: KeptEvent[] = []
  for (const event of events) {
    if (taken.length >= count || left <= 0) break
    left -= event.bytes.length
    taken.push(event)
  }
  return taken
}
