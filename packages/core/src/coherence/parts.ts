/** What the rooms of coherence are built from. */

import type { Clock } from '../contracts/clock.ts'
import type { Emitter } from '../events/emitter.ts'
import type { BackgroundWork } from '../lifecycle/background-work.ts'
import type { RemoteTier } from '../remote/remote-tier.ts'

/** What coherence tells the cache side to do. */
export interface CoherenceTargets {
  /** Kills flights and deletes (or softens) local entries of these keys, except what already includes `seq`. */
  forget(keys: readonly string[], seq: number, soft?: boolean): void
  /** Opens settle windows. */
  settle(keys: readonly string[], settleMs: number): void
  /** A lease that this node waits for ended. */
  wake(key: string): void
  /** A sync was answered: the store can be reached. */
  synced?(): void
}

export interface CoherenceParts {
  readonly namespace: string
  readonly remote: RemoteTier | undefined
  readonly clock: Clock
  readonly events: Emitter
  readonly work: BackgroundWork
  readonly targets: CoherenceTargets
  /** The longest life any entry of this node may have, ms; grows as caches are made. */
  readonly longestLifeMs: () => number
}

/** The same where there is a remote tier: without one, nothing is sent and nothing is heard. */
export type ConnectedParts = CoherenceParts & { readonly remote: RemoteTier }

/** How many keys go to the store, or on the bus, in one call. */
const KEYS_PER_CALL = 1_000

/** Cuts a long list into what one call takes. */
export function chunksOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const chunks: (readonly Item[])[] = []
  for (let i = 0; i < items.length; i += KEYS_PER_CALL)
    chunks.push(items.slice(i, i + KEYS_PER_CALL))
  return chunks
}
