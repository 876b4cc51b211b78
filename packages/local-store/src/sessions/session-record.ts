/** What is kept under the name of a session, and how it is judged. */

import type { MovedSession, NoSession, SessionPlace, SessionRule } from '@larder/core/store'

/** A session that stands, or did until its time was over or its name left the list. */
export interface Data {
  readonly kind: 'data'
  readonly ofUser: boolean
  readonly version: number
  readonly absoluteEnd: number
  endsAt: number
  idleMs: number
  readonly bytes: Uint8Array
  /** Until when a session of its id may begin, and so until when it matters that it has ended, at least. */
  readonly lateUntil: number
  /** For how long it matters after its end: where its id does not say when it was made. */
  readonly lateMs: number
}

export type SessionRecord =
  | Data
  | {
      readonly kind: 'moved'
      readonly tag: string
      readonly until: number
      readonly lateUntil: number
    }
  /** A tombstone. */
  | { readonly kind: 'ended'; readonly until: number; readonly lateUntil: number }

/** A session that stands. */
export interface Live {
  readonly kind: 'live'
  readonly data: Data
  readonly endsAt: number
  readonly absoluteEnd: number
  /** The clock is behind the last use that was noted: it was set back. */
  readonly isSetBack: boolean
}

export type Standing = MovedSession | NoSession | Live

export const ENDED = { kind: 'ended' } as const satisfies NoSession
export const ABSENT = { kind: 'absent' } as const satisfies NoSession

export function looked(
  record: SessionRecord | undefined,
  at: {
    readonly rule: SessionRule
    readonly place: SessionPlace
    readonly now: number
    readonly isListed: () => boolean
  },
): Standing {
  const { rule, place, now } = at
  if (record === undefined) return ABSENT
  if (record.kind !== 'data') {
    if (record.until <= now) return ABSENT
    return record.kind === 'moved' ? { kind: 'moved', tag: record.tag } : ENDED
  }
  const { madeAt } = place
  const absoluteEnd =
    madeAt > 0 ? Math.min(record.absoluteEnd, madeAt + rule.absoluteMs) : record.absoluteEnd
  const longest = now + record.idleMs
  const endsAt = Math.min(record.endsAt, absoluteEnd, longest)
  if (knownUntil(record) <= now) return ABSENT
  if (endsAt <= now || (record.ofUser && !at.isListed())) return ENDED
  return { kind: 'live', data: record, endsAt, absoluteEnd, isSetBack: record.endsAt > longest }
}

/** Until when a session of this id may be saved for the first time; so long its end is remembered. */
export function lateUntil({ lateMs }: SessionRule, { madeAt }: SessionPlace, now: number): number {
  return (madeAt || now) + lateMs
}

/** The same as the id says it; 0 where it says nothing. */
export function ownLateUntil({ lateMs }: SessionRule, { madeAt }: SessionPlace): number {
  return madeAt === 0 ? 0 : madeAt + lateMs
}

/** After this, a record means nothing. */
export function knownUntil(record: SessionRecord): number {
  if (record.kind !== 'data') return record.until
  return Math.max(record.endsAt + record.lateMs, record.lateUntil)
}
