/** Sessions within this process, with the semantics of the shared ones. */

import {
  assertFunction,
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
  /** Source of time, ms since the epoch; for tests. Sessions with their own clock belong to one manager. */
  readonly now?: (() => number) | undefined
}

/** How often what means nothing any more is dropped, ms. */
const SWEEP_EVERY_MS = 60_000

const NAMES = optionNames<LocalSessionsOptions>({ now: true })

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
  return new LocalSessions(options.now)
}

class LocalSessions extends LocalProvider<Tables> implements SessionProvider {
  readonly capabilities: SessionCapabilities = { shared: false }
  readonly #clock: (() => number) | undefined
  #sweptAt = Number.NEGATIVE_INFINITY

  constructor(clock: (() => number) | undefined) {
    super({ kind: 'sessions', isOwn: clock !== undefined, make: () => new Map() })
    this.#clock = clock
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
    return table.save(rule, place, save, now)
  }

  async end(rule: SessionRule, place: SessionPlace, wantsBytes: boolean): Promise<SessionReply> {
    return this.#table(rule).end(rule, place, wantsBytes, this.#now)
  }

  async move(rule: SessionRule, place: SessionPlace, to: SessionMove): Promise<MoveReply> {
    return this.#table(rule).move(rule, place, to, this.#now)
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

  get #now(): number {
    return Math.floor(this.#clock?.() ?? Date.now())
  }

  #table({ sessions }: SessionRule): SessionTable {
    return madeOnce(this.table, sessions, () => new SessionTable())
  }
}
