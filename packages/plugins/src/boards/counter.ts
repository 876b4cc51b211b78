/** Counters over a cache manager's store: how often something happened, by periods of a calendar. */

import { BoardRangeError, type CacheManager } from '@larder/core'
import type { BoardParts } from '@larder/core/store'
import { BufferedCounter } from './buffered-counter.ts'
import { boardPartsOf, nameText } from './common-options.ts'
import { type Counted, CounterCalls, type CounterKey, seriesOf, totalOf } from './counter-calls.ts'
import {
  type AddOptions,
  assertAdd,
  type BufferedCounterOptions,
  type CounterOptions,
  type CountOptions,
  type ResolvedCounterOptions,
  resolveCounterOptions,
} from './counter-options.ts'

/** What came of adding. */
export interface Added {
  /** The count of the present period; of a duplicate, what the first call was told; `undefined` with shards. */
  readonly total: number | undefined
  /** The same `id` had been counted already. */
  readonly isDuplicate: boolean
}

/**
 * Creates a counter that is kept in the store of a manager: the remote one, or without one in this process. With `buffer` it adds up in
 * this process first; see `BufferedCounter` for what is lost then.
 *
 * @throws InvalidOptionError when an option is unknown or wrong, or when no store of the manager keeps counters; ClosedError
 * @example
 * const hits = createCounter(caches, { name: 'hits', per: 'day', periods: 7 })
 * await hits.add('home', 1, { id: request.id })
 * const week = await hits.count('home', { last: 7 })
 */
export function createCounter(
  caches: CacheManager,
  options: BufferedCounterOptions,
): BufferedCounter
export function createCounter(caches: CacheManager, options: CounterOptions): Counter
export function createCounter(
  caches: CacheManager,
  options: CounterOptions | BufferedCounterOptions,
): Counter | BufferedCounter {
  const parts = boardPartsOf(caches, 'createCounter')
  const resolved = resolveCounterOptions(options)
  const { bufferMs } = resolved
  if (bufferMs === undefined) return new Counter(parts, resolved)
  return new BufferedCounter(parts, new CounterCalls(parts, resolved), bufferMs)
}

export class Counter {
  readonly #calls: CounterCalls

  /** Use `createCounter`. */
  constructor(parts: BoardParts, options: ResolvedCounterOptions) {
    this.#calls = new CounterCalls(parts, options)
  }

  /**
   * Adds to the present period; below zero it takes away.
   *
   * @throws BoardUnavailableError: it may have been counted or not; with an `id`, call again. BoardRangeError; InvalidOptionError
   */
  async add(key: CounterKey, by = 1, options: AddOptions = {}): Promise<Added> {
    const name = nameText(key, 'counter.add.key')
    assertAdd(by, options, 'counter.add')
    const id = options.id === undefined ? undefined : nameText(options.id, 'counter.add.id')
    const { rule, shards } = this.#calls.options
    const { total, outcome } = await this.#calls.add(name, by, { id })
    if (outcome === 'range') throw new BoardRangeError(`the counter ${rule.counter}`)
    return { total: shards === 1 ? total : undefined, isDuplicate: outcome === 'duplicate' }
  }

  /** Returns the count, of the present period or of the last ones together. @throws BoardUnavailableError; BoardRangeError; InvalidOptionError */
  async count(key: CounterKey, options: CountOptions = {}): Promise<number> {
    return totalOf(this.#calls, key, { options, where: 'counter.count' })
  }

  /** Returns the counts of the last periods, the present one first. @throws as `count` */
  async series(key: CounterKey, options: CountOptions = {}): Promise<readonly Counted[]> {
    return seriesOf(this.#calls, key, { options, where: 'counter.series' })
  }
}
