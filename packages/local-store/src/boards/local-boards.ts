/** Leaderboards within this process, with the semantics of the shared ones. */

import {
  assertFunction,
  assertKnownOptions,
  type BoardCapabilities,
  type BoardPart,
  type BoardProvider,
  type BoardReply,
  type BoardRule,
  type BoardScore,
  type BoardView,
  optionNames,
  type SubmitReply,
} from '@larder/core/store'
import { processTables } from '../process-tables.ts'
import { BoardTable } from './board-table.ts'

export interface LocalBoardsOptions {
  /** Source of time, ms since the epoch; for tests. Boards with their own clock belong to one manager. */
  readonly now?: (() => number) | undefined
}

const NAMES = optionNames<LocalBoardsOptions>({ now: true })

/** What a namespace has, and who uses it; dropped with the last one. */
interface SharedBoards {
  readonly boards: Map<string, BoardTable>
  readonly users: Set<object>
}

const shared = processTables<SharedBoards>('boards')

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

class LocalBoards implements BoardProvider {
  readonly name = 'local'
  readonly capabilities: BoardCapabilities = { shared: false }
  readonly #clock: (() => number) | undefined
  #namespace: string | undefined
  #joined: SharedBoards | undefined

  constructor(clock: (() => number) | undefined) {
    this.#clock = clock
  }

  open(namespace: string): void {
    if (this.#joined !== undefined) return
    this.#namespace = this.#clock === undefined ? namespace : undefined
    const known = this.#namespace === undefined ? undefined : shared.get(this.#namespace)
    this.#joined = known ?? { boards: new Map(), users: new Set() }
    this.#joined.users.add(this)
    if (this.#namespace !== undefined) shared.set(this.#namespace, this.#joined)
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

  async close(): Promise<void> {
    const joined = this.#joined
    joined?.users.delete(this)
    if (joined?.users.size === 0 && this.#namespace !== undefined) shared.delete(this.#namespace)
  }

  get #now(): number {
    return Math.floor(this.#clock?.() ?? Date.now())
  }

  #board({ board }: BoardRule): BoardTable {
    if (this.#joined === undefined) throw new Error('The local boards are not open')
    const { boards } = this.#joined
    const known = boards.get(board)
    if (known !== undefined) return known
    const table = new BoardTable()
    boards.set(board, table)
    return table
  }
}
