/**
 * What counts of unique visitors ask of a store of boards. Up to a number of visitors they are exact, beyond it they are estimated by a
 * HyperLogLog of 2^14 registers, the standard error of which is 0.81 %.
 */

import type { PeriodRule } from './period-rule.ts'

/** What holds for these counts. */
export interface UniqueRule extends PeriodRule {
  /** Part of the store's keys. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly uniques: string
  /** A period with fewer visitors is counted exactly. 0: none is. */
  readonly exactBelow: number
}

export interface UniqueCount {
  readonly count: number
  readonly exact: boolean
}

/**
 * Several periods together are counted exactly while each of them is, and while they have no more visitors than this, those counted
 * twice who came twice.
 */
export const MOST_EXACT_UNION = 20_000

export interface UniqueSteps {
  /** Notes visitors in the present period: digests of 16 bytes, which have to look random. At most 1 000. */
  seen(rule: UniqueRule, key: string, visitors: readonly Uint8Array[]): Promise<void>
  /** How many different visitors were in the last periods together, the present one included. From 1. */
  unique(rule: UniqueRule, key: string, last: number): Promise<UniqueCount>
}
