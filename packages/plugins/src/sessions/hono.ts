/** Sessions for Hono 4: a middleware with a signed cookie. Of Hono it imports the cookie helpers. */

import { assertKnownOptions, optionNames } from '@larder/core/store'
import type { Context, MiddlewareHandler } from 'hono'
import { assertSessions } from './assert-sessions.ts'
import { SessionCookie, type SessionCookieOptions } from './hono-cookie.ts'
import type { SessionUser } from './session-options.ts'
import type { DestroyAllOptions, Session, Sessions } from './sessions.ts'

export type { SessionCookieOptions } from './hono-cookie.ts'

/** Options of `honoSessions`. */
export interface HonoSessionsOptions {
  /** Sign the cookie: the first one signs, all are read, so that a new one can be put before the old. Texts of 16 characters or more. */
  readonly secrets: readonly string[]
  /** Its name, and how browsers are to keep it. @default as each of its options says */
  readonly cookie?: SessionCookieOptions | undefined
}

/** The session of a request. */
export interface HonoSession<Data extends object> {
  /** Who has it has the session: keep it out of logs. `undefined` while there is none. */
  readonly id: string | undefined
  /** What it holds. A copy that nobody else has; changing it saves nothing. */
  readonly data: Readonly<Data> | undefined
  /**
   * Replaces what it holds, or begins a session. Of two who do, the last one wins; see `update`.
   *
   * @returns false when the session has ended since the request began; nothing is saved then, nor by a further save
   * @throws SessionUnavailableError; InvalidOptionError; ValueError
   */
  save(data: Data): Promise<boolean>
  /**
   * Changes what it holds from what it is at that moment, whatever other requests do meanwhile.
   *
   * @returns the new data; `undefined` where there is no session @throws as `save`; UpdateConflictError
   */
  update(change: (data: Data) => Data | Promise<Data>): Promise<Data | undefined>
  /** Gives the client a session with a new id, which is this user's; the old one ends. `data`: @default what the old one held */
  login(user: SessionUser, data?: Data): Promise<void>
  /** Ends the session, and removes the cookie. */
  destroy(): Promise<void>
  /** Ends all sessions of a user, this one too unless it is `except`ed. Returns how many stood. */
  destroyAll(user: SessionUser, options?: DestroyAllOptions): Promise<number>
}

/** What the middleware leaves in the context. */
export interface SessionEnv<Data extends object = Record<string, unknown>> {
  Variables: { session: HonoSession<Data> }
}

const NAMES = optionNames<HonoSessionsOptions>({ secrets: true, cookie: true })
const WHERE = 'honoSessions'

/**
 * Reads the session of a request, which counts as a use of it, and writes the cookie of one that begins.
 *
 * @throws InvalidOptionError
 * @example app.use(honoSessions(sessions, { secrets: [process.env.SESSION_SECRET] }))
 */
export function honoSessions<Data extends object>(
  sessions: Sessions<Data>,
  options: HonoSessionsOptions,
): MiddlewareHandler<SessionEnv<Data>> {
  assertSessions(sessions, `${WHERE}.sessions`)
  assertKnownOptions(options, NAMES, WHERE)
  const cookie = new SessionCookie(options.cookie ?? {}, options.secrets, WHERE)
  return async (c, next) => {
    const id = await cookie.read(c)
    const found = id === undefined ? undefined : await sessions.get(id)
    const session = new RequestSession(sessions, found)
    c.set('session', session)
    try {
      await next()
    } finally {
      // After it, because a handler that returns a `Response` of its own would lose the field otherwise.
      await writeCookie(c, cookie, session)
    }
  }
}

async function writeCookie<Data extends object>(
  c: Context,
  cookie: SessionCookie,
  session: RequestSession<Data>,
): Promise<void> {
  const { id, change } = session
  // One that was not found is left: a request that began before the login would remove the cookie of the new session.
  if (change === 'removed') cookie.remove(c)
  else if (id !== undefined && (change === 'begun' || cookie.isRolling)) await cookie.write(c, id)
}

class RequestSession<Data extends object> implements HonoSession<Data> {
  readonly #sessions: Sessions<Data>
  #session: Pick<Session<Data>, 'id' | 'data'> | undefined
  change: 'begun' | 'removed' | undefined
  /** It ended while this request was under way. To begin another one for its data would bring it back. */
  #hasEnded = false
  /** What begins or ends a session, of this request: two at once would begin two, of which the client is told one. */
  #last: Promise<unknown> | undefined

  constructor(sessions: Sessions<Data>, session: Session<Data> | undefined) {
    this.#sessions = sessions
    this.#session = session
  }

  get id(): string | undefined {
    return this.#session?.id
  }

  get data(): Readonly<Data> | undefined {
    return this.#session?.data
  }

  save(data: Data): Promise<boolean> {
    const held = this.#heldUntilItsTurn(data)
    return this.#inOrder(() => this.#save(held))
  }

  async #save(data: Data): Promise<boolean> {
    const session = this.#session
    if (session !== undefined) {
      const isSaved = await this.#sessions.save(session.id, data)
      this.#now(session.id, isSaved ? data : undefined)
      return isSaved
    }
    if (this.#hasEnded) return false
    this.#begin(await this.#sessions.create(data))
    return true
  }

  async update(change: (data: Data) => Data | Promise<Data>): Promise<Data | undefined> {
    const session = this.#session
    if (session === undefined) return undefined
    const data = await this.#sessions.update(session.id, change)
    this.#now(session.id, data)
    return data
  }

  login(user: SessionUser, data?: Data): Promise<void> {
    const held = data && this.#heldUntilItsTurn(data)
    return this.#inOrder(async () => {
      this.#begin(await this.#sessions.login(this.id, user, held))
    })
  }

  destroy(): Promise<void> {
    return this.#inOrder(async () => {
      if (this.id !== undefined) await this.#sessions.destroy(this.id)
      this.#end()
    })
  }

  async destroyAll(user: SessionUser, options: DestroyAllOptions = {}): Promise<number> {
    const count = await this.#sessions.destroyAll(user, options)
    if (this.id === undefined || options.except === this.id) return count
    // It may be another user's.
    if ((await this.#sessions.get(this.id)) === undefined) this.#end()
    return count
  }

  /** Not `update`, whose callback may call the others. */
  #inOrder<Result>(task: () => Promise<Result>): Promise<Result> {
    // At once where nothing is under way: callers may go on changing what they gave.
    const done = this.#last === undefined ? task() : this.#last.then(task)
    const last = done
      .catch(() => undefined)
      .then(() => {
        if (this.#last === last) this.#last = undefined
      })
    this.#last = last
    return done
  }

  /** A copy where it has to wait. What cannot be copied is refused when it is saved. */
  #heldUntilItsTurn(data: Data): Data {
    if (this.#last === undefined) return data
    try {
      return structuredClone(data)
    } catch {
      return data
    }
  }

  /** `undefined`: it has ended. */
  #now(id: string, data: Data | undefined): void {
    this.#session = data && { id, data }
    this.#hasEnded = data === undefined
  }

  #begin(session: Session<Data>): void {
    this.#session = session
    this.#hasEnded = false
    this.change = 'begun'
  }

  /** By this request itself, which may begin another one. */
  #end(): void {
    this.#session = undefined
    this.#hasEnded = false
    this.change = 'removed'
  }
}
