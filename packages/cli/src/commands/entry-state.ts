/** What an entry is by its own header: whether it may still be served is decided by its tags as well, which `explain` looks at. */

import { FLAG } from '@larder/core/store'
import type { EntryRow } from '@larder/redis-store/inspect'

export type EntryState =
  | 'fresh'
  | 'stale'
  | 'fallback'
  | 'expired'
  | 'softened'
  | 'loading'
  | 'foreign'

/** `nowMs`: the server's clock. */
export function stateOf({ head }: EntryRow, nowMs: number): EntryState {
  if (head === undefined) return 'foreign'
  if ((head.flags & FLAG.empty) !== 0) return 'loading'
  const age = nowMs - head.createdAt
  if (age >= head.livesForMs) return 'expired'
  if ((head.flags & FLAG.stale) !== 0) return 'softened'
  if (age < head.freshForMs) return 'fresh'
  return age < head.staleForMs ? 'stale' : 'fallback'
}
