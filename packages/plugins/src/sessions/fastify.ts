/** Sessions for @fastify/session: a store for it, and the login that gives a session its user's id. Nothing of it is imported but types. */

import type { SessionStore as FastifySessionStore } from '@fastify/session'
import { InvalidOptionError } from '@larder/core'
import { INTERNALS, isTagOfUser } from '@larder/core/store'
import { assertSessions } from './assert-sessions.ts'
import { answer, FrameworkStore } from './framework-store.ts'
import type { SessionUser } from './session-options.ts'
import type { Sessions } from './sessions.ts'

/** What `login` needs of a request. */
export interface FastifySessionRequest {
  session: { readonly sessionId: string; regenerate(): Promise<void> }
}

/** The store, and its sessions. */
export interface LarderFastifyStore<Data extends object> extends FastifySessionStore {
  readonly sessions: Sessions<Data>
}

/**
 * Makes the store for @fastify/session, over sessions of `createSessions`.
 *
 * @throws InvalidOptionError
 * @example await app.register(fastifySession, { store: fastifyStore(sessions), idGenerator: sessions.newId, secret })
 */
export function fastifyStore<Data extends object>(
  sessions: Sessions<Data>,
): LarderFastifyStore<Data> {
  const store = new FrameworkStore(sessions, 'fastifyStore')
  return {
    sessions,
    get(id, callback) {
      // A cast: what the application keeps in sessions is declared there.
      answer(store.get(id) as Promise<never>, callback as never)
    },
    set(id, session, callback) {
      answer(store.set(id, session), callback)
    },
    destroy(id, callback) {
      answer(store.destroy(id), callback)
    },
  }
}

/**
 * Logs a user in: ends the session of the request, and gives it an empty one with a new id, which is this user's. Set in it what
 * `userOf` looks at, and whatever else it is to hold.
 *
 * @throws SessionUnavailableError; InvalidOptionError, also where @fastify/session was not given `idGenerator: sessions.newId`
 * @example
 * await login(sessions, request, user.id)
 * request.session.set('userId', user.id)
 */
export async function login<Data extends object>(
  sessions: Sessions<Data>,
  request: FastifySessionRequest,
  user: SessionUser,
): Promise<void> {
  assertSessions(sessions, 'login.sessions')
  const before = request?.session
  if (typeof before?.regenerate !== 'function') {
    const expected = 'a request behind @fastify/session'
    throw new InvalidOptionError({ option: 'login.request', expected, received: request })
  }
  sessions[INTERNALS].expectLogin(request, user)
  try {
    await before.regenerate()
  } catch (error) {
    // It goes on with a session of the user, and would save it.
    const begun = request.session
    request.session = before
    if (begun !== before) await sessions.destroy(begun.sessionId).catch(() => undefined)
    throw error
  }
  if (isTagOfUser(request.session.sessionId)) return
  throw new InvalidOptionError({
    option: 'fastifySession.idGenerator',
    expected: 'sessions.newId, so that the id of a session leads to its user',
    received: undefined,
    described: 'a function that makes other ids',
  })
}
