/** Leaderboards, counters and unique visitors over a cache manager's store. */

export { BufferedCounter } from './buffered-counter.ts'
export type { PeriodOptions } from './common-options.ts'
export { type Added, Counter, createCounter } from './counter.ts'
export type { Counted, CounterKey } from './counter-calls.ts'
export type {
  AddOptions,
  BufferedCounterOptions,
  CounterOptions,
  CountOptions,
} from './counter-options.ts'
export {
  type BoardMember,
  createLeaderboard,
  Leaderboard,
  type Place,
  type Submitted,
} from './leaderboard.ts'
export type {
  LeaderboardOptions,
  RankKind,
  RankOptions,
  TopOptions,
  ViewOptions,
} from './leaderboard-options.ts'
export type { UniquesOptions } from './unique-options.ts'
export { createUniques, Uniques, type Visitor } from './uniques.ts'
