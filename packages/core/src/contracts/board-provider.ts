/**
 * What leaderboards ask of a store, and with them counters and counts of unique visitors: atomic steps over the scores of one board.
 *
 * A board without periods is one list of scores. A board by periods has a list for each, and the store's own clock says which one is
 * the present one. Everything of a board is on one server, so each step is one round trip.
 *
 * Scores are whole numbers within ±(2^53 - 1). Every method may reject at any time; the caller bounds it with its own deadline and
 * ignores late replies. What concerns one board only is rejected with a `StoreKeyError`.
 *
 * A board is kept as its first score says: by another rule it would be misread, so `submit` and `look` reject with a `BoardOptionsError`
 * where `best`, `ties`, `decimals`, `per` or `timeZone` differ, for as long as something of the board is kept.
 */

import type { CounterSteps } from './counter-steps.ts'
import type { PeriodRule } from './period-rule.ts'
import type { UniqueSteps } from './unique-steps.ts'

/** What becomes of a member's earlier score: the highest, the lowest or the last one counts, or their sum. */
export type BoardUpdate = 'max' | 'min' | 'last' | 'add'

/** What holds for a board. */
export interface BoardRule extends PeriodRule {
  /** Part of the store's keys. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly board: string
  readonly update: BoardUpdate
  /** Which score is on top. */
  readonly best: 'highest' | 'lowest'
  /** Of equal scores, the one that was reached first or last is on top. */
  readonly ties: 'first' | 'last'
  /** How many members a period keeps; the worst ones go. From 1. */
  readonly keep: number
  /** How many decimals scores have outside of the store, where they are whole numbers of the last one: only compared. */
  readonly decimals: number
}

export interface BoardScore {
  /** Any text, not empty. */
  readonly member: string
  readonly score: number
}

export interface SubmitReply {
  /** The member's score from now on; of one that was not kept, what it would have been. */
  readonly score: number
  /** The score before. */
  readonly previous: number | undefined
  /** `dropped`: others are better, and there is no room. `range`: the sum is beyond ±(2^53 - 1), and nothing was changed. */
  readonly outcome: 'kept' | 'dropped' | 'range'
}

/** Which periods are looked at. `ago` + `merge` is at most the number of periods that are kept. */
export interface BoardView {
  /** 0: the present period, 1: the one before. */
  readonly ago: number
  /** How many periods are put together, this one and those before it: scores of a member are put together as `update` says. From 1. */
  readonly merge: number
  /** A merge may be so old, ms; 0: it is made for this question. */
  readonly maxAgeMs: number
}

/** Which part of a board: from the top, or around a member. */
export type BoardPart =
  | { readonly kind: 'range'; readonly skip: number; readonly take: number }
  /** `each`: how many above it, and how many below it, as far as there are. */
  | { readonly kind: 'around'; readonly member: string; readonly each: number }

/** A member, with its place by each way of counting. From 1. */
export interface BoardPlace extends BoardScore {
  /** 1 2 3 4: each place once. */
  readonly ordinal: number
  /** 1 2 2 4: equal scores share a place. */
  readonly standard: number
  /** 1 2 2 3: without gaps. */
  readonly dense: number
}

export interface BoardReply {
  /** How many members there are. */
  readonly count: number
  /** The best first. Empty where the member is not there. */
  readonly places: readonly BoardPlace[]
}

export interface BoardCapabilities {
  /** Boards are seen by other processes. */
  readonly shared: boolean
}

export interface BoardProvider extends CounterSteps, UniqueSteps {
  /** Says where boards are kept: `redis`, `local`. */
  readonly name: string
  readonly capabilities: BoardCapabilities
  /** Called before any other method, perhaps several times; connects lazily and does not throw because the other side is away. */
  open(namespace: string): void
  /** As that of a lock provider. */
  whenTried?(): Promise<void>
  /** Registers a listener that is told, once for each kind, what keeps the store from working as it is set up. The last one is used. */
  onTrouble?(listener: (error: Error) => void): void
  /** Takes scores for the present period, one after the other, in one atomic step. A reply for each. */
  submit(rule: BoardRule, scores: readonly BoardScore[]): Promise<readonly SubmitReply[]>
  /** Looks at a board. */
  look(rule: BoardRule, view: BoardView, part: BoardPart): Promise<BoardReply>
  /** Removes a member from all periods that are kept; replies from how many. */
  remove(rule: BoardRule, member: string): Promise<number>
  close(): Promise<void>
}
