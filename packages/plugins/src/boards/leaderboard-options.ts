/** The options of a leaderboard and of its calls, and their checks. */

import { type Duration, InvalidOptionError } from '@larder/core'
import {
  assertInteger,
  assertKnownOptions,
  assertOneOf,
  type BoardRule,
  type BoardView,
  optionNames,
  orDefault,
  parseDuration,
} from '@larder/core/store'
import { type PeriodOptions, resolvePeriodOptions } from './common-options.ts'

export interface LeaderboardOptions extends PeriodOptions {
  /**
   * What counts of a member's scores: the highest, the lowest or the last one, or their sum. A sum is not idempotent: after a
   * `BoardUnavailableError` it may have grown or not. @default 'max'
   */
  readonly update?: 'max' | 'min' | 'last' | 'add' | undefined
  /** Which score is on top. @default 'lowest' with `update: 'min'`, otherwise 'highest' */
  readonly best?: 'highest' | 'lowest' | undefined
  /** Of equal scores, the one that was reached first or last is on top; two members never share an ordinal rank. @default 'first' */
  readonly ties?: 'first' | 'last' | undefined
  /**
   * How many members each period keeps. Beyond it the worst one goes and its score is forgotten, so with `update: 'add'` it would begin
   * again from 0. 1 to 1 000 000. @default 100_000
   */
  readonly keep?: number | undefined
  /** How many decimals scores have. A score with more of them is refused. 0 to 9. @default 0 */
  readonly decimals?: number | undefined
  /**
   * How old the answer of a merge of several periods may be. A merge goes through all members of these periods; with this, it does so
   * once for all who ask meanwhile. 0 to 1 h. @default 0
   */
  readonly mergeMaxAge?: Duration | undefined
}

/** How places are counted: 1 2 3 4 (`ordinal`), 1 2 2 4 (`standard`) or 1 2 2 3 (`dense`). */
export type RankKind = 'ordinal' | 'standard' | 'dense'

/** Which periods a call is about. */
export interface ViewOptions {
  /** 0: the present period, 1: the one before. `ago` + `merge` is at most `periods`. @default 0 */
  readonly ago?: number | undefined
  /** How many periods are shown as one board, that one and those before it: scores are put together as `update` says. From 1. @default 1 */
  readonly merge?: number | undefined
}

/** What calls that return ranks may be told. */
export interface RankOptions extends ViewOptions {
  /** How places are counted: `ordinal` 1 2 3 4, `standard` 1 2 2 4, `dense` 1 2 2 3. @default 'standard' */
  readonly kind?: RankKind | undefined
}

/** What `top` may be told. */
export interface TopOptions extends RankOptions {
  /** How many from the top are left out: for pages. @default 0 */
  readonly skip?: number | undefined
}

const NAMES = optionNames<LeaderboardOptions>({
  name: true,
  per: true,
  timeZone: true,
  periods: true,
  storeTimeout: true,
  update: true,
  best: true,
  ties: true,
  keep: true,
  decimals: true,
  mergeMaxAge: true,
})
const VIEW_NAMES = optionNames<ViewOptions>({ ago: true, merge: true })
const TOP_NAMES = optionNames<TopOptions>({ ago: true, merge: true, kind: true, skip: true })
const RANK_NAMES = optionNames<RankOptions>({ ago: true, merge: true, kind: true })

/** The defaults. */
export const LEADERBOARD_DEFAULTS = {
  update: 'max',
  ties: 'first',
  keep: 100_000,
  decimals: 0,
  mergeMaxAge: 0,
} as const satisfies Partial<LeaderboardOptions>

const WHERE = 'createLeaderboard'
const HOUR_MS = 3_600_000
const MOST_KEPT = 1_000_000
const MOST_DECIMALS = 9
/** Of a score with decimals, relative to it: four of its last bits. */
const MOST_ERROR = 2 ** -50
/** And in units of the last decimal. */
const MOST_ERROR_IN_UNITS = 0.05
const KINDS: readonly RankKind[] = ['ordinal', 'standard', 'dense']
/** No page of a board is longer, nor begins further down. */
export const MOST_PLACES = 10_000

export interface ResolvedLeaderboardOptions {
  readonly rule: BoardRule
  readonly timeoutMs: number
  readonly mergeMaxAgeMs: number
  readonly decimals: number
}

