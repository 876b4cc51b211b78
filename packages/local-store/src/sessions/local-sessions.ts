/** Sessions within this process, with the semantics of the shared ones. */

import {
  assertFunction,
  assertInteger,
  assertKnownOptions,
  type ListedSession,
  type MoveReply,
  type NamedSession,
  optionNames,
  type SaveReply,
  type SessionCapabilities,
  type SessionMove,
  type SessionPlace,
  type SessionProvider,
  type SessionRead,
  type SessionReply,
  type SessionRule,
  type SessionSave,
} from '@larder/core/store'
import { LocalProvider, madeOnce } from '../local-provider.ts'
import { SessionTable } from './session-table.ts'

export interface LocalSessionsOptions {
  /**
   * The most sessions of one `name` that are known at a time, with those that ended within the last hour. Beyond, the one that was not
   * used for longest ends. 1 to 10 000 000. @default 100_000
   */
  readonly maxSessions?: number | undefined
  /** Source of time, ms since the epoch; for tests. Sessions with their own clock belong to one manager. */
  readonly now?: (() => number) | undefined
}

/** How often what means nothing any more is dropped, ms. */
const SWEEP_EVERY_MS = 60_000

const NAMES = optionNames<LocalSessionsOptions>({ maxSessions: true, now: true })
/** The defaults. */
export const LOCAL_SESSIONS_DEFAULTS = {
  maxSessions: 100_000,
} as const satisfies LocalSessionsOptions
const MOST_SESSIONS = 10_000_000

/** By the name of the sessions. */
type Tables = Map<string, SessionTable>

/**
 * Creates a session provider that keeps sessions in this process only, for all managers of one namespace together: for
 * development and tests. They end with the process, and no other process knows them. `lruStore` has one already.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', sessions: localSessions() })
 */
export function localSessions(options: LocalSessionsOptions = {}): SessionProvider {
  assertKnownOptions(options, NAMES, 'localSessions')
  if (options.now !== undefined) assertFunction(options.now, 'localSessions.now')
  const { maxSessions = LOCAL_SESSIONS_DEFAULTS.maxSessions } = options
  assertInteger(maxSessions, 'localSessions.maxSessions', { min: 1, max: MOST_SESSIONS })
  return new LocalSessions(options.now, maxSessions)
}

class LocalSessions extends LocalProvider<Tables> implements SessionProvider {
  readonly capabilities: SessionCapabilities = { shared: false }
  readonly #clock: (() => number) | undefined
  readonly #maxSessions: number
  #tellTrouble: ((error: Error) => void) | undefined
  #hasTold = false
  #sweptAt = Number.NEGATIVE_INFINITY

  constructor(clock: (() => number) | undefined, maxSessions: number) {
    super({ kind: 'sessions', isOwn: clock !== undefined, make: () => new Map() })
    this.#clock = clock
    this.#maxSessions = maxSessions
  }

  onTrouble(listener: (error: Error) => void): void {
    this.#tellTrouble = listener
  }

  async read(rule: SessionRule, place: SessionPlace, read: SessionRead): Promise<SessionReply> {
    return this.#table(rule).read(rule, place, read, this.#now)
  }

  async save(rule: SessionRule, place: SessionPlace, save: SessionSave): Promise<SaveReply> {
    const now = this.#now
    const table = this.#table(rule)
    // No timer: what grows the table also makes it smaller. A clock that was set back counts as well.
    if (Math.abs(now - this.#sweptAt) >= SWEEP_EVERY_MS) {
      this.#sweptAt = now
      for (const each of this.table.values()) each.sweep(now)
    }
    const reply = table.save(rule, place, save, now)
    this.#shrink(table, now)
    return reply
  }

  async end(rule: SessionRule, place: SessionPlace, wantsBytes: boolean): Promise<SessionReply> {
    const now = this.#now
    const table = this.#table(rule)
    const reply = table.end(rule, place, wantsBytes, now)
    this.#shrink(table, now)
    return reply
  }

  async move(rule: SessionRule, place: SessionPlace, to: SessionMove): Promise<MoveReply> {
    const now = this.#now
    const table = this.#table(rule)
    const reply = table.move(rule, place, to, now)
    this.#shrink(table, now)
    return reply
  }

  async endAll(
    rule: SessionRule,
    tag: string,
    except: string | undefined,
  ): Promise<readonly string[]> {
    return this.#table(rule).endAll(tag, except, this.#now)
  }

  async list(rule: SessionRule, tag: string): Promise<readonly ListedSession[]> {
    return this.#table(rule).list(tag, this.#now)
  }

  async *scan(rule: SessionRule): AsyncGenerator<readonly NamedSession[], void, undefined> {
    yield this.#table(rule).names()
  }

  /** Once: it goes on as long as there are so many. */
  #shrink(table: SessionTable, now: number): void {
    if (!table.shrinkTo(this.#maxSessions, now) || this.#hasTold) return
    this.#hasTold = true
    const error = new Error(
      `There are more than ${this.#maxSessions} sessions in this process: the ones that were not used for longest end (localSessions.maxSessions)`,
    )
    this.#tellTrouble?.(error)
  }

  get #now(): number {
    return Math.floor(this.#clock?.() ?? Date.now())
  }

  #table({ sessions }: SessionRule): SessionTable {
    return madeOnce(this.table, sessions, () => new SessionTable())
  }
}
