/** Whether bytes from the store may be served: are they an entry of ours, does it stand, how old is it. */

import { decodeEntry, FLAG, type StoredEntry } from '../entry/envelope.ts'
import type { EntryKind, EntryTimes } from '../entry/local-entry.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'

/** What was found in the store. `seen` is the commit id that a claim names as wanting; 0 for none. */
export type RemoteFinding =
  | { readonly kind: 'nothing'; readonly seen: number }
  | {
      readonly kind: 'entry'
      readonly seen: number
      readonly age: 'fresh' | 'stale' | 'fallback'
      readonly stored: StoredEntry
      readonly times: EntryTimes
    }

const NOTHING: RemoteFinding = { kind: 'nothing', seen: 0 }

/** Judges what was read; `onForeign` is told about bytes that are no entry of this format. */
export function inspect(
  bytes: Uint8Array | undefined,
  call: ReadCall,
  node: CacheNode,
  onForeign: (call: ReadCall, reason: string) => void,
): RemoteFinding {
  if (bytes === undefined) return NOTHING
  const stored = decodeEntry(bytes)
  if (stored === undefined) {
    onForeign(call, 'not an entry of a known format')
    return NOTHING
  }
  if ((stored.flags & FLAG.empty) !== 0) return NOTHING
  const seen = stored.commit
  if (stored.schema !== call.policy.schema || !stands(stored, call, node)) {
    return { kind: 'nothing', seen }
  }
  const now = node.clock.now()
  const times = timesOf(stored, call, node, now)
  if (now >= times.livesUntil) return { kind: 'nothing', seen }
  if (now < times.freshUntil) return { kind: 'entry', seen, age: 'fresh', stored, times }
  return { kind: 'entry', seen, age: now < times.staleUntil ? 'stale' : 'fallback', stored, times }
}

/** The entry's times on this node's clock. Never longer than if it had been written this moment. */
function timesOf(stored: StoredEntry, call: ReadCall, node: CacheNode, now: number): EntryTimes {
  const createdAt = Math.min(now, node.coherence.server.toLocal(stored.createdAt))
  const isSoft = (stored.flags & FLAG.stale) !== 0
  const freshUntil = isSoft ? 0 : createdAt + stored.freshForMs
  return {
    calmUntil: calmUntil(freshUntil, stored.loadMs, call.policy.refreshBeta),
    freshUntil,
    staleUntil: isSoft ? 0 : createdAt + stored.staleForMs,
    livesUntil: createdAt + stored.livesForMs,
  }
}

/**
 * Draws the moment from which a hit refreshes ahead: XFetch (Vattani et al., VLDB 2015), `end + Δ·β·ln(random)`.
 *
 * Drawn once per entry and node instead of at every read: the distribution over nodes is the same, and a hit stays one
 * comparison.
 */
export function calmUntil(freshUntil: number, loadMs: number, beta: number): number {
  return beta === 0 ? freshUntil : freshUntil + loadMs * beta * Math.log(1 - Math.random())
}

export function kindOf(flags: number): EntryKind {
  if ((flags & FLAG.error) !== 0) return 'error'
  return (flags & FLAG.negative) !== 0 ? 'negative' : 'value'
}

function stands(stored: StoredEntry, call: ReadCall, node: CacheNode): boolean {
  const { partition } = call.address
  return node.coherence.tags.allows(stored.birth, call.cacheTag, partition, stored.tags)
}
