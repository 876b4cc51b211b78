/** A board in memory, step by step as the Redis scripts do it. Time is given with every step, ms since the epoch, so that a test can set it. */

import { BoardOptionsError } from '@larder/core'
import {
  type BoardPart,
  type BoardReply,
  type BoardRule,
  type BoardScore,
  type BoardView,
  boardShape,
  periodsOf,
  type SubmitReply,
} from '@larder/core/store'
import { type Held, PeriodBoard } from './period-board.ts'

const US_PER_MS = 1_000
/** A period is dropped so long after its time: a clock that is set back a little finds it again. */
const DAY_MS = 86_400_000

export class BoardTable {
  /** By where each period begins. */
  readonly #periods = new Map<number, PeriodBoard>()
  readonly #merges = new Map<string, { readonly board: PeriodBoard; readonly until: number }>()
  #stamp = 0
  /** The rule that it is kept by, so far as that must not change, and until when. */
  #kept: { readonly shape: string; readonly until: number } | undefined

  submit(rule: BoardRule, scores: readonly BoardScore[], nowMs: number): readonly SubmitReply[] {
    this.#sweep(nowMs)
    this.#assertShape(rule)
    const { from, starts, keptUntil } = periodsOf(rule).at(nowMs)
    const start = Number.isFinite(from) ? from : (starts[0] ?? 0)
    const board = this.#periods.get(start) ?? new PeriodBoard(rule)
    board.keptUntil = Math.max(board.keptUntil, keptUntil)
    this.#kept = { shape: boardShape(rule), until: Math.max(this.#kept?.until ?? 0, keptUntil) }
    this.#periods.set(start, board)
    this.#stamp = Math.max(this.#stamp, nowMs * US_PER_MS)
    return scores.map(({ member, score }) => this.#take(rule, board, { member, score }))
  }

  look(rule: BoardRule, view: BoardView, part: BoardPart, nowMs: number): BoardReply {
    this.#sweep(nowMs)
    this.#assertShape(rule)
    const starts = periodsOf(rule)
      .at(nowMs)
      .starts.slice(view.ago, view.ago + view.merge)
    if (view.merge === 1) return this.#at(rule, starts[0] ?? 0).look(part)
    return this.#merged(rule, { ...view, starts, nowMs }).look(part)
  }

  remove(rule: BoardRule, member: string, nowMs: number): number {
    this.#merges.clear()
    return periodsOf(rule)
      .at(nowMs)
      .starts.filter((start) => this.#periods.get(start)?.remove(member) === true).length
  }

  #take(rule: BoardRule, board: PeriodBoard, { member, score }: BoardScore): SubmitReply {
    const previous = board.get(member)?.score
    const updated = updatedBy(rule, previous, score)
    if (!Number.isSafeInteger(updated)) return { score: previous ?? 0, previous, outcome: 'range' }
    if (updated !== previous) {
      this.#stamp += 1
      board.put({ member, score: updated, stamp: this.#stamp })
      board.trim(rule.keep)
    }
    const isKept = board.get(member) !== undefined
    return { score: updated, previous, outcome: isKept ? 'kept' : 'dropped' }
  }

  #at(rule: BoardRule, start: number): PeriodBoard {
    return this.#periods.get(start) ?? new PeriodBoard(rule)
  }

  #merged(
    rule: BoardRule,
    view: BoardView & { readonly starts: readonly number[]; readonly nowMs: number },
  ): PeriodBoard {
    const { starts, nowMs, maxAgeMs } = view
    const name = `${starts[0]}+${starts.length}:${maxAgeMs}`
    const known = this.#merges.get(name)
    if (maxAgeMs > 0 && known !== undefined && known.until > nowMs) return known.board
    const board = new PeriodBoard(rule)
    for (const start of starts) {
      for (const held of this.#at(rule, start).all) {
        board.put(mergedOf(rule, board.get(held.member), held))
      }
    }
    if (maxAgeMs > 0 && board.size > 0) this.#merges.set(name, { board, until: nowMs + maxAgeMs })
    return board
  }

  /** @throws BoardOptionsError */
  #assertShape(rule: BoardRule): void {
    if (this.#kept !== undefined && this.#kept.shape !== boardShape(rule))
      throw new BoardOptionsError()
  }

  #sweep(nowMs: number): void {
    if (this.#kept !== undefined && this.#kept.until <= nowMs) this.#kept = undefined
    for (const [start, { keptUntil }] of this.#periods)
      if (keptUntil + DAY_MS <= nowMs) this.#periods.delete(start)
    for (const [name, { until }] of this.#merges) if (until <= nowMs) this.#merges.delete(name)
  }
}

function updatedBy({ update }: BoardRule, before: number | undefined, given: number): number {
  if (before === undefined || update === 'last') return given
  if (update === 'add') return before + given
  return update === 'max' ? Math.max(before, given) : Math.min(before, given)
}

/** Puts what a member has in two periods together; `known` is that of the newer one. */
function mergedOf({ update, ties }: BoardRule, known: Held | undefined, older: Held): Held {
  if (known === undefined) return older
  if (update === 'last') return known
  if (update === 'add') {
    const sum = known.score + older.score
    const most = Number.MAX_SAFE_INTEGER
    return { ...known, score: Math.max(-most, Math.min(most, sum)) }
  }
  if (older.score === known.score) {
    const isEarlier = ties === 'first' ? older.stamp < known.stamp : older.stamp > known.stamp
    return isEarlier ? older : known
  }
  const isBetter = update === 'max' ? older.score > known.score : older.score < known.score
  return isBetter ? older : known
}
