/** Whether bytes from the store may be served: are they an entry of ours, does it stand, how old is it. */

import { FLAG, field, isEntry, isMark } from '../entry/envelope.ts'
import { type EntryKind, LocalEntry } from '../entry/local-entry.ts'
import type { MissReason } from '../events/events.ts'
import { calmFor } from './early-refresh.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import type { Witness } from './witness.ts'

/** How old an entry is. A fallback is served only if loading fails. */
export type Age = 'fresh' | 'stale' | 'fallback'

/**
 * Reads bytes from the store straight into the form the local tier keeps, the value still missing; or returns the commit
 * id that a claim must name as unusable, 0 for none. `onForeign` is called for bytes that are not an entry of this format.
 */
export function inspect(
  bytes: Uint8Array | undefined,
  witness: Witness,
  node: Pick<CacheNode, 'knowledge' | 'clock'>,
  onForeign: (call: ReadCall) => void,
): LocalEntry | number {
  if (bytes === undefined) return 0
  const { call, stamp, at } = witness
  const tags = isEntry(bytes) ? field.tags(bytes) : undefined
  if (tags === undefined) {
    witness.missed = 'undecodable'
    onForeign(call)
    return 0
  }
  const flags = field.flags(bytes)
  if ((flags & FLAG.empty) !== 0) {
    if ((flags & FLAG.settling) !== 0) witness.missed = 'evicted'
    return 0
  }
  const commit = field.commit(bytes)
  if (field.schema(bytes) !== call.policy.schema) return unfit(witness, 'version', commit)
  const { knowledge } = node
  const birth = field.birth(bytes)
  if (!knowledge.tags.allows(birth, call.cacheTag, stamp.partition, tags)) {
    return unfit(witness, 'tag', commit)
  }
  const wasSoftened = (flags & FLAG.stale) !== 0
  // What was evicted softly is only a fallback, and older than the eviction of course.
  if (
    !wasSoftened &&
    knowledge.isOutlived(call.address, birth, {
      commit,
      createdAt: field.createdAt(bytes),
      loadMs: field.loadMs(bytes),
    })
  )
    return unfit(witness, 'evicted', commit)

  // Never longer than if it had been written this moment.
  const now = node.clock.now()
  const createdAt = Math.min(now, knowledge.server.toLocal(field.createdAt(bytes)))
  const livesUntil = createdAt + field.livesForMs(bytes)
  if (now >= livesUntil) return unfit(witness, wasSoftened ? 'evicted' : 'expired', commit)
  // The bytes were good when they were read, their tags as of the last confirmed tag clock.
  const goodAt = Math.min(at, knowledge.tagsVerifiedAt)
  // Not born above what this node knows: its next invalidation may stay here for a while, under a number of its own.
  const knownBirth = Math.min(birth, stamp.birth)
  const entry = new LocalEntry(kindOf(flags), tags, stamp, knownBirth, commit, goodAt)
  entry.createdAt = Math.floor(createdAt)
  if (wasSoftened || knowledge.tags.softens(birth, call.cacheTag, tags)) {
    witness.missed = wasSoftened ? 'evicted' : 'tag'
    // Nothing and errors are no fallback.
    if (entry.kind !== 'value') return commit
    entry.live(0, 0, 0, livesUntil)
    return entry
  }
  if (isMark(flags)) {
    witness.isMarked = true
    return commit
  }
  const freshForMs = field.freshForMs(bytes)
  const calmMs = calmFor(freshForMs, field.loadMs(bytes), call.policy.refreshBeta)
  const staleUntil = createdAt + field.staleForMs(bytes)
  if (now >= createdAt + freshForMs) witness.missed = 'expired'
  entry.live(createdAt + calmMs, createdAt + freshForMs, staleUntil, livesUntil)
  return entry
}

function unfit(witness: Witness, reason: MissReason, commit: number): number {
  witness.missed = reason
  return commit
}

export function ageOf(entry: LocalEntry, now: number): Age {
  if (now < entry.freshUntil) return 'fresh'
  return now < entry.staleUntil ? 'stale' : 'fallback'
}

function kindOf(flags: number): EntryKind {
  if ((flags & FLAG.error) !== 0) return 'error'
  return (flags & FLAG.negative) !== 0 ? 'negative' : 'value'
}
