/** Leaderboards over a cache manager's store: who has which place, by scores that anybody submits. */

import { BoardRangeError, type CacheManager, InvalidOptionError } from '@larder/core'
import {
  assertInteger,
  type BoardPart,
  type BoardParts,
  type BoardPlace,
  type BoardProvider,
  type BoardReply,
  type BoardScore,
  type BoardView,
  type SubmitReply,
} from '@larder/core/store'
import { boardPartsOf, nameText } from './common-options.ts'
import {
  type LeaderboardOptions,
  MOST_PLACES,
  type RankKind,
  type RankOptions,
  type ResolvedLeaderboardOptions,
  resolveLeaderboardOptions,
  resolveTopOptions,
  scaledScore,
  type TopOptions,
  type ViewOptions,
} from './leaderboard-options.ts'

/** Who has a place: a text, or a number, which is the same as its digits. */
export type BoardMember = string | number

/** A place on a board. */
export interface Place {
  readonly member: string
  readonly score: number
  /** From 1. */
  readonly rank: number
}

/** What came of a score. */
export interface Submitted {
  /** The score that counts for the member from now on. */
  readonly score: number
  /** The one before, in this period. */
  readonly previous: number | undefined
  /** False when there was no room for it among better ones; see `keep`. */
  readonly isKept: boolean
}

const MOST_AT_ONCE = 1_000

/**
 * Creates a leaderboard that is kept in the store of a manager: the remote one, or without one in this process.
 *
 * @throws InvalidOptionError when an option is unknown or wrong, or when no store of the manager keeps boards; ClosedError
 * @example
 * const board = createLeaderboard(caches, { name: 'weekly', per: 'week', timeZone: 'Europe/Berlin', periods: 4 })
 * await board.submit('ada', 120)
 * const month = await board.top(10, { merge: 4 })
 */
export function createLeaderboard(caches: CacheManager, options: LeaderboardOptions): Leaderboard {
  const parts = boardPartsOf(caches, 'createLeaderboard')
  return new Leaderboard(parts, resolveLeaderboardOptions(options))
}

export class Leaderboard {
  readonly #parts: BoardParts
  readonly #options: ResolvedLeaderboardOptions

  /** Use `createLeaderboard`. */
  constructor(parts: BoardParts, options: ResolvedLeaderboardOptions) {
    this.#parts = parts
    this.#options = options
  }

  /**
   * Takes a score for the present period.
   *
   * @throws InvalidOptionError for what is not an exact score; BoardRangeError when a sum would not be one; BoardOptionsError where the
   *   board is kept by other options; BoardUnavailableError
   */
  async submit(member: BoardMember, score: number): Promise<Submitted> {
    const taken = this.#taken(member, score, 'leaderboard.submit')
    const [submitted] = await this.#submit([taken])
    return this.#submitted(submitted)
  }

