/** Unique visitors in memory, step by step as the Redis scripts do it. Time is given with every step, ms since the epoch. */

import { MOST_EXACT_UNION, periodsOf, type UniqueCount, type UniqueRule } from '@larder/core/store'
import { HyperLogLog } from './hyper-log-log.ts'

/** What is over is dropped so much later: a clock that is set back a little finds it again. */
const DAY_MS = 86_400_000
const SWEEP_EVERY_MS = 60_000

interface Visits {
  /** The digests of visitors, while they are few. */
  readonly few: Set<string>
  many: HyperLogLog | undefined
  keptUntil: number
}

export class UniqueTable {
  /** By key, and where each period begins. */
  readonly #keys = new Map<string, Map<number, Visits>>()
  #sweptAt = Number.NEGATIVE_INFINITY

  seen(
    rule: UniqueRule,
    key: string,
    { visitors, nowMs }: { readonly visitors: readonly Uint8Array[]; readonly nowMs: number },
  ): void {
    this.#sweep(nowMs)
    const { starts, keptUntil } = periodsOf(rule).at(nowMs)
    const periods = this.#keys.get(key) ?? new Map<number, Visits>()
    this.#keys.set(key, periods)
    const start = starts[0] ?? 0
    const visits = periods.get(start) ?? { few: new Set(), many: undefined, keptUntil }
    periods.set(start, visits)
    visits.keptUntil = Math.max(visits.keptUntil, keptUntil)
    for (const visitor of visitors) {
      const digest = Buffer.from(visitor)
      if (visits.many === undefined) visits.few.add(digest.toString('latin1'))
      else visits.many.add(digest)
    }
    if (visits.many !== undefined || visits.few.size < rule.exactBelow) return
    visits.many = logOf([visits])
    visits.few.clear()
  }

  unique(rule: UniqueRule, key: string, at: { last: number; nowMs: number }): UniqueCount {
    const periods = this.#keys.get(key)
    const starts = periodsOf(rule).at(at.nowMs).starts.slice(0, at.last)
    const visits = starts.flatMap((start) => periods?.get(start) ?? [])
    const total = visits.reduce((sum, { few }) => sum + few.size, 0)
    const isExact = visits.every(({ many }) => many === undefined)
    if (isExact && (at.last === 1 || total <= MOST_EXACT_UNION)) {
      const count = new Set(visits.flatMap(({ few }) => [...few])).size
      return { count, exact: true }
    }
    return { count: logOf(visits).count(), exact: false }
  }

  /** No timer: what grows the table also makes it smaller. Not at each call, which would go through all keys. */
  #sweep(nowMs: number): void {
    if (Math.abs(nowMs - this.#sweptAt) < SWEEP_EVERY_MS) return
    this.#sweptAt = nowMs
    for (const [key, periods] of this.#keys) {
      for (const [start, { keptUntil }] of periods)
        if (keptUntil + DAY_MS <= nowMs) periods.delete(start)
      if (periods.size === 0) this.#keys.delete(key)
    }
  }
}

function logOf(visits: readonly Visits[]): HyperLogLog {
  const log = new HyperLogLog()
  for (const { few, many } of visits) {
    for (const digest of few) log.add(Buffer.from(digest, 'latin1'))
    if (many !== undefined) log.merge(many)
  }
  return log
}
