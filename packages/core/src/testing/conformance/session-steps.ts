/** What the conformance suite of session providers asks for, with what is usual left out. */

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type {
  LiveSession,
  SaveReply,
  SessionPlace,
  SessionProvider,
  SessionRead,
  SessionReply,
  SessionRule,
  SessionSave,
} from '../../contracts/session-provider.ts'

/** Two ends of one store. */
export type Ends = readonly [SessionProvider, SessionProvider]

/** A fact about providers, on fresh ones. */
export type SessionCase = readonly [name: string, run: (ends: Ends) => Promise<void>]

export const SHORT_MS = 60
export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
export const TAG = 'user7'
export const NONE = { kind: 'absent' } as const

export const RULE: SessionRule = {
  sessions: 'web',
  absoluteMs: 30 * DAY_MS,
  touchEveryMs: 0,
  maxPerUser: 100,
  lateMs: HOUR_MS,
}

/** A place of its own under `TAG`, whose id was just made. */
export function newPlace(changes: Partial<SessionPlace> = {}): SessionPlace {
  const name = `mc3k1q0.${randomBytes(16).toString('base64url')}`
  return { tag: TAG, name, madeAt: Date.now(), ...changes }
}

export function read(changes: Partial<SessionRead> = {}): SessionRead {
  return { idleMs: 0, wantsBytes: true, ...changes }
}

export function save(text: string, changes: Partial<SessionSave> = {}): SessionSave {
  return {
    mode: 'upsert',
    bytes: bytesOf(text),
    idleMs: HOUR_MS,
    expected: 0,
    ofUser: false,
    absoluteEnd: 0,
    ...changes,
  }
}

export async function saved(
  end: SessionProvider,
  place: SessionPlace,
  wanted: SessionSave,
): Promise<SaveReply & { readonly kind: 'saved' }> {
  const reply = await end.save(RULE, place, wanted)
  assert(reply.kind === 'saved', `It was answered ${reply.kind}`)
  return reply
}

/** The session, which has to stand. */
export async function liveNow(
  end: SessionProvider,
  place: SessionPlace,
  { idleMs = 0, rule = RULE }: { readonly idleMs?: number; readonly rule?: SessionRule } = {},
): Promise<LiveSession> {
  const reply = await end.read(rule, place, read({ idleMs }))
  assert(reply.kind === 'live', `It was answered ${reply.kind}`)
  return reply
}

export async function endedNow(end: SessionProvider, place: SessionPlace): Promise<void> {
  assert.deepEqual(await end.read(RULE, place, read()), { kind: 'ended' })
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function textIn(reply: SessionReply): string {
  return reply.kind === 'live' ? new TextDecoder().decode(reply.bytes) : ''
}
