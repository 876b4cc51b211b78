/** One stream: its entries, its groups, and who waits for entries. */

import type {
  AdditionReply,
  DeadLetterEntry,
  StreamAddition,
  StreamRule,
  StreamStatusReply,
} from '@larder/core/store'
import { type GroupRemains, GroupTable, idOf } from './group-table.ts'
import { StreamLog } from './stream-log.ts'

/** A store drops the oldest surplus in lumps, and so does this, so that adding does not copy the whole list each time. */
const LUMP = 100
const MOST_IDS = 100_000

export class StreamTable {
  readonly #log = new StreamLog()
  readonly #groups = new Map<string, GroupTable>()
  readonly #remains = new Map<string, GroupRemains>()
  readonly #ids = new Map<string, { readonly entry: string; readonly until: number }>()
  readonly #waiting = new Set<() => void>()

  add(
    rule: StreamRule,
    messages: readonly StreamAddition[],
    now: number,
  ): readonly AdditionReply[] {
    const added = messages.map(({ id, bytes }) => {
      const known = id === undefined ? undefined : this.#ids.get(id)
      if (known !== undefined && known.until > now) return { entry: known.entry, isNew: false }
      const entry = idOf(this.#log.add(bytes, undefined, now))
      if (id !== undefined) this.#remember(id, entry, now + rule.rememberMs)
      return { entry, isNew: true }
    })
    this.#trim(rule, now)
    this.#wake()
    return added
  }

  makeGroup(group: string, from: 'start' | 'new'): boolean {
    if (this.#groups.has(group)) return false
    const readTo = from === 'new' ? this.#log.last : 0
    this.#groups.set(group, new GroupTable(this.#log, this.remainsOf(group), readTo))
    return true
  }

  group(group: string): GroupTable | undefined {
    return this.#groups.get(group)
  }

  remainsOf(group: string): GroupRemains {
    const known = this.#remains.get(group)
    if (known !== undefined) return known
    const made = { due: new Map(), dead: new Map(), marks: new Map() }
    this.#remains.set(group, made)
    return made
  }

  deadLetters(group: string, after: string | undefined, count: number): readonly DeadLetterEntry[] {
    const letters = [...this.remainsOf(group).dead.values()]
    const from = after === undefined ? 0 : letters.findIndex(({ letter }) => isAfter(letter, after))
    return from < 0 ? [] : letters.slice(from, from + count)
  }

  replay(group: string, letter: string, now: number): string | undefined {
    const { dead } = this.remainsOf(group)
    const found = dead.get(letter)
    if (found === undefined) return undefined
    dead.delete(letter)
    const entry = idOf(this.#log.add(found.bytes, group, now))
    this.#wake()
    return entry
  }

  status(group: string): StreamStatusReply {
    const { due, dead } = this.remainsOf(group)
    const none = { pending: 0, unread: undefined, consumers: 0 }
    return {
      length: this.#log.size,
      ...(this.#groups.get(group)?.status() ?? none),
      waiting: due.size,
      deadLetters: dead.size,
    }
  }

  /** Calls back once when an entry is added; returns a function that takes it back. */
  onAdded(wake: () => void): () => void {
    this.#waiting.add(wake)
    return () => void this.#waiting.delete(wake)
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  #remember(id: string, entry: string, until: number): void {
    this.#ids.delete(id)
    this.#ids.set(id, { entry, until })
    const [oldest] = this.#ids.keys()
    if (this.#ids.size > MOST_IDS && oldest !== undefined) this.#ids.delete(oldest)
  }

  #trim({ maxLength, maxAgeMs, trimsUnhandled }: StreamRule, now: number): void {
    const surplus = this.#log.size - maxLength
    const isFull = surplus >= Math.min(LUMP, maxLength)
    if (!isFull && !Number.isFinite(maxAgeMs)) return
    const unhandled = Array.from(this.#groups.values(), ({ firstUnhandled }) => firstUnhandled)
    const lowest = trimsUnhandled ? Number.POSITIVE_INFINITY : Math.min(...unhandled)
    this.#log.trim(isFull ? surplus : 0, now - maxAgeMs, lowest)
  }
}

function isAfter(letter: string, other: string): boolean {
  return Number.parseInt(letter, 10) > Number.parseInt(other, 10)
}
