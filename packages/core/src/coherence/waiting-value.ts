/** A value that was put while the store was away: what is sent later, and what it stands on. */

import type { EntryHeader } from '../entry/envelope.ts'
import { agedCopy } from '../entry/header-patch.ts'
import type { Stamp } from '../entry/stamp.ts'
import { INTERVALS } from './intervals.ts'

/**
 * It says how long ago it was made, in the place of a load's time, so that a node that repeats a change lost in a failover can
 * tell that this is older. Nobody repeats what was done longer ago than `INTERVALS.rememberedMs`, so that no more has to be said; the
 * rest is for clocks that do not agree.
 */
const MOST_SAID_MS = 2 * INTERVALS.rememberedMs

/** What became of it. `not-kept`: the key is evicted, or will be. */
export type WaitingEnd = 'stored' | 'not-kept'

export interface WaitingValue {
  /** As it was to be stored, under its commit id. Never changed: an attempt that was given up may still be on its way. */
  readonly bytes: Uint8Array
  readonly commit: number
  /** The tag of its cache, and its own. */
  readonly cacheTag: string
  readonly tags: readonly string[]
  /** What its writer knew. */
  readonly stamp: Stamp
  /** The partition's number that the put names. */
  readonly since: number
  /** Since when it is unknown whether it is true, monotonic ms: its method was called then. */
  readonly begunAt: number
  /** When it was put, monotonic ms: its life counts from there. */
  readonly askedAt: number
  /** Told once what became of it. */
  ended(outcome: WaitingEnd): void
}

/** How it is sent at `now` (monotonic ms): its life is shorter by what it waited. `undefined` when that is over. */
export function agedValue(
  { bytes, begunAt, askedAt }: WaitingValue,
  { livesForMs }: Pick<EntryHeader, 'livesForMs'>,
  now: number,
): { readonly bytes: Uint8Array; readonly livesMs: number } | undefined {
  const waitedMs = Math.ceil(now - askedAt)
  const livesMs = livesForMs - waitedMs
  if (livesMs <= 0) return undefined
  const saidMs = Math.min(MOST_SAID_MS, Math.ceil(now - begunAt))
  return { bytes: agedCopy(bytes, waitedMs, saidMs), livesMs }
}
