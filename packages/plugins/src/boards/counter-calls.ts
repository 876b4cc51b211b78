/** What both kinds of counters do: they add to a shard of a key, and read all of them. */

import { createHash } from 'node:crypto'
import { BoardRangeError } from '@larder/core'
import type { AddReply, BoardParts, BoardProvider, PeriodCount } from '@larder/core/store'
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

/** How something is added. */
interface AddCall {
  readonly id: string | undefined
  /** Also to a store that failed before. */
  readonly insists?: boolean
}

export class CounterCalls {
  readonly options: ResolvedCounterOptions
  readonly #parts: BoardParts

  constructor(parts: BoardParts, options: ResolvedCounterOptions) {
    this.#parts = parts
    this.options = options
  }

  /** @throws BoardUnavailableError */
  add(key: string, by: number, { id, insists = false }: AddCall): Promise<AddReply> {
    const { rule, timeoutMs } = this.options
    const { store } = this.#parts
    const place = placeOf(key, this.#shardOf(id))
    const call = (provider: BoardProvider): Promise<AddReply> =>
      provider.add(rule, { key: place, by, id })
    return insists ? store.insist('add', timeoutMs, call) : store.ask('add', timeoutMs, call)
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
    return first.map(({ from }) => ({ from, count: this.#sum(countsAt(all, from)) }))
  }

  /** The counts of periods as one. @throws BoardRangeError */
  total(counts: readonly PeriodCount[]): number {
    return this.#sum(counts.map(({ count }) => count))
  }

  /** As integers of any size: a sum may go beyond the range of exact numbers and come back. */
  #sum(counts: readonly number[]): number {
    const sum = Number(counts.reduce((all, count) => all + BigInt(count), 0n))
    if (Number.isSafeInteger(sum)) return sum
    throw new BoardRangeError(`the counter ${this.options.rule.counter}`)
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

function countsAt(all: readonly (readonly PeriodCount[])[], from: number): readonly number[] {
  return all.map((counts) => counts.find((count) => count.from === from)?.count ?? 0)
}

interface Asked {
  readonly options: CountOptions
  readonly where: string
}

/** @throws BoardUnavailableError; BoardRangeError; InvalidOptionError; so does `totalOf` */
export async function seriesOf(
  calls: CounterCalls,
  key: CounterKey,
  asked: Asked,
): Promise<readonly Counted[]> {
  const counts = await countsOf(calls, key, asked)
  return counts.map(({ from, count }) => ({ from: new Date(from), count }))
}

export async function totalOf(calls: CounterCalls, key: CounterKey, asked: Asked): Promise<number> {
  return calls.total(await countsOf(calls, key, asked))
}

function countsOf(
  calls: CounterCalls,
  key: CounterKey,
  { options, where }: Asked,
): Promise<readonly PeriodCount[]> {
  const name = nameText(key, `${where}.key`)
  const last = resolveLast(options, { periods: calls.options.rule.periods, where })
  return calls.counts(name, last)
}
