/** A node on a store in memory and on a manual clock: what every stage without a Redis begins with. */

import { type CacheManager, type CacheManagerOptions, createCacheManager } from '@larder/core'
import {
  type ManualClock,
  type MemoryRemoteStore,
  type MemoryServer,
  structuredCodec,
} from '@larder/core/testing'
import { lruStore } from '@larder/local-store'

/** Long enough for a manager to close, whatever it waits for, ms. */
const CLOSING_MS = 5_000

export interface MemoryNode {
  readonly store: MemoryRemoteStore
  readonly caches: CacheManager
}

/** What nodes of one world share. */
export interface MemoryPlace {
  readonly namespace: string
  readonly clock: ManualClock
  readonly server: MemoryServer
}

/** Starts a node; whoever starts it closes it, by {@link closeNodes}. */
export function memoryNode(
  { namespace, clock, server }: MemoryPlace,
  options: Partial<CacheManagerOptions> = {},
): MemoryNode {
  const store = server.store()
  const caches = createCacheManager({
    namespace,
    local: lruStore(),
    remote: store,
    codec: structuredCodec,
    clock,
    default: false,
    ...options,
  })
  return { store, caches }
}

/** Closes managers whose clock stands still otherwise. */
export async function closeNodes(
  clock: ManualClock,
  managers: readonly CacheManager[],
): Promise<void> {
  const closing = managers.map((manager) => manager.close())
  await clock.advanceAsync(CLOSING_MS)
  await Promise.all(closing)
}
