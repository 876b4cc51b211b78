/**
 * Sessions as the Redis scripts keep them, step by step, in memory: the in-process provider, and the model that the scripts are
 * compared with. Time is given with every step, ms since the epoch, so that a test can set it.
 *
 * A user's session stands while its record is there *and* its name is in the list of its tag. So all sessions of a user end in
 * one step, which empties the list; their records then show that they have ended, as tombstones do.
 */

import type {
  ListedSession,
  MoveReply,
  NamedSession,
  SaveReply,
  SessionMove,
  SessionPlace,
  SessionRead,
  SessionReply,
  SessionRule,
  SessionSave,
} from '@larder/core/store'
import { firstEnd, isAdoption, isConflict, isNewAt, versionAfter } from './save-rules.ts'
import {
  ABSENT,
  type Data,
  ENDED,
  knownUntil,
  type Live,
  lateUntil,
  looked,
  ownLateUntil,
  type SessionRecord,
  type Standing,
} from './session-record.ts'

export class SessionTable {
  /** Records by tag and name; a name holds no colon. The one that was not used for longest is the first. */
  readonly #records = new Map<string, SessionRecord>()
  /** What belongs to an id of this lateness or before begins no more: an end that mattered so long was forgotten for room. */
  #closedUntil = 0
  /** Of each tag, the live sessions of its user by the end of each. */
  readonly #lists = new Map<string, Map<string, number>>()

  /** How many records are known, those of ended sessions included. */
  get size(): number {
    return this.#records.size
  }

  read(
    rule: SessionRule,
    place: SessionPlace,
    { idleMs, wantsBytes }: SessionRead,
    now: number,
  ): SessionReply {
    const found = this.#look(rule, place, now)
    if (idleMs > 0) this.#moveLast(place)
    if (found.kind !== 'live') return found
    if (idleMs === 0) return liveOf(found, { endsAt: found.endsAt, now, wantsBytes })
    this.#touch(rule, place, found, { idleMs, now })
    return liveOf(found, { endsAt: found.data.endsAt, now, wantsBytes })
  }

  save(rule: SessionRule, place: SessionPlace, save: SessionSave, now: number): SaveReply {
    const found = this.#look(rule, place, now)
    if (found.kind === 'moved' || found.kind === 'ended') return found
    const live = found.kind === 'live' ? found : undefined
    if (live === undefined) {
      if (save.mode === 'update') return ABSENT
      if (!isAdoption(save) && !this.#mayBegin(rule, place, save, now)) return ENDED
    } else {
      if (save.mode === 'create') return ENDED
      if (isConflict(save, live.data.version)) return { kind: 'conflict' }
    }
    const known = live?.data
    const absoluteEnd = live?.absoluteEnd ?? firstEnd(rule, place, save, now)
    if (absoluteEnd <= now) return ENDED
    const data: Data = {
      kind: 'data',
      ofUser: save.ofUser || known?.ofUser === true,
      version: versionAfter(save, known?.version ?? 0, now),
      absoluteEnd,
      endsAt: Math.min(now + save.idleMs, absoluteEnd),
      idleMs: save.idleMs,
      bytes: save.bytes,
      lateUntil: ownLateUntil(rule, place),
      lateMs: place.madeAt === 0 ? rule.lateMs : 0,
    }
    this.#keep(place, data)
    const ended = data.ofUser ? this.#enlist(rule, place, data.endsAt, now) : []
    const { version, endsAt } = data
    return { kind: 'saved', version, endsAt, absoluteEnd, now, ended }
  }

  end(rule: SessionRule, place: SessionPlace, wantsBytes: boolean, now: number): SessionReply {
    const found = this.#look(rule, place, now)
    if (found.kind === 'moved') return found
    if (found.kind === 'absent' && !isNewAt(rule, place, now)) return found
    // Also one that has ended by time: a clock that is set back must not list it again.
    this.#delist(place)
    this.#bury(rule, place, now)
    if (found.kind !== 'live') return found
    return liveOf(found, { endsAt: found.endsAt, now, wantsBytes })
  }

  move(rule: SessionRule, place: SessionPlace, to: SessionMove, now: number): MoveReply {
    const found = this.#look(rule, place, now)
    if (found.kind === 'moved' || found.kind === 'ended') return found
    if (found.kind === 'live' && found.data.ofUser) return ENDED
    if (found.kind === 'absent' && !isNewAt(rule, place, now)) return ENDED
    const version = found.kind === 'live' ? found.data.version : 0
    if (to.expected > 0 && version !== to.expected) return { kind: 'conflict' }
    const until = Math.max(to.until, lateUntil(rule, place, now))
    this.#keep(place, { kind: 'moved', tag: to.tag, until, lateUntil: ownLateUntil(rule, place) })
    return { kind: 'moved', tag: to.tag }
  }

  endAll(tag: string, except: string | undefined, now: number): readonly string[] {
    const list = this.#listOf(tag, now)
    const names = inOrder(list).map(({ name }) => name)
    const ended = names.filter((name) => name !== except)
    for (const name of ended) list.delete(name)
    this.#dropEmpty(tag, list)
    return ended
  }

  list(tag: string, now: number): readonly ListedSession[] {
    // Nothing is dropped: a look changes nothing.
    return inOrder(this.#lists.get(tag) ?? new Map()).filter(({ endsAt }) => endsAt > now)
  }

  /** Redis deletes by expiry; here, what means nothing any more goes when the provider says so. */
  sweep(now: number): void {
    for (const [key, record] of this.#records) {
      if (knownUntil(record) <= now) this.#records.delete(key)
    }
    for (const tag of this.#lists.keys()) this.#dropEmpty(tag, this.#listOf(tag, now))
  }

  /**
   * Makes room, so that at most so many records are known: the one that was not used for longest goes, and its name leaves the list of
   * its user. Whether it stood or had ended, nothing of its age begins anew: a late save finds no end of it any more.
   */
  shrinkTo(most: number, now: number): boolean {
    const isTooLarge = this.#records.size > most
    for (const [key, record] of this.#records) {
      if (this.#records.size <= most) break
      this.#records.delete(key)
      const [tag = '', name = ''] = key.split(':')
      this.#delist({ tag, name })
      if (knownUntil(record) > now)
        this.#closedUntil = Math.max(this.#closedUntil, record.lateUntil)
    }
    return isTooLarge
  }

  names(): readonly NamedSession[] {
    return [...this.#records.keys()].map((key) => {
      const [tag = '', name = ''] = key.split(':')
      return { tag, name }
    })
  }

  clear(): void {
    this.#records.clear()
    this.#lists.clear()
    this.#closedUntil = 0
  }

  #look(rule: SessionRule, place: SessionPlace, now: number): Standing {
    const isListed = (): boolean => this.#lists.get(place.tag)?.has(place.name) === true
    return looked(this.#records.get(keyOf(place)), { rule, place, now, isListed })
  }

  /** Notes a use, unless one was noted just before. */
  #touch(
    rule: SessionRule,
    place: SessionPlace,
    found: Live,
    { idleMs, now }: { idleMs: number; now: number },
  ): void {
    const { data, absoluteEnd, isSetBack } = found
    const target = Math.min(now + idleMs, absoluteEnd)
    const isLater = target >= data.endsAt
    if (!isSetBack && isLater && target - data.endsAt < rule.touchEveryMs) return
    data.endsAt = target
    data.idleMs = idleMs
    if (data.ofUser) this.#lists.get(place.tag)?.set(place.name, target)
  }

  /** Puts a session of a user on the list; returns the names of those that have to go for it. */
  #enlist(
    { maxPerUser }: SessionRule,
    { tag, name }: SessionPlace,
    endsAt: number,
    now: number,
  ): readonly string[] {
    const list = this.#listOf(tag, now)
    this.#lists.set(tag, list)
    const others = inOrder(list).filter((other) => other.name !== name)
    const isNew = !list.has(name)
    const surplus = isNew ? Math.max(0, others.length + 1 - maxPerUser) : 0
    const ended = others.slice(0, surplus).map((other) => other.name)
    for (const other of ended) list.delete(other)
    list.set(name, endsAt)
    return ended
  }

  #delist({ tag, name }: NamedSession): void {
    const list = this.#lists.get(tag)
    if (list === undefined) return
    list.delete(name)
    this.#dropEmpty(tag, list)
  }

