/** Sessions of users over a cache manager's store. Frameworks have a subpath each; this is what they, and you, call. */

import { type CacheManager, InvalidOptionError } from '@larder/core'
import { assertFunction, assertKnownOptions, INTERNALS, optionNames } from '@larder/core/store'
import { EndedSessions, type SessionEnd, type SessionEndReason } from './ended-sessions.ts'
import { beginSession, isFor, putSession, type Session } from './new-session.ts'
import { type ReadSession, SessionCalls } from './session-calls.ts'
import { assertData } from './session-data.ts'
import { idIn, makeId, placeUnder, type SessionId } from './session-id.ts'
import { resolveSessionOptions, type SessionOptions, type SessionUser } from './session-options.ts'
import { updateSession } from './session-update.ts'

export type { SessionEnd, SessionEndReason } from './ended-sessions.ts'
export type { Session } from './new-session.ts'
export type { SessionOptions, SessionUser } from './session-options.ts'

/** What `destroyAll` may be told. */
export interface DestroyAllOptions {
  /** The id of the session that stays: the one that asks. */
  readonly except?: string | undefined
}

const DESTROY_ALL_NAMES = optionNames<DestroyAllOptions>({ except: true })

/**
 * Creates sessions that are kept in the store of a manager: the remote one, or without one in this process.
 *
 * @throws InvalidOptionError when an option is unknown or wrong, or when no store of the manager keeps sessions; ClosedError
 * @example const sessions = createSessions<User>(caches, { idle: '30m', absolute: '12h', userOf: (data) => data.userId })
 */
export function createSessions<Data extends object = Record<string, unknown>>(
  caches: CacheManager,
  options: SessionOptions<Data> = {},
): Sessions<Data> {
  if (typeof caches?.[INTERNALS]?.sessions !== 'function') {
    const expected = 'a manager of createCacheManager'
    throw new InvalidOptionError({ option: 'createSessions.caches', expected, received: caches })
  }
  return new Sessions(caches, options)
}

export class Sessions<Data extends object = Record<string, unknown>> {
  /** For the subpaths of frameworks. */
  readonly [INTERNALS]: SessionInternals<Data>
  readonly #calls: SessionCalls<Data>
  readonly #ended: EndedSessions
  /** Requests that are about to get the id of a user. */
  readonly #loggingIn = new WeakMap<object, string>()

  /** Use `createSessions`. */
  constructor(caches: CacheManager, options: SessionOptions<Data>) {
    const resolved = resolveSessionOptions(options)
    const parts = caches[INTERNALS].sessions()
    const dropped = (tag: string, names: readonly string[]): void =>
      this.#endedUnder(tag, names, 'dropped')
    this.#calls = new SessionCalls(parts, resolved, dropped)
    this.#ended = new EndedSessions(parts)
    this[INTERNALS] = {
      calls: this.#calls,
      expectLogin: (request, user) => {
        this.#loggingIn.set(request, this.#calls.tagOf(user, 'login.user'))
      },
    }
  }

  /**
   * Makes an id for a session that does not exist yet: for `genid` of express-session and `idGenerator` of @fastify/session. It may
   * be handed on without its object.
   */
  readonly newId = (request?: unknown): string => {
    const isKnown = typeof request === 'object' && request !== null
    const tag = isKnown ? this.#loggingIn.get(request) : undefined
    if (isKnown) this.#loggingIn.delete(request)
    return makeId(Date.now(), tag)
  }

