/** What both kinds of counters do: they add to a shard of a key, and read all of them. */

import { createHash } from 'node:crypto'
import type { AddReply, BoardParts, PeriodCount } from '@larder/core/store'
import { nameText } from './common-options.ts'
import { type CountOptions, type ResolvedCounterOptions, resolveLast } from './counter-options.ts'

/** What is counted: a text, or a number, which is the same as its digits. */
export type CounterKey = string | number

/** The count of one period. */
export interface Counted {
  /** When it began; without periods, 1970. */
  readonly from: Date
  readonly count: number
}

export class CounterCalls {
  readonly options: ResolvedCounterOptions
  readonly #parts: BoardParts

  constructor(parts: BoardParts, options: ResolvedCounterOptions) {
    this.#parts = parts
    this.options = options
  }

  /** @throws BoardUnavailableError */
  add(key: string, by: number, id: string | undefined): Promise<AddReply> {
    const { rule, timeoutMs } = this.options
    const place = placeOf(key, this.#shardOf(id))
    return this.#parts.store.ask('add', timeoutMs, (provider) =>
      provider.add(rule, { key: place, by, id }),
    )
  }

  /** The last periods, the present one first. @throws BoardUnavailableError */
  async counts(key: string, last: number): Promise<readonly PeriodCount[]> {
    const { rule, timeoutMs, shards } = this.options
    const all = await Promise.all(
      Array.from({ length: shards }, (_, shard) =>
        this.#parts.store.ask('counts', timeoutMs, (provider) =>
          provider.counts(rule, placeOf(key, shard), last),
        ),
      ),
    )
    const [first = []] = all
    // Two shards may have been read on both sides of an edge of periods.
    return first.map(({ from }) => ({ from, count: sumOf(all, from) }))
  }

  /** An id always has the same shard, because only that one remembers it. */
  #shardOf(id: string | undefined): number {
    const { shards } = this.options
    if (shards === 1) return 0
    if (id === undefined) return Math.floor(Math.random() * shards)
    return createHash('sha256').update(id).digest().readUInt32BE(0) % shards
  }
}

/** Without shards it is the first one, so that shards can be added later. */
function placeOf(key: string, shard: number): string {
  return `${shard}:${key}`
}

function sumOf(all: readonly (readonly PeriodCount[])[], from: number): number {
  let sum = 0
  for (const counts of all) sum += counts.find((count) => count.from === from)?.count ?? 0
  return sum
}

/** @throws BoardUnavailableError; InvalidOptionError */
export async function countsOf(
  calls: CounterCalls,
  key: CounterKey,
  { options, where }: { readonly options: CountOptions; readonly where: string },
): Promise<readonly Counted[]> {
  const name = nameText(key, `${where}.key`)
  const last = resolveLast(options, { periods: calls.options.rule.periods, where })
  const counts = await calls.counts(name, last)
  return counts.map(({ from, count }) => ({ from: new Date(from), count }))
}

export function totalOf(counts: readonly Counted[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0)
}
