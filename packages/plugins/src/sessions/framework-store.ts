/**
 * What the stores of frameworks have in common. Frameworks save a session without saying whether it is new, and some save it with every
 * request; they have data that is JSON, a cookie among it, and want an answer by callback.
 *
 * A save of what was read or saved here last is a use, and writes nothing. So a slow request that changes nothing does not
 * write either. What was read is known by a digest, in this process: a request reads and saves in the same one. Where the framework
 * knows what its request changed, that counts: other requests may have saved in between.
 */

import { createHash } from 'node:crypto'
import { InvalidOptionError } from '@larder/core'
import { INTERNALS } from '@larder/core/store'
import { assertSessions } from './assert-sessions.ts'
import { type CookieLife, cookieNow, idleOf, lastingCookie } from './cookie-life.ts'
import type { SessionCalls } from './session-calls.ts'
import type { SessionId } from './session-id.ts'
import { updateSession } from './session-update.ts'
import type { Sessions } from './sessions.ts'

/** A session as frameworks have it. */
export type FrameworkSession = Record<string, unknown> & { cookie?: CookieLife | undefined }

interface Known {
  /** A digest of the data without the cookie. */
  readonly data: string
  /** What of the cookie lasts, as text. */
  readonly cookie: string
}

const MOST_KNOWN = 10_000

export class FrameworkStore<Data extends object> {
  readonly #sessions: Sessions<Data>
  readonly #calls: SessionCalls<Data>
  readonly #where: string
  /** What was read or saved here last, by id. */
  readonly #known = new Map<string, Known>()
  /** Digests of what requests began with, by their own objects. */
  readonly #begunWith = new WeakMap<object, string>()

  /** @throws InvalidOptionError for what `createSessions` did not make */
  constructor(sessions: Sessions<Data>, where: string) {
    assertSessions(sessions, `${where}.sessions`)
    this.#sessions = sessions
    this.#calls = sessions[INTERNALS].calls
    this.#where = where
  }

  async get(id: string): Promise<FrameworkSession | undefined> {
    const at = this.#calls.parse(id)
    // A look: the framework says by itself when it was used.
    const found = at && (await this.#calls.read(at, 0))
    if (at === undefined || found === undefined) return undefined
    const data = found.data as FrameworkSession
    this.#know(at, data)
    if (typeof data.cookie !== 'object' || data.cookie === null) return data
    return { ...data, cookie: cookieNow(data.cookie, found.endsAt - found.now) }
  }

  async set(id: string, session: object): Promise<void> {
    const at = this.assertId(id, `${this.#where}.set.id`)
    const data = plain(session)
    const idleMs = idleOf(data.cookie, this.#calls.options.idleMs)
    if (idleMs <= 0) {
      await this.destroy(id)
      return
    }
    const known = this.#known.get(at.id)
    if (known !== undefined && this.#isUnchanged(session, data, known)) {
      await this.#use(at, data, idleMs)
      return
    }
    const { kind } = await this.#calls.save(at, data as Data, { mode: 'upsert', idleMs })
    this.beginsWith(session, data)
    if (kind === 'saved') this.#know(at, data)
    else this.#known.delete(at.id)
  }

  /** A use by a request that changed nothing but, perhaps, the cookie. */
  async touch(id: string, session: object): Promise<void> {
    const at = this.#calls.parse(id)
    if (at === undefined) return
    const { cookie } = plain({ cookie: (session as FrameworkSession).cookie })
    const idleMs = idleOf(cookie, this.#calls.options.idleMs)
    if (idleMs <= 0) await this.destroy(id)
    else await this.#use(at, { cookie }, idleMs)
  }

  async destroy(id: string): Promise<void> {
    this.#known.delete(id)
    await this.#sessions.destroy(id)
  }

  async all(): Promise<Record<string, FrameworkSession>> {
    const all: Record<string, FrameworkSession> = Object.create(null) as Record<string, never>
    for await (const { at, session } of this.#calls.all())
      all[at.id] = session.data as FrameworkSession
    return all
  }

  async clear(): Promise<void> {
    this.#known.clear()
    await this.#calls.endEverything()
  }

  /** @throws InvalidOptionError for an id that nothing can be saved under */
  assertId(id: string, option: string): SessionId {
    const at = this.#calls.parse(id)
    if (at !== undefined) return at
    throw new InvalidOptionError({
      option,
      expected: 'ids of sessions.newId: give it to the framework, or set foreignIds',
      received: id,
      isSecret: true,
    })
  }

  /** Notes what a request has in its own object, so that a save by it is compared with that. */
  beginsWith(session: object, data: object): void {
    this.#begunWith.set(session, digestOf(plain(data)))
  }

  /** @fastify/session can say what its request changed, and of express-session the objects of requests are known. */
  #isUnchanged(session: object, data: FrameworkSession, known: Known): boolean {
    if ('isModified' in session && typeof session.isModified === 'function')
      return session.isModified() === false
    return (this.#begunWith.get(session) ?? known.data) === digestOf(data)
  }

  /** Notes a use by a request that changed nothing but, perhaps, the cookie. */
  async #use(at: SessionId, { cookie }: FrameworkSession, idleMs: number): Promise<void> {
    const known = this.#known.get(at.id)
    if (known === undefined || isSameCookie(known, { cookie })) {
      await this.#calls.touch(at, idleMs)
      return
    }
    // Others may have changed the data since it was read, so only the cookie is replaced.
    const change = (before: Data): Data => ({ ...before, cookie })
    const data = await updateSession(this.#calls, at, change, idleMs)
    if (data !== undefined) this.#know(at, data as FrameworkSession)
  }

  #know({ id }: SessionId, data: FrameworkSession): void {
    this.#known.delete(id)
    this.#known.set(id, { data: digestOf(data), cookie: lastingCookie(data.cookie) })
    if (this.#known.size <= MOST_KNOWN) return
    const [oldest] = this.#known.keys()
    if (oldest !== undefined) this.#known.delete(oldest)
  }
}

/** Data as it comes back from JSON: the objects of frameworks have more in them. */
function plain(session: object): FrameworkSession {
  return JSON.parse(JSON.stringify(session)) as FrameworkSession
}

function digestOf(data: object): string {
  const text = JSON.stringify({ ...data, cookie: undefined })
  return createHash('sha256').update(text).digest('base64')
}

function isSameCookie(known: Known, { cookie }: FrameworkSession): boolean {
  return known.cookie === lastingCookie(cookie)
}

/** Answers by callback, once, and not within the call. */
export function answer<Result>(
  work: Promise<Result>,
  callback: ((error: unknown, result?: Result) => void) | undefined,
): void {
  work.then(
    (result) => callback && setImmediate(callback, null, result),
    (error: unknown) => callback && setImmediate(callback, error),
  )
}