  /** Remembers that it has ended for as long as it could be saved as a new one. */
  #bury(rule: SessionRule, place: SessionPlace, now: number): void {
    const until = lateUntil(rule, place, now)
    if (until > now)
      this.#keep(place, { kind: 'ended', until, lateUntil: ownLateUntil(rule, place) })
    else this.#records.delete(keyOf(place))
  }

  #keep(place: SessionPlace, record: SessionRecord): void {
    const key = keyOf(place)
    this.#records.delete(key)
    this.#records.set(key, record)
  }

  #moveLast(place: SessionPlace): void {
    const record = this.#records.get(keyOf(place))
    if (record !== undefined) this.#keep(place, record)
  }

  #mayBegin(rule: SessionRule, place: SessionPlace, { mode }: SessionSave, now: number): boolean {
    if (!isNewAt(rule, place, now)) return false
    // Its id was made for this very save. One that does not say when it was made cannot be compared.
    if (mode === 'create' || place.madeAt === 0) return true
    return ownLateUntil(rule, place) > this.#closedUntil
  }

  /** The list of a tag without what has ended by time. */
  #listOf(tag: string, now: number): Map<string, number> {
    const list = this.#lists.get(tag) ?? new Map<string, number>()
    for (const [name, endsAt] of list) if (endsAt <= now) list.delete(name)
    return list
  }

  #dropEmpty(tag: string, list: Map<string, number>): void {
    if (list.size === 0) this.#lists.delete(tag)
  }
}

function keyOf({ tag, name }: SessionPlace): string {
  return `${tag}:${name}`
}

function liveOf(
  { data, absoluteEnd }: Live,
  { endsAt, now, wantsBytes }: { endsAt: number; now: number; wantsBytes: boolean },
): SessionReply {
  const bytes = wantsBytes ? data.bytes : EMPTY
  return { kind: 'live', version: data.version, endsAt, absoluteEnd, now, bytes }
}

const EMPTY = new Uint8Array()

/** As a sorted set has them: by end, then by the bytes of the name. */
function inOrder(list: ReadonlyMap<string, number>): ListedSession[] {
  return [...list]
    .map(([name, endsAt]) => ({ name, endsAt }))
    .sort((a, b) => a.endsAt - b.endsAt || (a.name < b.name ? -1 : 1))
}
