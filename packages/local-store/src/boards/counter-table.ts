/** Counters in memory, step by step as the Redis scripts do it. Time is given with every step, ms since the epoch, so that a test can set it. */

import {
  type AddReply,
  type CounterAdd,
  type CounterRule,
  type PeriodCount,
  periodsOf,
} from '@larder/core/store'

const SWEEP_EVERY_MS = 60_000
/** What is over is dropped so much later: a clock that is set back a little finds it again. */
const DAY_MS = 86_400_000

interface Counted {
  /** By where each period begins. */
  readonly counts: Map<number, number>
  keptUntil: number
}

export class CounterTable {
  readonly #keys = new Map<string, Counted>()
  /** What each id was answered, by the key and the id. */
  readonly #done = new Map<string, { readonly total: number; readonly until: number }>()
  #sweptAt = Number.NEGATIVE_INFINITY

  add(rule: CounterRule, { key, by, id }: CounterAdd, nowMs: number): AddReply {
    this.#sweep(nowMs)
    const { starts, keptUntil } = periodsOf(rule).at(nowMs)
    const place = id === undefined ? undefined : JSON.stringify([key, id])
    const known = place === undefined ? undefined : this.#done.get(place)
    if (known !== undefined && known.until > nowMs)
      return { outcome: 'duplicate', total: known.total }
    const counted = this.#keys.get(key) ?? { counts: new Map<number, number>(), keptUntil }
    const start = starts[0] ?? 0
    const before = counted.counts.get(start) ?? 0
    const total = before + by
    if (!Number.isSafeInteger(total)) return { outcome: 'range', total: before }
    counted.counts.set(start, total)
    counted.keptUntil = Math.max(counted.keptUntil, keptUntil)
    if (counted.counts.size > rule.periods) {
      for (const from of counted.counts.keys())
        if (from < (starts.at(-1) ?? 0)) counted.counts.delete(from)
    }
    this.#keys.set(key, counted)
    if (place !== undefined) this.#done.set(place, { total, until: nowMs + rule.idMs })
    return { outcome: 'counted', total }
  }

  counts(rule: CounterRule, key: string, last: number, nowMs: number): readonly PeriodCount[] {
    const counted = this.#keys.get(key)?.counts
    const starts = periodsOf(rule).at(nowMs).starts.slice(0, last)
    return starts.map((from) => ({ from, count: counted?.get(from) ?? 0 }))
  }

  /** No timer: what grows the table also makes it smaller. A clock that was set back counts as well. */
  #sweep(nowMs: number): void {
    if (Math.abs(nowMs - this.#sweptAt) < SWEEP_EVERY_MS) return
    this.#sweptAt = nowMs
    for (const [key, { keptUntil }] of this.#keys)
      if (keptUntil + DAY_MS <= nowMs) this.#keys.delete(key)
    for (const [place, { until }] of this.#done)
      if (until + DAY_MS <= nowMs) this.#done.delete(place)
  }
}
