/**
 * The calls about one session: to the place where it is, with its data sealed and opened.
 *
 * A session whose id says whose it is has one place. Any other begins at a place of its own, and is moved when its data names a user:
 * it is written under the user's tag first, and then its first place says so. In this order, because a session that is written
 * and cannot be found ends by itself, while one that can be found and is not written would be lost to its user.
 */

import { InvalidOptionError, SessionUnavailableError } from '@larder/core'
import type {
  LiveSession,
  SaveMode,
  SaveReply,
  SessionParts,
  SessionPlace,
} from '@larder/core/store'
import { isTagOfUser, tagOfUser } from '@larder/core/store'
import { MovedIds } from './moved-ids.ts'
import { idIn, parseId, placeUnder, type SessionId } from './session-id.ts'
import { type ResolvedSessionOptions, userText } from './session-options.ts'

/** A session as it was read. */
export interface ReadSession<Data> {
  readonly data: Data
  readonly version: number
  readonly endsAt: number
  readonly absoluteEnd: number
  /** The store's clock. */
  readonly now: number
}

export interface SaveCall {
  readonly mode: SaveMode
  /** How long it lasts without a use, ms. @default that of the options */
  readonly idleMs?: number | undefined
  /** Only over this version. @default over any */
  readonly expected?: number | undefined
}

/** Data as it is saved. */
export interface PreparedData {
  /** The tag of the user that it names. */
  readonly tag: string | undefined
  readonly bytes: Uint8Array
}

export type SaveOutcome =
  | Extract<SaveReply, { kind: 'saved' | 'conflict' }>
  | { readonly kind: 'refused' }

const AT_ONCE = 100
const REFUSED = { kind: 'refused' } as const
/** Names of sessions that were ended for room, under their tag. */
export type OnDropped = (tag: string, names: readonly string[]) => void

export class SessionCalls<Data extends object> {
  readonly parts: SessionParts
  readonly options: ResolvedSessionOptions<Data>
  readonly #moved = new MovedIds()
  readonly #onDropped: OnDropped

  constructor(parts: SessionParts, options: ResolvedSessionOptions<Data>, onDropped: OnDropped) {
    this.parts = parts
    this.options = options
    this.#onDropped = onDropped
  }

  /** The id, or `undefined` for what is none: strangers may send anything. */
  parse(id: unknown): SessionId | undefined {
    return parseId(id, this.options.foreignIds)
  }

  /** The tag of a user. @throws InvalidOptionError */
  tagOf(user: unknown, option: string): string {
    const { namespace } = this.parts
    return tagOfUser(namespace, this.options.terms.rule.sessions, userText(user, option))
  }

