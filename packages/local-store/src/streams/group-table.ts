/** One group of consumers of a stream: what it was delivered, and what it is not done with. */

import type {
  DeadLetterEntry,
  StreamEntry,
  StreamRead,
  StreamSettlement,
  StreamStatusReply,
  StreamTake,
  StreamTaken,
} from '@larder/core/store'
import type { LoggedEntry, StreamLog } from './stream-log.ts'

interface Pending {
  consumer: string
  deliveries: number
  /** When its consumer was last heard of it. */
  heardAt: number
}

/** What outlives a group that is removed. */
export interface GroupRemains {
  /** When entries are due again. */
  readonly due: Map<number, number>
  readonly dead: Map<string, DeadLetterEntry>
  /** Until when marks of messages stand. */
  readonly marks: Map<string, number>
}

/** The oldest go beyond it; a mark is forgotten early rather than that they grow without end. */
const MOST_MARKS = 100_000

export class GroupTable {
  readonly #log: StreamLog
  readonly #remains: GroupRemains
  /** Up to which entry it was delivered. */
  #readTo: number
  readonly #pending = new Map<number, Pending>()
  readonly #consumers = new Map<string, number>()

  constructor(log: StreamLog, remains: GroupRemains, readTo: number) {
    this.#log = log
    this.#remains = remains
    this.#readTo = readTo
  }

  /** The first entry that this group is not done with. */
  get firstUnhandled(): number {
    const [first] = [...this.#pending.keys()].sort((one, other) => one - other)
    return first ?? this.#readTo + 1
  }

  read({ consumer, count }: Omit<StreamRead, 'waitMs'>, now: number): readonly StreamEntry[] {
    this.#consumers.set(consumer, now)
    return this.#log.after(this.#readTo, count).map((entry) => {
      this.#readTo = entry.number
      this.#pending.set(entry.number, { consumer, deliveries: 1, heardAt: now })
      return delivered(entry, 1)
    })
  }

  take({ consumer, count, idleMs, held }: StreamTake, now: number): StreamTaken {
    const { due } = this.#remains
    const isHeld = new Set(held.map(numberIn))
    const entries: StreamEntry[] = []
    const gone: string[] = []
    const deliver = (number: number): void => {
      due.delete(number)
      const pending = this.#pending.get(number)
      if (pending === undefined) return
      const entry = this.#log.at(number)
      if (entry === undefined) {
        this.#pending.delete(number)
        gone.push(idOf(number))
        return
      }
      this.#consumers.set(consumer, now)
      this.#pending.set(number, { consumer, deliveries: pending.deliveries + 1, heardAt: now })
      entries.push(delivered(entry, pending.deliveries + 1))
    }
    for (const [number] of inOrder(due)
      .filter(([, at]) => at <= now)
      .slice(0, count))
      if (!isHeld.has(number)) deliver(number)
    for (const [number, { heardAt }] of [...this.#pending].sort(([one], [other]) => one - other)) {
      if (entries.length >= count) break
      const isSilent = now - heardAt >= idleMs && !isHeld.has(number) && !due.has(number)
      if (isSilent && !entries.some(({ entry }) => entry === idOf(number))) deliver(number)
    }
    const [next] = inOrder(due)
    const nextDueMs = next === undefined ? undefined : Math.max(0, next[1] - now)
    return { entries, gone, cursor: '0-0', nextDueMs }
  }

  keep(consumer: string, entries: readonly string[], now: number): readonly string[] {
    return entries.filter((entry) => {
      const pending = this.#pending.get(numberIn(entry))
      if (pending?.consumer !== consumer) return true
      pending.heardAt = now
      return false
    })
  }

  settle(consumer: string, settlement: StreamSettlement, now: number): boolean {
    const number = numberIn(settlement.entry)
    const pending = this.#pending.get(number)
    const { due } = this.#remains
    if (settlement.kind === 'done') {
      due.delete(number)
      return this.#pending.delete(number)
    }
    if (pending?.consumer !== consumer) return false
    if (settlement.kind === 'dead') {
      const { bytes, error, deliveries, keep, entry } = settlement
      const letter = this.#log.newId()
      this.#remains.dead.set(letter, { letter, bytes, error, deliveries, entry })
      dropSurplus(this.#remains.dead, keep)
      due.delete(number)
      return this.#pending.delete(number)
    }
    if (settlement.kind === 'back') this.#handBack(number, pending, now)
    else due.set(number, now + Math.ceil(settlement.afterMs))
    return true
  }

  leave(consumer: string, now: number): void {
    for (const [number, pending] of this.#pending)
      if (pending.consumer === consumer) this.#handBack(number, pending, now)
    this.forget({ consumer }, now)
  }

  forget(who: { readonly consumer: string } | { readonly silentMs: number }, now: number): number {
    let forgotten = 0
    for (const [consumer, seenAt] of [...this.#consumers]) {
      const isMeant = 'consumer' in who ? who.consumer === consumer : now - seenAt >= who.silentMs
      const has = [...this.#pending.values()].some((pending) => pending.consumer === consumer)
      if (!isMeant || has) continue
      this.#consumers.delete(consumer)
      forgotten += 1
    }
    return forgotten
  }

  /** One that waits already was handed back before. */
  #handBack(number: number, pending: Pending, now: number): void {
    const { due } = this.#remains
    if (due.has(number)) return
    pending.deliveries = Math.max(0, pending.deliveries - 1)
    pending.heardAt = now
    due.set(number, now)
  }

  status(): Omit<StreamStatusReply, 'length' | 'waiting' | 'deadLetters'> {
    const unread = this.#log.after(this.#readTo, Number.POSITIVE_INFINITY).length
    return { pending: this.#pending.size, unread, consumers: this.#consumers.size }
  }
}

/** Marks that what was in a message is handled. */
export function mark({ marks }: GroupRemains, id: string, until: number): void {
  marks.delete(id)
  marks.set(id, until)
  dropSurplus(marks, MOST_MARKS)
}

/** Ids are numbers that grow, as texts that sort nowhere: only their order is promised. */
export function idOf(number: number): string {
  return `${number}-0`
}

export function numberIn(id: string): number {
  return Number.parseInt(id, 10)
}

function delivered({ number, bytes, onlyFor }: LoggedEntry, deliveries: number): StreamEntry {
  return { entry: idOf(number), bytes, onlyFor, deliveries }
}

function inOrder(due: ReadonlyMap<number, number>): readonly (readonly [number, number])[] {
  return [...due].sort(([one, at], [other, otherAt]) => at - otherAt || one - other)
}

function dropSurplus(map: Map<string, unknown>, keep: number): void {
  for (const key of map.keys()) {
    if (map.size <= keep) return
    map.delete(key)
  }
}
