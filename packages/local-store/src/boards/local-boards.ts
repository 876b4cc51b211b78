/** Leaderboards, counters and unique visitors within this process, with the semantics of the shared ones. */

import {
  type AddReply,
  assertFunction,
  assertKnownOptions,
  type BoardCapabilities,
  type BoardPart,
  type BoardProvider,
  type BoardReply,
  type BoardRule,
  type BoardScore,
  type BoardView,
  type CounterAdd,
  type CounterRule,
  optionNames,
  type PeriodCount,
  type SubmitReply,
  type UniqueCount,
  type UniqueRule,
} from '@larder/core/store'
import { LocalProvider, madeOnce } from '../local-provider.ts'
import { BoardTable } from './board-table.ts'
import { CounterTable } from './counter-table.ts'
import { UniqueTable } from './unique-table.ts'

export interface LocalBoardsOptions {
  /** Source of time, ms since the epoch; for tests. Boards with their own clock belong to one manager. */
  readonly now?: (() => number) | undefined
}

const NAMES = optionNames<LocalBoardsOptions>({ now: true })

/** What a namespace has, each by its name. */
class Tables {
  readonly boards = new Map<string, BoardTable>()
  readonly counters = new Map<string, CounterTable>()
  readonly uniques = new Map<string, UniqueTable>()

  clear(): void {
    for (const named of [this.boards, this.counters, this.uniques]) named.clear()
  }
}

/**
 * Creates a provider that keeps leaderboards in this process only, for all managers of one namespace together: for development and
 * tests. They end with the process, and no other process sees them. `lruStore` has one already.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', boards: localBoards() })
 */
export function localBoards(options: LocalBoardsOptions = {}): BoardProvider {
  assertKnownOptions(options, NAMES, 'localBoards')
  if (options.now !== undefined) assertFunction(options.now, 'localBoards.now')
  return new LocalBoards(options.now)
}

class LocalBoards extends LocalProvider<Tables> implements BoardProvider {
  readonly capabilities: BoardCapabilities = { shared: false }
  readonly #clock: (() => number) | undefined

  constructor(clock: (() => number) | undefined) {
    super({ kind: 'boards', isOwn: clock !== undefined, make: () => new Tables() })
    this.#clock = clock
  }

  async submit(rule: BoardRule, scores: readonly BoardScore[]): Promise<readonly SubmitReply[]> {
    return this.#board(rule).submit(rule, scores, this.#now)
  }

  async look(rule: BoardRule, view: BoardView, part: BoardPart): Promise<BoardReply> {
    return this.#board(rule).look(rule, view, part, this.#now)
  }

  async remove(rule: BoardRule, member: string): Promise<number> {
    return this.#board(rule).remove(rule, member, this.#now)
  }

  async add(rule: CounterRule, add: CounterAdd): Promise<AddReply> {
    return this.#counter(rule).add(rule, add, this.#now)
  }

  async counts(rule: CounterRule, key: string, last: number): Promise<readonly PeriodCount[]> {
    return this.#counter(rule).counts(rule, key, last, this.#now)
  }

  async seen(rule: UniqueRule, key: string, visitors: readonly Uint8Array[]): Promise<void> {
    this.#uniques(rule).seen(rule, key, { visitors, nowMs: this.#now })
  }

  async unique(rule: UniqueRule, key: string, last: number): Promise<UniqueCount> {
    return this.#uniques(rule).unique(rule, key, { last, nowMs: this.#now })
  }

  get #now(): number {
    return Math.floor(this.#clock?.() ?? Date.now())
  }

  #board({ board }: BoardRule): BoardTable {
    return madeOnce(this.table.boards, board, () => new BoardTable())
  }

  // A day and its first hour begin at one instant, so what is counted by days has other tables.
  #uniques({ uniques, per }: UniqueRule): UniqueTable {
    return madeOnce(this.table.uniques, `${uniques}:${per}`, () => new UniqueTable())
  }

  #counter({ counter, per }: CounterRule): CounterTable {
    return madeOnce(this.table.counters, `${counter}:${per}`, () => new CounterTable())
  }
}
