/** The state of an entry by its own header. Its tags decide, too, whether it may be served: `explain` looks at them. */

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
