/**
 * What the session logic asks of a store: atomic steps over one session, or over the sessions of one user.
 *
 * A session has a place: a tag, which all sessions of a user share, and a name under it. Everything of one tag is on one server, so
 * each step is one round trip. A session whose place says nothing of its user may be moved: its first place then says where it is.
 *
 * All instants are the store's own clock, ms since the epoch. Every method may reject at any time; the caller bounds it with its
 * own deadline and ignores late replies. What concerns one session only is rejected with a `StoreKeyError`.
 */

/** What holds for all sessions of one kind. */
export interface SessionRule {
  /** Which sessions: part of the store's keys. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly sessions: string
  /** How long a session lasts at most, however much it is used. */
  readonly absoluteMs: number
  /** A use this soon after the last one that was noted is not written down. 0: each one is. */
  readonly touchEveryMs: number
  /** How many live sessions a user has at most; the one that would end first goes for a new one. From 1. */
  readonly maxPerUser: number
  /**
   * A new session is saved for the first time at most this long after its id was made. What has ended is remembered until the
   * same moment. So a session that has ended never comes back: before it, its end is known; after it, nothing new is taken.
   */
  readonly lateMs: number
}

/** Where a session is. */
export interface SessionPlace {
  /** 1 to 32 of `A-Z a-z 0-9 _ -`. */
  readonly tag: string
  /** 1 to 300 of `A-Z a-z 0-9 _ . ~ -`. */
  readonly name: string
  /** When its id was made, as the id says; 0 where it does not say. */
  readonly madeAt: number
}

/** A session that stands. */
export interface LiveSession {
  readonly kind: 'live'
  /** Another number after each save. From 1. */
  readonly version: number
  /** When it ends without a further use. */
  readonly endsAt: number
  /** When it ends in any case. */
  readonly absoluteEnd: number
  /** The store's clock. */
  readonly now: number
  /** Empty where they were not asked for. */
  readonly bytes: Uint8Array
}

/** It is kept under another tag, by its whole id. */
export interface MovedSession {
  readonly kind: 'moved'
  readonly tag: string
}

/** `ended`: known to have ended. `absent`: nothing is known of it. */
export interface NoSession {
  readonly kind: 'ended' | 'absent'
}

export type SessionReply = LiveSession | MovedSession | NoSession

export interface SessionRead {
  /** Counts as a use, after which the session lasts for so long without another one, ms. 0: does not count as a use. */
  readonly idleMs: number
  /** Whether the caller wants the data. */
  readonly wantsBytes: boolean
}

/**
 * `create`: there must be none. `upsert`: creates or replaces. `update`: replaces only. `adopt`: as `upsert`, and the age of the id
 * does not matter, because the session stands at its first place. `adoptOver`: the same, unless a later version than the one at the
 * first place is here already: another caller was faster.
 */
export type SaveMode = 'create' | 'upsert' | 'update' | 'adopt' | 'adoptOver'

export interface SessionSave {
  readonly mode: SaveMode
  readonly bytes: Uint8Array
  /** How long it lasts without a use from now on, ms. From 1. */
  readonly idleMs: number
  /** Only over this version. 0: over any. With `adopt` and `adoptOver`: the version at the first place, which the new one is to be above. */
  readonly expected: number
  /** It is a session of the user that the tag stands for. Once it is, it stays so. */
  readonly ofUser: boolean
  /** With `adopt` and `adoptOver`: the end that it already has, 0 for none. */
  readonly absoluteEnd: number
}

export type SaveReply =
  | {
      readonly kind: 'saved'
      readonly version: number
      readonly endsAt: number
      readonly absoluteEnd: number
      readonly now: number
      /** Names of sessions of this tag that were ended for room. */
      readonly ended: readonly string[]
    }
  /** Another version is there. */
  | { readonly kind: 'conflict' }
  | MovedSession
  /** Refused: it has ended, or its id is too old for a new session. `absent`: with `update`, there is none. */
  | NoSession

/** A session in a list. */
export interface ListedSession {
  readonly name: string
  readonly endsAt: number
}

/** Where a session is kept from now on. */
export interface SessionMove {
  readonly tag: string
  readonly until: number
  /** Only if the first place has this version. 0: any. */
  readonly expected: number
}

export type MoveReply = MovedSession | NoSession | { readonly kind: 'conflict' }

/** A session by its place. */
export interface NamedSession {
  readonly tag: string
  readonly name: string
}

export interface SessionCapabilities {
  /** Sessions are seen by other processes. */
  readonly shared: boolean
}

export interface SessionProvider {
  /** Says where sessions are kept: `redis`, `local`. */
  readonly name: string
  readonly capabilities: SessionCapabilities
  /** Called before any other method, perhaps several times; connects lazily and does not throw because the other side is away. */
  open(namespace: string): void
  /** As that of a lock provider. */
  whenTried?(): Promise<void>
  /** Registers a listener that is told, once for each kind, what keeps the store from working as it is set up. The last one is used. */
  onTrouble?(listener: (error: Error) => void): void
  read(rule: SessionRule, place: SessionPlace, read: SessionRead): Promise<SessionReply>
  save(rule: SessionRule, place: SessionPlace, save: SessionSave): Promise<SaveReply>
  /** Ends it, and remembers that; replies with what was there. */
  end(rule: SessionRule, place: SessionPlace, wantsBytes: boolean): Promise<SessionReply>
  /**
   * Says at a first place that the session is kept under `tag` until `until`. Replies with where it is kept then, which is elsewhere if
   * another caller was first; `ended` if it has ended.
   */
  move(rule: SessionRule, place: SessionPlace, to: SessionMove): Promise<MoveReply>
  /** Ends all sessions of a user except the one named, in one step; replies with the names of those that stood. */
  endAll(rule: SessionRule, tag: string, except: string | undefined): Promise<readonly string[]>
  /** The live sessions of a user, the one that ends first first. */
  list(rule: SessionRule, tag: string): Promise<readonly ListedSession[]>
  /**
   * Names that are known under this rule, in chunks, each at least once; those of ended and moved sessions may be among them. For
   * people, and never for a request: it goes through everything that the store has.
   */
  scan?(rule: SessionRule): AsyncIterable<readonly NamedSession[]>
  close(): Promise<void>
}