/** @throws InvalidOptionError naming the first option that is unknown or wrong */
export function resolveLeaderboardOptions(options: LeaderboardOptions): ResolvedLeaderboardOptions {
  assertKnownOptions(options, NAMES, WHERE)
  const { name, rule, timeoutMs } = resolvePeriodOptions(options, WHERE)
  const update = orDefault(options.update, LEADERBOARD_DEFAULTS.update)
  assertOneOf(update, ['max', 'min', 'last', 'add'], `${WHERE}.update`)
  const best = orDefault(options.best, update === 'min' ? 'lowest' : 'highest')
  assertOneOf(best, ['highest', 'lowest'], `${WHERE}.best`)
  const ties = orDefault(options.ties, LEADERBOARD_DEFAULTS.ties)
  assertOneOf(ties, ['first', 'last'], `${WHERE}.ties`)
  const keep = orDefault(options.keep, LEADERBOARD_DEFAULTS.keep)
  assertInteger(keep, `${WHERE}.keep`, { min: 1, max: MOST_KEPT })
  const decimals = orDefault(options.decimals, LEADERBOARD_DEFAULTS.decimals)
  assertInteger(decimals, `${WHERE}.decimals`, { min: 0, max: MOST_DECIMALS })
  const maxAge = orDefault(options.mergeMaxAge, LEADERBOARD_DEFAULTS.mergeMaxAge)
  const mergeMaxAgeMs = parseDuration(maxAge, `${WHERE}.mergeMaxAge`, { max: HOUR_MS })
  return {
    rule: { ...rule, board: name, update, best, ties, keep, decimals },
    timeoutMs,
    mergeMaxAgeMs,
    decimals,
  }
}

export interface ResolvedTopOptions {
  readonly view: BoardView
  readonly kind: RankKind
  readonly skip: number
}

/** @throws InvalidOptionError */
export function resolveTopOptions(
  { rule, mergeMaxAgeMs }: ResolvedLeaderboardOptions,
  given: TopOptions,
  where: string,
): ResolvedTopOptions {
  const names = { top: TOP_NAMES, count: VIEW_NAMES, score: VIEW_NAMES }[where] ?? RANK_NAMES
  const at = `leaderboard.${where}`
  assertKnownOptions(given, names, at)
  const { periods } = rule
  const ago = orDefault(given.ago, 0)
  assertInteger(ago, `${at}.ago`, { min: 0, max: periods - 1 })
  const merge = orDefault(given.merge, 1)
  assertInteger(merge, `${at}.merge`, { min: 1, max: periods - ago })
  const kind = orDefault(given.kind, 'standard')
  assertOneOf(kind, KINDS, `${at}.kind`)
  const skip = orDefault(given.skip, 0)
  assertInteger(skip, `${at}.skip`, { min: 0, max: MOST_KEPT })
  return { view: { ago, merge, maxAgeMs: mergeMaxAgeMs }, kind, skip }
}

/**
 * A score as a whole number of its last decimal.
 *
 * @throws InvalidOptionError for NaN, an infinity, -0, what has more decimals, and what is beyond the range of exact numbers
 */
export function scaledScore(score: unknown, decimals: number, option: string): number {
  const scale = 10 ** decimals
  if (typeof score === 'number' && !Object.is(score, -0)) {
    const scaled = Math.round(score * scale) + 0
    if (Number.isSafeInteger(scaled) && isNear(score, scaled, scale)) return scaled
  }
  const most = Number.MAX_SAFE_INTEGER / scale
  const digits = decimals === 0 ? 'a whole number' : `a number with at most ${decimals} decimals`
  const expected = `${digits} from ${-most} to ${most}, and not -0`
  throw new InvalidOptionError({ option, expected, received: score })
}

/**
 * Whether a score is meant to be this many units of its last decimal, and no other number of them.
 *
 * A sum such as 0.1 + 0.2 is off by some of its last bits, and has one decimal all the same. Its error must stay far below one unit, or a
 * large score with more decimals would pass for one that was rounded. Close to the end of the range, several numbers of units are one
 * floating-point number; it is unknown which one was meant.
 */
function isNear(score: number, scaled: number, scale: number): boolean {
  if (scale === 1) return scaled === score
  const error = Math.abs(scaled / scale - score)
  const most = Math.min(Math.abs(score) * MOST_ERROR, MOST_ERROR_IN_UNITS / scale)
  const isAlone = (scaled + 1) / scale !== score && (scaled - 1) / scale !== score
  return error <= most && isAlone
}
