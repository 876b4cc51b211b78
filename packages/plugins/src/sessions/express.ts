/** Sessions for express-session: a store of it, and the login that gives a session its user's id. */

import { InvalidOptionError } from '@larder/core'
import { INTERNALS, isTagOfUser } from '@larder/core/store'
import expressSession, { type SessionData } from 'express-session'
import { answer, FrameworkStore } from './framework-store.ts'
import type { SessionUser } from './session-options.ts'
import type { Sessions } from './sessions.ts'

type Callback<Result = void> = (error?: unknown, result?: Result) => void

/** What `login` needs of a request. */
export interface SessionRequest {
  sessionID: string
  session: { regenerate(callback: (error: unknown) => void): unknown }
  sessionStore: object
}

/** What there is once the middleware has the store. */
interface StoreInUse {
  readonly [INTERNALS]?: { expectLogin(request: object, user: SessionUser): void }
  generate?(request: object): void
}

/**
 * Makes the store for express-session, over sessions of `createSessions`.
 *
 * @throws InvalidOptionError
 * @example
 * app.use(session({ store: expressStore(sessions), genid: sessions.newId, secret, resave: false, saveUninitialized: false }))
 */
export function expressStore<Data extends object>(sessions: Sessions<Data>): ExpressStore<Data> {
  return new ExpressStore(sessions)
}

/** Inherits from express-session's own store, which makes sessions of data. */
export class ExpressStore<Data extends object> extends expressSession.Store {
  readonly #sessions: Sessions<Data>
  readonly #store: FrameworkStore<Data>
  #generate: ((request: { sessionID: string }) => void) | undefined

  /** Use `expressStore`. */
  constructor(sessions: Sessions<Data>) {
    super()
    this.#store = new FrameworkStore(sessions, 'expressStore')
    this.#sessions = sessions
  }

  /** Set by the middleware. What it makes is looked at at once: a save that is refused would come after the answer. */
  set generate(generate: (request: { sessionID: string }) => void) {
    this.#generate = generate
  }

  get generate(): ((request: { sessionID: string }) => void) | undefined {
    const generate = this.#generate
    if (generate === undefined) return undefined
    return (request) => {
      generate(request)
      this.#store.assertId(request.sessionID, 'session.genid')
    }
  }

  /** Makes the object of a request. */
  override createSession(
    request: Parameters<expressSession.Store['createSession']>[0],
    data: SessionData,
  ): ReturnType<expressSession.Store['createSession']> {
    // Without a cookie: saved by a call that is no request. express-session would fail with every request of it.
    const hasCookie = typeof data.cookie === 'object' && data.cookie !== null
    const whole = hasCookie ? data : { ...data, cookie: this.#cookieFor(request) }
    const session = super.createSession(request, whole)
    this.#store.beginsWith(session, data)
    return session
  }

  /** The cookie of a session that begins with this request. */
  #cookieFor(request: object): SessionData['cookie'] {
    // What is made is put into this, and not into the request.
    const copy = Object.create(request) as { sessionID: string; session?: Partial<SessionData> }
    this.#generate?.(copy)
    const cookie = JSON.stringify(copy.session?.cookie ?? { originalMaxAge: null })
    return JSON.parse(cookie) as SessionData['cookie']
  }

  /** As that of express-session. There, an id that is refused would end the process: nobody is there to catch it. */
  override regenerate(
    request: Parameters<expressSession.Store['regenerate']>[0],
    callback: (error?: unknown) => void,
  ): void {
    this.destroy(request.sessionID, (error) => {
      try {
        this.generate?.(request)
      } catch (refusal) {
        callback(error ?? refusal)
        return
      }
      callback(error)
    })
  }

  override get(id: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    // A cast: what the application keeps in sessions is declared there.
    answer(this.#store.get(id) as Promise<SessionData>, callback)
  }

  override set(id: string, session: SessionData, callback?: Callback): void {
    answer(this.#store.set(id, session), callback)
  }

  override touch(id: string, session: SessionData, callback?: Callback): void {
    answer(this.#store.touch(id, session), callback)
  }

  override destroy(id: string, callback?: Callback): void {
    answer(this.#store.destroy(id), callback)
  }

  /** For people: it goes through everything that the store has. */
  override all(
    callback: (error: unknown, sessions?: Record<string, SessionData> | null) => void,
  ): void {
    answer(this.#store.all() as unknown as Promise<Record<string, SessionData>>, callback)
  }

  /** For people, as `all`. */
  override length(callback: (error: unknown, length?: number) => void): void {
    answer(
      this.#store.all().then((all) => Object.keys(all).length),
      callback,
    )
  }

  /** Ends all sessions of all users. For people, as `all`. */
  override clear(callback?: Callback): void {
    answer(this.#store.clear(), callback)
  }

  /** For `login`. */
  get [INTERNALS](): { expectLogin(request: object, user: SessionUser): void } {
    return this.#sessions[INTERNALS]
  }
}

/**
 * Logs a user in: ends the session of the request, and gives it an empty one with a new id, which is this user's. Set in it what
 * `userOf` looks at, and whatever else it is to hold.
 *
 * @throws SessionUnavailableError; InvalidOptionError, also where express-session was not given `genid: sessions.newId`
 * @example
 * await login(req, user.id)
 * req.session.userId = user.id
 */
export async function login(request: SessionRequest, user: SessionUser): Promise<void> {
  const store = request?.sessionStore as StoreInUse | undefined
  const internals = store?.[INTERNALS]
  if (typeof internals?.expectLogin !== 'function') {
    const expected = 'a request behind express-session with a store of expressStore()'
    throw new InvalidOptionError({ option: 'login.request', expected, received: request })
  }
  internals.expectLogin(request, user)
  await new Promise<void>((resolve, reject) => {
    request.session.regenerate((error) => {
      if (!error) return resolve()
      try {
        // It has the user's id by now, and would be saved under it.
        store?.generate?.(request)
      } catch {
        // An id that is refused is the error that is told already.
      }
      return reject(error as Error)
    })
  })
  if (isTagOfUser(request.sessionID)) return
  throw new InvalidOptionError({
    option: 'session.genid',
    expected: 'sessions.newId, so that the id of a session leads to its user',
    received: undefined,
    described: 'a function that makes other ids',
  })
}
