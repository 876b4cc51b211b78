/** Runs seeds one after the other, and says what came of them. */

import { type Run, simulate } from './simulate.ts'

export interface SeedRange {
  readonly from: number
  readonly count: number
  /** Every how manieth seed; for several processes that share a range. @default 1 */
  readonly step?: number | undefined
}

export interface SeedsOptions {
  /** All of them, whatever fails. @default false */
  readonly goesOn?: boolean
  /** The size of every fleet. @default what each seed draws */
  readonly nodes?: number | undefined
  readonly onSeed?: (run: Run) => void
}

export interface SeedsOutcome {
  readonly count: number
  readonly turns: number
  /** The runs that went against the protocol. */
  readonly failures: readonly Run[]
}

/** Runs seeds until one fails, or all of them. */
export async function runSeeds(
  { from, count, step = 1 }: SeedRange,
  options: SeedsOptions = {},
): Promise<SeedsOutcome> {
  const failures: Run[] = []
  let turns = 0
  let done = 0
  for (let seed = from; seed < from + count; seed += step) {
    const run = await simulate(seed, options.nodes)
    done += 1
    turns += run.turns
    if (run.violation !== undefined) failures.push(run)
    options.onSeed?.(run)
    if (failures.length > 0 && options.goesOn !== true) break
  }
  return { count: done, turns, failures }
}
