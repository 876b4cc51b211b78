/** A partition's head and log: which keys changed under which sequence number. */

import type { PartitionChanges } from '../../contracts/remote-store.ts'
import { mint } from './mint.ts'

/** How many changes a log remembers. */
export const LOG_CAP = 512

interface LogItem {
  readonly seq: number
  readonly key: string
}

/** Everything that is lost together when a server loses a partition's bookkeeping. */
export class PartitionLog {
  #seq: number
  /** Changes up to this number may be missing from the log. */
  #floor: number
  #items: readonly LogItem[]

  /** A partition begins with a number nobody has seen before; what was before it is unknown. */
  constructor(nowUs: number) {
    this.#seq = nowUs
    this.#floor = nowUs
    this.#items = []
  }

  get seq(): number {
    return this.#seq
  }

  /** How many changes are remembered. */
  get size(): number {
    return this.#items.length
  }

  /** Mints the next number and logs the keys under it. */
  record(
    keys: readonly string[],
    nowUs: number,
  ): { readonly previous: number; readonly seq: number } {
    const previous = this.#seq
    const seq = mint(previous, nowUs)
    const added = [...new Set(keys)].sort(byBytes).map((key) => ({ seq, key }))
    const items = [...this.#items, ...added]
    const excess = Math.max(0, items.length - LOG_CAP)
    this.#floor = items[excess - 1]?.seq ?? this.#floor
    this.#items = items.slice(excess)
    this.#seq = seq
    return { previous, seq }
  }

  changesSince(seq: number): PartitionChanges {
    if (seq === this.#seq) return { kind: 'delta', seq: this.#seq, keys: [], numbers: [] }
    if (!this.#reachesBack(seq)) return { kind: 'unknown', seq: this.#seq }
    const later = this.#items.filter((item) => item.seq > seq)
    return {
      kind: 'delta',
      seq: this.#seq,
      keys: later.map(({ key }) => key),
      numbers: later.map((item) => item.seq),
    }
  }

  /** Tells whether the key was changed after `since`, or may have been. */
  mayHaveChanged(key: string, since: number): boolean {
    if (!this.#reachesBack(since)) return true
    return this.#items.some((item) => item.seq > since && item.key === key)
  }

  /** Only a number that was minted here shows that it belongs to this history: one between two others could come from a lost one. */
  #reachesBack(seq: number): boolean {
    if (seq === this.#seq || seq === this.#floor) return true
    return seq > this.#floor && this.#items.some((item) => item.seq === seq)
  }

  copy(): PartitionLog {
    const copy = new PartitionLog(this.#seq)
    copy.#floor = this.#floor
    copy.#items = this.#items
    return copy
  }
}

/** The order in which servers that store text as UTF-8 sort it. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