  /** The session, if it stands. `idleMs`: counts as a use, after which it lasts for so long; 0 for a look. */
  async read(at: SessionId, idleMs: number): Promise<ReadSession<Data> | undefined> {
    const { store } = this.parts
    const reply = await this.#follow(at, (place) =>
      store.read(this.options.terms, place, { idleMs, wantsBytes: true }),
    )
    return reply.kind === 'live' ? this.#opened(at, reply) : undefined
  }

  /** Counts as a use. False where the session has ended. */
  async touch(at: SessionId, idleMs: number): Promise<boolean> {
    const { store } = this.parts
    const reply = await this.#follow(at, (place) =>
      store.read(this.options.terms, place, { idleMs, wantsBytes: false }),
    )
    if (reply.kind === 'ended') this.#refused('touch')
    return reply.kind === 'live'
  }

  /**
   * Seals data for a session. What it names and holds is looked at within this call: callers may go on changing it.
   *
   * @throws InvalidOptionError for a user that is none; ValueError
   */
  async prepare({ id }: SessionId, data: Data): Promise<PreparedData> {
    const { sessions } = this.options.terms.rule
    const tag = this.tagIn(data)
    return { tag, bytes: await this.parts.values.seal(data, { sessions, id }) }
  }

  /** @throws InvalidOptionError for data of another user; ValueError */
  async save(at: SessionId, data: Data, call: SaveCall): Promise<SaveOutcome> {
    return this.savePrepared(at, await this.prepare(at, data), call)
  }

  /** @throws InvalidOptionError for data of another user */
  async savePrepared(at: SessionId, data: PreparedData, call: SaveCall): Promise<SaveOutcome> {
    const { tag, bytes } = data
    const known = this.#moved.tagOf(at.id) ?? at.home.tag
    if (tag !== undefined && tag !== known) {
      if (isTagOfUser(known)) throw anotherUser()
      return this.#adopt(at, { tag, bytes, call })
    }
    const reply = await this.#follow(at, (place) => {
      if (tag !== undefined && tag !== place.tag) throw anotherUser()
      return this.#saveAt(place, bytes, call)
    })
    return this.#outcome(reply)
  }

  /** Ends it, and returns what was there, and under which tag. */
  async end(at: SessionId): Promise<{ readonly data: Data; readonly tag: string } | undefined> {
    const { store } = this.parts
    let { tag } = at.home
    const reply = await this.#follow(at, (place) => {
      tag = place.tag
      return store.end(this.options.terms, place, true)
    })
    if (reply.kind !== 'live') return undefined
    const { data } = await this.#opened(at, reply)
    return { data, tag }
  }

  /** The same where what was there does not matter, and may be unreadable. */
  async endUnread(at: SessionId): Promise<boolean> {
    const { store } = this.parts
    const reply = await this.#follow(at, (place) => store.end(this.options.terms, place, false))
    return reply.kind === 'live'
  }

  /** A look at a session of a user's list. */
  async readUnder(at: SessionId, tag: string): Promise<ReadSession<Data> | undefined> {
    const look = { idleMs: 0, wantsBytes: true }
    const reply = await this.parts.store.read(this.options.terms, placeUnder(at, tag), look)
    return reply.kind === 'live' ? this.#opened(at, reply) : undefined
  }

  /** All sessions that stand, at least once each; for people. */
  async *all(): AsyncGenerator<{ readonly at: SessionId; readonly session: ReadSession<Data> }> {
    for await (const names of this.parts.store.scan(this.options.terms)) {
      const read = async (tag: string, name: string) => {
        const at = this.parse(idIn(tag, name))
        const session = at && (await this.readUnder(at, tag))
        return at && session && { at, session }
      }
      const found = await Promise.all(names.map(({ tag, name }) => read(tag, name)))
      for (const each of found) if (each !== undefined) yield each
    }
  }

  /** Ends all sessions of all users, readable or not; for people. */
  async endEverything(): Promise<void> {
    const { store } = this.parts
    for await (const names of store.scan(this.options.terms)) {
      const ends = names.map(({ tag, name }) => {
        const at = this.parse(idIn(tag, name))
        return at && store.end(this.options.terms, placeUnder(at, tag), false)
      })
      await Promise.all(ends)
    }
  }

  /** Removes what is left of sessions that have ended, so many at a time. */
  async endUnder(all: readonly SessionId[], tag: string): Promise<void> {
    const { store } = this.parts
    for (let from = 0; from < all.length; from += AT_ONCE) {
      const some = all.slice(from, from + AT_ONCE)
      await Promise.all(some.map((at) => store.end(this.options.terms, placeUnder(at, tag), false)))
    }
  }

  /** The tag of the user that data names. */
  tagIn(data: Data): string | undefined {
    const user = this.options.userOf(data) ?? undefined
    return user === undefined ? undefined : this.tagOf(user, 'createSessions.userOf')
  }

  #saveAt(
    place: SessionPlace,
    bytes: Uint8Array,
    { mode, idleMs = this.options.idleMs, expected = 0 }: SaveCall,
    absoluteEnd = 0,
  ): Promise<SaveReply> {
    const ofUser = isTagOfUser(place.tag)
    const wanted = { mode, bytes, idleMs, expected, ofUser, absoluteEnd }
    return this.parts.store.save(this.options.terms, place, wanted).then((reply) => {
      if (reply.kind === 'saved' && reply.ended.length > 0) this.#onDropped(place.tag, reply.ended)
      return reply
    })
  }

  /** Saves a session of nobody yet as that of a user. */
  async #adopt(
    at: SessionId,
    { tag, bytes, call }: PreparedData & { readonly tag: string; readonly call: SaveCall },
  ): Promise<SaveOutcome> {
    const { store } = this.parts
    const { terms } = this.options
    const first = await store.read(terms, at.home, { idleMs: 0, wantsBytes: false })
    if (first.kind === 'moved') {
      this.#moved.note(at.id, first.tag)
      if (first.tag !== tag) throw anotherUser()
      return this.#outcome(await this.#saveAt(placeUnder(at, tag), bytes, call))
    }
    const { expected = 0, mode } = call
    if (first.kind === 'live') {
      if (mode === 'create') return this.#refusal('save')
      if (expected > 0 && first.version !== expected) return { kind: 'conflict' }
    } else if (first.kind === 'ended' || mode === 'update') return this.#refusal('save')
    const place = placeUnder(at, tag)
    // Above the version that it has, so that a save over that one is refused after it was moved.
    const adopt = expected > 0 ? 'adoptOver' : 'adopt'
    const adoption: SaveCall =
      first.kind === 'live' ? { ...call, mode: adopt, expected: first.version } : call
    const end = first.kind === 'live' ? first.absoluteEnd : 0
    const saved = await this.#saveAt(place, bytes, adoption, end)
    if (saved.kind !== 'saved') return this.#outcome(saved)
    const moved = await store.move(terms, at.home, { tag, until: saved.absoluteEnd, expected })
    // What was written is found by nobody until the caller tries again.
    if (moved.kind === 'conflict') return moved
    if (moved.kind === 'moved') this.#moved.note(at.id, moved.tag)
    if (moved.kind === 'moved' && moved.tag === tag) return saved
    // It ended meanwhile, or became somebody else's.
    await store.end(terms, place, false)
    if (moved.kind === 'moved') throw anotherUser()
    return this.#refusal('move')
  }

  /** Calls where the session is; if it was moved, where it is said to be. */
  async #follow<Reply extends { readonly kind: string }>(
    at: SessionId,
    call: (place: SessionPlace) => Promise<Reply>,
  ): Promise<Reply> {
    const known = this.#moved.tagOf(at.id)
    const reply = await call(placeUnder(at, known ?? at.home.tag))
    if (reply.kind !== 'moved') return reply
    const { tag } = reply as unknown as { readonly tag: string }
    this.#moved.note(at.id, tag)
    return call(placeUnder(at, tag))
  }

  #outcome(reply: SaveReply): SaveOutcome {
    if (reply.kind === 'saved' || reply.kind === 'conflict') return reply
    return this.#refusal('save')
  }

  #refusal(operation: 'save' | 'move'): SaveOutcome {
    this.#refused(operation)
    return REFUSED
  }

  #refused(operation: 'save' | 'touch' | 'move'): void {
    const { sessions } = this.options.terms.rule
    this.parts.events.emit('session-refused', { sessions, operation })
  }

  async #opened({ id }: SessionId, live: LiveSession): Promise<ReadSession<Data>> {
    const { sessions } = this.options.terms.rule
    const { version, endsAt, absoluteEnd, now } = live
    try {
      const data = (await this.parts.values.open(live.bytes, { sessions, id })) as Data
      return { data, version, endsAt, absoluteEnd, now }
    } catch (cause) {
      throw new SessionUnavailableError(cause, 'What is kept of a session cannot be read')
    }
  }
}

function anotherUser(): InvalidOptionError {
  return new InvalidOptionError({
    option: 'sessions.save.data',
    expected:
      'data of the user whose session it is; login() gives another user a session of their own',
    received: undefined,
    described: 'data of another user',
  })
}
