/** Leaderboards over a cache manager's store. */

export type { PeriodOptions } from './common-options.ts'
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
