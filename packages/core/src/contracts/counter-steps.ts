/** What counters ask of a store of boards: atomic steps over the counts of one key. Counts are whole numbers within ±(2^53 - 1). */

import type { PeriodRule } from './period-rule.ts'

/** What holds for a counter. */
export interface CounterRule extends PeriodRule {
  /** Part of the store's keys. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly counter: string
  /** How long an id is remembered, ms. */
  readonly idMs: number
}

export interface CounterAdd {
  /** What is counted: any text. */
  readonly key: string
  readonly by: number
  /** Of two calls with one id, the second one counts nothing. Any text. */
  readonly id: string | undefined
}

export interface AddReply {
  /** The count of the present period; of a duplicate, what the first call was answered. */
  readonly total: number
  /** `range`: it would be beyond ±(2^53 - 1), and nothing was changed. */
  readonly outcome: 'counted' | 'duplicate' | 'range'
}

/** The count of one period. */
export interface PeriodCount {
  /** Where it begins, ms since the epoch; 0 without periods. */
  readonly from: number
  readonly count: number
}

export interface CounterSteps {
  /** Adds to the present period. */
  add(rule: CounterRule, add: CounterAdd): Promise<AddReply>
  /** The counts of the last periods, the present one first: as many as asked for, at most those that are kept. */
  counts(rule: CounterRule, key: string, last: number): Promise<readonly PeriodCount[]>
}