  /**
   * Creates a session. `user`: whose it is. @default the one that `userOf` names, or nobody
   *
   * @throws SessionUnavailableError; InvalidOptionError; ValueError for what would not come back unchanged
   */
  async create(data: Data, user?: SessionUser): Promise<Session<Data>> {
    assertData(data, 'sessions.create.data')
    const option = 'sessions.create.user'
    return putSession(this.#calls, await beginSession(this.#calls, data, { user, option }))
  }

  /**
   * Reads a session, which counts as a use of it.
   *
   * @returns `undefined` for one that has ended, and for anything that is not an id
   * @throws SessionUnavailableError
   */
  async get(id: string): Promise<Session<Data> | undefined> {
    const at = this.#calls.parse(id)
    if (at === undefined) return undefined
    const found = await this.#calls.read(at, this.#calls.options.idleMs)
    return found && sessionOf(at, found)
  }

  /**
   * Replaces the data of a session; of two who do, the last one wins. See `update`.
   *
   * @returns false when the session has ended; nothing was saved then
   * @throws SessionUnavailableError; InvalidOptionError for another user's data; ValueError
   */
  async save(id: string, data: Data): Promise<boolean> {
    const at = this.#own(id, 'sessions.save.id')
    assertData(data, 'sessions.save.data')
    const { kind } = await this.#calls.save(at, data, { mode: 'update' })
    return kind === 'saved'
  }

  /**
   * Changes the data of a session from what it is at that moment, whatever others do meanwhile. `change` may run several times.
   *
   * @returns the new data; `undefined` when the session has ended
   * @throws SessionUnavailableError; UpdateConflictError after 20 tries; what `change` throws
   * @example await sessions.update(id, (data) => ({ ...data, visits: data.visits + 1 }))
   */
  async update(
    id: string,
    change: (data: Data) => Data | Promise<Data>,
  ): Promise<Data | undefined> {
    assertFunction(change, 'sessions.update.change')
    const at = this.#calls.parse(id)
    if (at === undefined) return undefined
    return updateSession(this.#calls, at, change)
  }

  /**
   * Counts as a use of the session, without reading it.
   *
   * @returns false when it has ended @throws SessionUnavailableError
   */
  async touch(id: string): Promise<boolean> {
    const at = this.#calls.parse(id)
    return at !== undefined && this.#calls.touch(at, this.#calls.options.idleMs)
  }

  /**
   * Ends the session that a client has, if it has one, and gives it another with a new id, which is this user's.
   *
   * @param data what the new session holds. @default what the old one held, unless it was another user's: then nothing
   * @throws SessionUnavailableError: then the client may have neither, and may try again; InvalidOptionError and ValueError: then
   * nothing has ended
   */
  async login(id: string | undefined, user: SessionUser, data?: Data): Promise<Session<Data>> {
    const option = 'sessions.login.user'
    const tag = this.#calls.tagOf(user, option)
    if (data !== undefined) assertData(data, 'sessions.login.data')
    // All that may be wrong with it shows before anything ends.
    const begun = data && (await beginSession(this.#calls, data, { user, option }))
    const at = id === undefined ? undefined : this.#calls.parse(id)
    if (begun !== undefined) {
      if (at !== undefined && (await this.#calls.endUnread(at))) this.#ended.tell(at.id, 'login')
      return putSession(this.#calls, begun)
    }
    const before = at === undefined ? undefined : await this.#calls.end(at)
    if (at !== undefined && before !== undefined) this.#ended.tell(at.id, 'login')
    const isTheirs = before !== undefined && isFor(this.#calls, tag, before)
    const held = isTheirs ? before.data : ({} as Data)
    return putSession(this.#calls, await beginSession(this.#calls, held, { user, option }))
  }

  /**
   * Ends a session. A save of it that is under way, or comes later, brings nothing back.
   *
   * @returns false when it had ended @throws SessionUnavailableError: then it may stand
   */
  async destroy(id: string): Promise<boolean> {
    const at = this.#calls.parse(id)
    if (at === undefined) return false
    const wasLive = await this.#calls.endUnread(at)
    if (wasLive) this.#ended.tell(at.id, 'destroyed')
    return wasLive
  }

  /**
   * Ends all sessions of a user in one step: logs out everywhere.
   *
   * @returns how many stood @throws SessionUnavailableError: then they may stand; InvalidOptionError
   */
  async destroyAll(user: SessionUser, options: DestroyAllOptions = {}): Promise<number> {
    assertKnownOptions(options, DESTROY_ALL_NAMES, 'sessions.destroyAll')
    const { except } = options
    const tag = this.#calls.tagOf(user, 'sessions.destroyAll.user')
    const kept = except === undefined ? undefined : this.#own(except, 'sessions.destroyAll.except')
    const { store } = this.#calls.parts
    const name = kept && placeUnder(kept, tag).name
    const names = await store.endAll(this.#calls.options.terms, tag, name)
    this.#endedUnder(tag, names, 'destroyed')
    return names.length
  }

  /**
   * Lists the sessions of a user, the one that ends first first.
   *
   * @throws SessionUnavailableError; InvalidOptionError
   */
  async list(user: SessionUser): Promise<readonly Session<Data>[]> {
    const tag = this.#calls.tagOf(user, 'sessions.list.user')
    const listed = await this.#calls.parts.store.list(this.#calls.options.terms, tag)
    const found = await Promise.all(
      listed.map(async ({ name }) => {
        const at = this.#calls.parse(idIn(tag, name))
        const session = at && (await this.#calls.readUnder(at, tag))
        return at && session && sessionOf(at, session)
      }),
    )
    return found.filter((session) => session !== undefined)
  }

  /**
   * Listens to sessions that are ended by calls of this process; returns a function that stops it. Sessions that end by time are not
   * told of, nor what other processes end.
   */
  onEnd(listener: (end: SessionEnd) => void): () => void {
    assertFunction(listener, 'sessions.onEnd.listener')
    return this.#ended.listen(listener)
  }

  #own(id: string, option: string): SessionId {
    const at = this.#calls.parse(id)
    if (at !== undefined) return at
    const expected = 'an id that newId() or create() made'
    throw new InvalidOptionError({ option, expected, received: id, isSecret: true })
  }

  /** Tells of sessions that no longer stand, and removes what is left of them. */
  #endedUnder(tag: string, names: readonly string[], reason: SessionEndReason): void {
    if (names.length === 0) return
    const ids = names.map((name) => idIn(tag, name))
    for (const id of ids) this.#ended.tell(id, reason)
    const { work } = this.#calls.parts
    const rest = ids.flatMap((id) => this.#calls.parse(id) ?? [])
    work.run('remove what ended sessions leave', this.#calls.endUnder(rest, tag))
  }
}

/** What subpaths use of sessions. */
export interface SessionInternals<Data extends object> {
  readonly calls: SessionCalls<Data>
  /** The next id that is made for this request is one of this user. */
  expectLogin(request: object, user: SessionUser): void
}

function sessionOf<Data extends object>(
  { id }: SessionId,
  { data, endsAt, absoluteEnd }: ReadSession<Data>,
): Session<Data> {
  return { id, data, endsAt: new Date(endsAt), absoluteEnd: new Date(absoluteEnd) }
}
