/**
 * How old a local hit really was: for how long its entry had been outdated when it was served.
 *
 * A hit is stale if something that outdates its entry was done before it was served: its key was evicted or replaced, or one of
 * its tags was evicted. Its staleness is the time from the first such change to the hit. Changes carry numbers that the store
 * minted from its clock, µs, so their instants are the store's; the hit's is this node's, on the scale that syncs have
 * related to the store's. What cannot be dated is `unknown`, and never counts as stale or as current.
 */

import { INTERVALS } from '../coherence/intervals.ts'
import type { ServerClock } from '../coherence/server-clock.ts'
import type { PartitionChanges, TagChanges } from '../contracts/remote-store.ts'
import { FLAG, field, isEntry } from '../entry/envelope.ts'
import type { OtherFinding, StaleReason } from '../stats/staleness.ts'
import type { StalenessSample } from './staleness-sample.ts'

export interface Stale {
  readonly reason: StaleReason
  readonly stalenessMs: number
}

export type Verdict = Stale | OtherFinding

/** What the store has for a sample. */
export interface StoreState {
  readonly header: Uint8Array | undefined
  readonly tags: TagChanges
  /** Left out when the store has the very write that was served: then no change of its key matters. */
  readonly changes: PartitionChanges | undefined
  /** When it was read, monotonic ms. */
  readonly readAt: number
}

interface Cause {
  readonly reason: StaleReason
  readonly at: number
}

const US_PER_MS = 1_000
/** Creation times are whole milliseconds. */
const ROUNDING_MS = 2

/** Tells whether the store still has the write that was served, not evicted softly. A copy of nothing (commit 0) is never the same. */
export function isSameWrite({ commit }: StalenessSample, header: Uint8Array | undefined): boolean {
  if (commit === 0 || !hasValue(header) || field.commit(header) !== commit) return false
  return (field.flags(header) & FLAG.stale) === 0
}

export function verdictOn(
  sample: StalenessSample,
  state: StoreState,
  server: ServerClock,
): Verdict {
  const { tags, changes, header, readAt } = state
  if (!server.isKnown || tags.version < sample.tagsAt) return 'unknown'
  const byTag = tagCauses(sample, state, server)
  const byKey = keyCauses(sample, state, server)
  if (byTag === 'unknown' || byKey === 'unknown') return 'unknown'
  const causes = [...byTag, ...byKey]
  // Numbers go on from the last one when the store's clock is set back: then they tell no time.
  if (causes.some(({ at }) => at - readAt > INTERVALS.setBackMs)) return 'unknown'
  const first = firstOf(causes.filter(({ at }) => at <= sample.at))
  if (first !== undefined) return { reason: first.reason, stalenessMs: sample.at - first.at }
  if (changes === undefined || causes.length > 0) return 'current'
  return otherWrite(sample, header, { readAt, server })
}

/** The evictions of tags that the entry does not know. */
function tagCauses(
  sample: StalenessSample,
  { tags, header, changes }: StoreState,
  server: ServerClock,
): readonly Cause[] | 'unknown' {
  // A reader takes an entry for born no later than what it knew itself: the header has the whole truth.
  const isHeader = changes === undefined && header !== undefined
  const birth = isHeader ? field.birth(header) : sample.birth
  if (tags.floor > birth && tags.floor > sample.tagsAt) return 'unknown'
  const later = tags.tags.filter(
    ([name, version]) => version > Math.max(birth, sample.tagsAt) && sample.names.includes(name),
  )
  // Born at a number of this node's own, which the store's numbers cannot be compared with.
  if (later.length > 0 && !Number.isInteger(sample.birth)) return 'unknown'
  return later.map(([, version]) => ({ reason: 'tag', at: instantOf(version, server) }))
}

/** The changes of the key since the entry was written. */
function keyCauses(
  sample: StalenessSample,
  { changes, header }: StoreState,
  server: ServerClock,
): readonly Cause[] | 'unknown' {
  if (changes === undefined) return []
  if (changes.kind === 'unknown') return 'unknown'
  const { keys, numbers } = changes
  if (numbers === undefined) return keys.includes(sample.address.key) ? 'unknown' : []
  const reason = isReplaced(sample, header) ? 'replaced' : 'evicted'
  const instants = numbers
    .filter((_, i) => keys[i] === sample.address.key)
    .map((number) => instantOf(number, server))
  // The first may be the very put that wrote the entry, read before this node heard of it.
  const writtenAt = sample.createdAt + server.errorMs + ROUNDING_MS
  const later = instants.filter((at) => at > writtenAt)
  const counted = later.length > 0 ? later : instants.slice(-1)
  return counted.map((at) => ({ reason, at }))
}

/** Nothing was evicted, and the store has something else, or nothing. */
function otherWrite(
  { commit, at, livesUntil }: StalenessSample,
  header: Uint8Array | undefined,
  { readAt, server }: { readonly readAt: number; readonly server: ServerClock },
): OtherFinding {
  // It was never a copy of what the store has, and nothing was changed since.
  if (commit === 0) return 'current'
  if (!hasValue(header)) return readAt >= livesUntil ? 'expired' : 'lost'
  return server.toLocal(field.createdAt(header)) > at ? 'current' : 'reloaded'
}

function hasValue(header: Uint8Array | undefined): header is Uint8Array {
  return header !== undefined && isEntry(header) && (field.flags(header) & FLAG.empty) === 0
}

/** Another value was written on purpose, and not loaded because there was none. */
function isReplaced({ commit }: StalenessSample, header: Uint8Array | undefined): boolean {
  if (!hasValue(header) || field.commit(header) === commit) return false
  return (field.flags(header) & (FLAG.put | FLAG.refreshed)) !== 0
}

function instantOf(number: number, server: ServerClock): number {
  return server.toLocal(number / US_PER_MS)
}

function firstOf(causes: readonly Cause[]): Cause | undefined {
  return [...causes].sort((a, b) => a.at - b.at)[0]
}
