/** What an entry is, for who wants to know more than its value. */

import { tagText } from '../coherence/tag-clock.ts'
import type { EntryKind } from '../entry/local-entry.ts'
import type { Found } from './found.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import { ownCopy } from './value-forms.ts'

/** An entry as it stands. Times are in ms, 0 where they are over. */
export interface EntryView<Value = unknown> {
  /** The full key. */
  readonly key: string
  /**
   * `fresh`: served. `stale`: served while a refresh runs. `fallback`: served only when loading fails; also what was evicted
   * softly.
   */
  readonly state: 'fresh' | 'stale' | 'fallback'
  /** `negative`: the source had nothing. `error`: a load error that is remembered. */
  readonly kind: EntryKind
  /** `undefined` of an error. */
  readonly value: Value | undefined
  /** Of a remembered error. */
  readonly error: unknown
  /** Since it was loaded or written. */
  readonly ageMs: number
  /** How long it is still fresh. */
  readonly freshForMs: number
  /** How long it may still be served while a refresh runs. */
  readonly staleForMs: number
  /** How long it is still kept. */
  readonly livesForMs: number
  /** Its tags, those of the policy among them. */
  readonly tags: readonly string[]
  /** Where it was found: in this process, or in the shared store. */
  readonly tier: 'local' | 'remote'
}

export function viewOf(
  found: Found,
  call: ReadCall,
  node: Pick<CacheNode, 'clock' | 'copyValue'>,
): EntryView {
  const { entry, age, tier } = found
  const now = node.clock.now()
  const left = (until: number): number => Math.max(0, until - now)
  return {
    key: call.fullKey,
    state: age,
    kind: entry.kind,
    ...(entry.kind === 'error'
      ? { value: undefined, error: ownOf(found, call, node) }
      : { value: ownOf(found, call, node), error: undefined }),
    ageMs: Math.max(0, now - entry.createdAt),
    freshForMs: left(entry.freshUntil),
    staleForMs: left(entry.staleUntil),
    livesForMs: left(entry.livesUntil),
    tags: entry.tags.map(tagText),
    tier,
  }
}

/** Returns what an entry remembers, as it is handed out. */
export function ownOf(
  { entry }: Pick<Found, 'entry'>,
  call: ReadCall,
  node: Pick<CacheNode, 'copyValue'>,
): unknown {
  const { policy } = call
  if (policy.isolation !== 'cloned') return entry.value
  return entry.kind === 'error' ? node.copyValue(entry.value) : ownCopy(node, policy, entry.value)
}