  /**
   * Takes many scores in one step, in their order: at most 1 000 pairs of a member and a score. Either all are taken, or, when one is
   * not an exact score, none.
   *
   * @throws as `submit`; a `BoardRangeError` is of one sum, and the others were taken
   */
  async submitMany(
    scores: Iterable<readonly [member: BoardMember, score: number]>,
  ): Promise<readonly Submitted[]> {
    const option = 'leaderboard.submitMany'
    const taken = atMost(scores, MOST_AT_ONCE, `${option}.scores`).map((pair, i) => {
      const [member, score] = Array.isArray(pair) ? pair : []
      return this.#taken(member, score, `${option}[${i}]`)
    })
    if (taken.length === 0) return []
    return (await this.#submit(taken)).map((reply) => this.#submitted(reply))
  }

  /**
   * Returns the place of a member; `undefined` when it has none.
   *
   * @throws InvalidOptionError; BoardOptionsError; BoardUnavailableError; so do all of these
   */
  async rank(member: BoardMember, options: RankOptions = {}): Promise<number | undefined> {
    const [place] = (await this.#around(member, 0, { options, where: 'rank' })).places
    return place?.rank
  }

  /** Returns the score of a member; `undefined` when it has none, which 0 is not. */
  async score(member: BoardMember, options: ViewOptions = {}): Promise<number | undefined> {
    const [place] = (await this.#around(member, 0, { options, where: 'score' })).places
    return place?.score
  }

  /**
   * Returns a member with those above and below it, `each` on each side as far as there are so many. Empty when the member has no
   * place. At most 5 000.
   */
  async around(
    member: BoardMember,
    each: number,
    options: RankOptions = {},
  ): Promise<readonly Place[]> {
    assertInteger(each, 'leaderboard.around.each', { min: 0, max: MOST_PLACES / 2 })
    return (await this.#around(member, each, { options, where: 'around' })).places
  }

  /** Returns the best ones, at most 10 000. */
  async top(count: number, options: TopOptions = {}): Promise<readonly Place[]> {
    assertInteger(count, 'leaderboard.top.count', { min: 0, max: MOST_PLACES })
    const { view, kind, skip } = resolveTopOptions(this.#options, options, 'top')
    const { places } = await this.#look(view, { kind: 'range', skip, take: count })
    return places.map((place) => this.#placeOf(place, kind))
  }

  /** Returns how many members have a place. */
  async count(options: ViewOptions = {}): Promise<number> {
    const { view } = resolveTopOptions(this.#options, options, 'count')
    return (await this.#look(view, { kind: 'range', skip: 0, take: 0 })).count
  }

  /**
   * Removes a member from all periods that are kept. A merge that was made before may show it for `mergeMaxAge`.
   *
   * @returns whether it had a place in one
   */
  async remove(member: BoardMember): Promise<boolean> {
    const name = nameText(member, 'leaderboard.remove.member')
    const { rule } = this.#options
    return (await this.#ask('remove', (provider) => provider.remove(rule, name))) > 0
  }

  async #around(
    member: BoardMember,
    each: number,
    { options, where }: { readonly options: RankOptions; readonly where: string },
  ): Promise<{ readonly places: readonly Place[] }> {
    const name = nameText(member, `leaderboard.${where}.member`)
    const { view, kind } = resolveTopOptions(this.#options, options, where)
    const { places } = await this.#look(view, { kind: 'around', member: name, each })
    return { places: places.map((place) => this.#placeOf(place, kind)) }
  }

  #taken(member: unknown, score: unknown, option: string): BoardScore {
    const name = nameText(member, `${option}.member`)
    return { member: name, score: scaledScore(score, this.#options.decimals, `${option}.score`) }
  }

  #submit(scores: readonly BoardScore[]): Promise<readonly SubmitReply[]> {
    const { rule } = this.#options
    return this.#ask('submit', (provider) => provider.submit(rule, scores))
  }

  #look(view: BoardView, part: BoardPart): Promise<BoardReply> {
    const { rule } = this.#options
    return this.#ask('look', (provider) => provider.look(rule, view, part))
  }

  #ask<Reply>(
    operation: string,
    call: (provider: BoardProvider) => Promise<Reply>,
  ): Promise<Reply> {
    return this.#parts.store.ask(operation, this.#options.timeoutMs, call)
  }

  #submitted(reply: SubmitReply | undefined): Submitted {
    const { board } = this.#options.rule
    if (reply === undefined || reply.outcome === 'range')
      throw new BoardRangeError(`the leaderboard ${board}`)
    const { score, previous, outcome } = reply
    return {
      score: this.#plain(score),
      previous: previous === undefined ? undefined : this.#plain(previous),
      isKept: outcome === 'kept',
    }
  }

  #placeOf(place: BoardPlace, kind: RankKind): Place {
    return { member: place.member, score: this.#plain(place.score), rank: place[kind] }
  }

  #plain(score: number): number {
    return score / 10 ** this.#options.decimals
  }
}

/** The items, of which one more than allowed is asked for and no further one: they may have no end. @throws InvalidOptionError */
function atMost(items: unknown, most: number, option: string): readonly unknown[] {
  const expected = `pairs of a member and a score, at most ${most} of them`
  if (!isIterable(items)) throw new InvalidOptionError({ option, expected, received: items })
  const all: unknown[] = []
  for (const item of items) {
    if (all.length === most) {
      const described = `more than ${most}`
      throw new InvalidOptionError({ option, expected, received: undefined, described })
    }
    all.push(item)
  }
  return all
}

function isIterable(items: unknown): items is Iterable<unknown> {
  return typeof items === 'object' && items !== null && Symbol.iterator in items
}
