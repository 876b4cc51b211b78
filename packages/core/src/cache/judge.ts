/**
 * Whether a local entry may be served: first its coherence (may it be trusted?), then its age (is it fresh?).
 *
 * Coherence has three answers. *Trusted*: the partition was confirmed within `maxStaleness` and nothing invalidated the
 * entry. *Unverified*: nothing says it is wrong, but it was not confirmed lately; its commit id must be compared with the
 * store. *Gone*: it was invalidated. An entry that was itself read, loaded or compared within `maxStaleness` may be served
 * whatever is known of its partition, which is what bounds staleness for an isolated node.
 */

import type { Knowledge } from '../coherence/knowledge.ts'
import type { LocalEntry } from '../entry/local-entry.ts'
import type { Stamp } from '../entry/stamp.ts'
import type { MissReason } from '../events/events.ts'
import type { ReadCall } from './read-call.ts'

/** What may be done with a local entry. */
export type Standing =
  /** Serve it. */
  | 'fresh'
  /** Serve it, and refresh it ahead of its end. */
  | 'early'
  /** Serve it, and revalidate it behind the caller. */
  | 'stale'
  /** Serve it; a refresh failed a moment ago and is not tried again yet. */
  | 'backing-off'
  /** Serve it only if loading fails. */
  | 'fallback'
  /** Compare its commit id with the store before anything else. */
  | 'unverified'
  /** Invalidated or expired. */
  | 'gone'

/** `now`: monotonic ms. */
export function judge(
  entry: LocalEntry,
  call: ReadCall,
  knowledge: Knowledge,
  now: number,
): Standing {
  if (now >= entry.livesUntil) return 'gone'
  if (entry.checked !== knowledge.changes) {
    const stands = knowledge.tags.allows(
      entry.birth,
      call.cacheTag,
      entry.stamp.partition,
      entry.tags,
    )
    if (!stands) return 'gone'
    if (knowledge.tags.softens(entry.birth, call.cacheTag, entry.tags)) {
      soften(entry, call, knowledge)
      if (now >= entry.livesUntil) return 'gone'
    }
    // Error and negative entries are left unchecked, so that they always take this path and are counted as what they are.
    if (entry.kind === 'value' && knowledge.isLevel(entry.stamp)) {
      entry.checked = knowledge.changes
    }
  }
  if (!isTrusted(entry, call.policy.maxStalenessMs, knowledge, now)) return 'unverified'
  if (now < entry.calmUntil) return 'fresh'
  if (now < entry.freshUntil) return 'early'
  if (entry.quiet !== undefined && now < entry.quiet.until) return 'backing-off'
  return now < entry.staleUntil ? 'stale' : 'fallback'
}

/** Why an entry that is gone may not be served. */
export function goneBy({ livesUntil }: LocalEntry, now: number): MissReason {
  return now >= livesUntil ? 'expired' : 'tag'
}

/** Only what a load could not know of is a reason to try again before its failure is over. */
function soften(entry: LocalEntry, { cacheTag }: ReadCall, knowledge: Knowledge): void {
  const { quiet, tags } = entry
  entry.soften()
  if (quiet !== undefined && !knowledge.tags.softens(quiet.birth, cacheTag, tags))
    entry.quiet = quiet
}

/**
 * Tells whether something was known good, by itself (`verifiedAt`) or by its partition, within `maxStaleness`.
 */
export function isTrusted(
  { stamp, verifiedAt }: { readonly stamp: Stamp; readonly verifiedAt: number },
  maxStalenessMs: number,
  knowledge: Knowledge,
  now: number,
): boolean {
  const isByPartition =
    knowledge.isLevel(stamp) && now - knowledge.verifiedAt(stamp.partition) < maxStalenessMs
  if (isByPartition) return true
  return now - verifiedAt < maxStalenessMs && stamp.changes >= knowledge.trustedSince
}
