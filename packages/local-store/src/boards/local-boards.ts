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
import { processTables } from '../process-tables.ts'
import { BoardTable } from './board-table.ts'
import { CounterTable } from './counter-table.ts'
import { UniqueTable } from './unique-table.ts'

export interface LocalBoardsOptions {
  /** Source of time, ms since the epoch; for tests. Boards with their own clock belong to one manager. */
  readonly now?: (() => number) | undefined
}

const NAMES = optionNames<LocalBoardsOptions>({ now: true })

/** What a namespace has, and who uses it; dropped with the last one. */
interface SharedBoards {
  readonly boards: Map<string, BoardTable>
  readonly counters: Map<string, CounterTable>
  readonly uniques: Map<string, UniqueTable>
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
    this.#joined = known ?? {
      boards: new Map(),
      counters: new Map(),
      uniques: new Map(),
      users: new Set(),
    }
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

  async close(): Promise<void> {
    const joined = this.#joined
    joined?.users.delete(this)
    if (joined?.users.size === 0 && this.#namespace !== undefined) shared.delete(this.#namespace)
  }

  get #now(): number {
    return Math.floor(this.#clock?.() ?? Date.now())
  }

  get #opened(): SharedBoards {
    if (this.#joined === undefined) throw new Error('The local boards are not open')
    return this.#joined
  }

  #board({ board }: BoardRule): BoardTable {
    return madeOnce(this.#opened.boards, board, () => new BoardTable())
  }

  #uniques({ uniques }: UniqueRule): UniqueTable {
    return madeOnce(this.#opened.uniques, uniques, () => new UniqueTable())
  }

  #counter({ counter }: CounterRule): CounterTable {
    return madeOnce(this.#opened.counters, counter, () => new CounterTable())
  }
}

function madeOnce<Table>(tables: Map<string, Table>, name: string, make: () => Table): Table {
  const known = tables.get(name)
  if (known !== undefined) return known
  const made = make()
  tables.set(name, made)
  return made
}
