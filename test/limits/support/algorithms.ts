/** Every limit algorithm as a row of a table: its policy, and what it promises. */

import type { LimitPolicy } from '@larder/core/store'
import { densestWindow, type Entry } from './history.ts'
import { calendar, concurrency, exact, fixed, HOUR_US, SECOND_US, sliced, smooth } from './rules.ts'

/** The window of all of them but the calendar's. */
export const W = 10 * SECOND_US

export interface Algorithm {
  readonly name: string
  policy(limit: number): LimitPolicy
  /** The most that may count at once. */
  most(limit: number): number
  /** The most a call may cost. */
  capacity(limit: number): number
  /** What counts when the latest of these was let in, with it; they are in the order of their times. */
  counted(entries: readonly Entry[]): number
  /** How long it can take until a key is as good as new. */
  readonly memoryUs: number
  /** A call can wait for its turn. */
  readonly canWait: boolean
  /** Points can be given back without saying whose. */
  readonly hasPoints: boolean
}

const WINDOWED = {
  most: (limit: number) => limit,
  capacity: (limit: number) => limit,
  counted: (entries: readonly Entry[]) => inWindow(entries, W),
  memoryUs: W,
  canWait: true,
  hasPoints: true,
}

const hardBurst = (limit: number): number => Math.max(1, Math.floor(limit / 2))

export const ALGORITHMS: readonly Algorithm[] = [
  { ...WINDOWED, name: 'exact', policy: (limit) => exact(limit, W) },
  { ...WINDOWED, name: 'window', policy: (limit) => sliced(limit, W, 6), memoryUs: 2 * W },
  {
    ...WINDOWED,
    name: 'window of one slice',
    policy: (limit) => sliced(limit, W, 1),
    memoryUs: 3 * W,
  },
  {
    ...WINDOWED,
    name: 'smooth',
    policy: (limit) => smooth(limit, W),
    most: (limit) => 2 * limit - 1,
    memoryUs: 2 * W,
  },
  {
    ...WINDOWED,
    name: 'smooth hard',
    policy: (limit) => {
      const burst = hardBurst(limit)
      return smooth(limit, W, { burst, intervalUs: Math.ceil(W / (limit - burst + 1)) })
    },
    capacity: hardBurst,
    memoryUs: 2 * W,
  },
  {
    ...WINDOWED,
    name: 'fixed',
    policy: (limit) => fixed(limit, W),
    counted: inFixedPeriod,
  },
  {
    ...WINDOWED,
    name: 'calendar',
    policy: (limit) => calendar(limit, 'hour'),
    counted: (entries) => {
      const hourOf = ({ atUs }: Entry): number => Math.floor(atUs / HOUR_US)
      const last = entries.at(-1)
      return last === undefined
        ? 0
        : sumOf(entries.filter((entry) => hourOf(entry) === hourOf(last)))
    },
    memoryUs: HOUR_US,
  },
  {
    ...WINDOWED,
    name: 'concurrency',
    policy: (limit) => concurrency(limit, W),
    canWait: false,
    hasPoints: false,
  },
]

/** The most that ever counted, whatever the order they are in. */
export function mostCounted({ counted }: Algorithm, entries: readonly Entry[]): number {
  const sorted = [...entries].sort((a, b) => a.atUs - b.atUs)
  return Math.max(0, ...sorted.map((_, i) => counted(sorted.slice(0, i + 1))))
}

function inWindow(entries: readonly Entry[], windowUs: number): number {
  const last = entries.at(-1)?.atUs ?? 0
  return densestWindow(
    entries.filter(({ atUs }) => atUs > last - windowUs),
    windowUs,
  )
}

/** A period begins with the first one after the last period. */
function inFixedPeriod(entries: readonly Entry[]): number {
  let start = Number.NEGATIVE_INFINITY
  let sum = 0
  for (const { atUs, cost } of entries) {
    if (atUs >= start + W) [start, sum] = [atUs, 0]
    sum += cost
  }
  return sum
}

function sumOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { cost }) => sum + cost, 0)
}
