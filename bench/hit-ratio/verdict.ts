/** Is a policy at least as good as LRU on every trace at every size, and better on most? */

import type { Target } from '../report.ts'
import { type Measured, UPPER_BOUND } from './measure.ts'

export interface Verdict {
  readonly policy: string
  /** Traces times sizes. */
  readonly cells: number
  /** Cells where it is further ahead of LRU than what we call equal. */
  readonly better: number
  readonly worse: number
  /** Points of hit ratio over LRU, in the mean and where it does worst. */
  readonly mean: number
  readonly worst: number
  readonly worstAt: string
  readonly isNeverWorse: boolean
  readonly isBetterOnMost: boolean
}

/** Points of hit ratio that a difference must exceed to be one. */
export const EQUAL_WITHIN = 0.2

export function verdicts(measured: readonly Measured[]): readonly Verdict[] {
  const names = measured[0]?.rows.slice(1).map(({ policy }) => policy) ?? []
  return names.filter((name) => name !== UPPER_BOUND).map((name) => verdictOf(name, measured))
}

/** What one policy has to reach over all traces (P18). */
export function hitRatioTargets(measured: readonly Measured[], policy: string): readonly Target[] {
  const { mean, worst, worstAt } = verdictOf(policy, measured)
  return [
    {
      id: 'P18',
      what: `${policy}, points over LRU, worst (${worstAt})`,
      measured: worst,
      atLeast: -1,
    },
    { id: 'P18', what: `${policy}, points over LRU, mean`, measured: mean, atLeast: 3 },
  ]
}

/** Points over LRU, one for each size. */
export function pointsOverLru({ rows }: Measured, policy: string): readonly number[] {
  const base = rows[0]?.ratios ?? []
  const ratios = rows.find((row) => row.policy === policy)?.ratios ?? []
  return ratios.map((ratio, i) => (ratio - (base[i] ?? Number.NaN)) * 100)
}

function verdictOf(policy: string, measured: readonly Measured[]): Verdict {
  const cells = measured.flatMap((each) =>
    pointsOverLru(each, policy).map((points, i) => ({
      points,
      where: `${each.trace}, ${each.sizes[i]}`,
    })),
  )
  const worst = cells.reduce((low, cell) => (cell.points < low.points ? cell : low))
  const better = cells.filter(({ points }) => points > EQUAL_WITHIN).length
  const worse = cells.filter(({ points }) => points < -EQUAL_WITHIN).length
  return {
    policy,
    cells: cells.length,
    better,
    worse,
    mean: cells.reduce((sum, { points }) => sum + points, 0) / cells.length,
    worst: worst.points,
    worstAt: worst.where,
    isNeverWorse: worse === 0,
    isBetterOnMost: better > cells.length / 2,
  }
}
