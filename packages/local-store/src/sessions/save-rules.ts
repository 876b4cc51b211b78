/** What decides whether a save is taken, and what it makes of a session. */

import type { SessionPlace, SessionRule, SessionSave } from '@larder/core/store'
import { lateUntil } from './session-record.ts'

/** Whether a session of this id may be saved for the first time. */
export function isNewAt(rule: SessionRule, place: SessionPlace, now: number): boolean {
  if (place.madeAt === 0) return true
  return now < lateUntil(rule, place, now) && place.madeAt <= now + rule.lateMs
}

export function isAdoption({ mode }: SessionSave): boolean {
  return mode === 'adopt' || mode === 'adoptOver'
}

export function isConflict({ mode, expected }: SessionSave, version: number): boolean {
  if (mode === 'adopt') return false
  if (mode === 'adoptOver') return version > expected
  return expected > 0 && version !== expected
}

export function versionAfter(
  { mode, expected }: SessionSave,
  version: number,
  now: number,
): number {
  // Not above it by more: so a second one who adopts over the same version finds a later one here.
  if (mode === 'adoptOver') return expected + 1
  return Math.max(now, version + 1, mode === 'adopt' ? expected + 1 : 0)
}

export function firstEnd(
  { absoluteMs }: SessionRule,
  { madeAt }: SessionPlace,
  { absoluteEnd }: SessionSave,
  now: number,
): number {
  const own = Math.min(madeAt || now, now) + absoluteMs
  return absoluteEnd > 0 ? Math.min(absoluteEnd, own) : own
}
