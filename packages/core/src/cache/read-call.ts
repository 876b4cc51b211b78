/** One read as the engine sees it: everything about the call that is not the node's state. */

import type { EntryAddress } from '../contracts/remote-store.ts'
import type { ReadCounters } from '../events/stats.ts'
import type { Policy } from '../options/cache-options.ts'

/** What a loader is given. */
export interface LoadContext {
  /** Aborts when the load is given up: `loadTimeout`, a lost cause, or `close()`. */
  readonly signal: AbortSignal
  /** The value this load is to replace, if one is still at hand; for conditional requests. */
  readonly previous: unknown
}

export type Loader = (context: LoadContext) => Promise<unknown>

/** How tiers are used by this call (see `skipCache`). */
export type ReadMode = 'normal' | 'refresh' | 'localOnly'

export interface ReadCall {
  /** Name of the cache. */
  readonly cache: string
  /** The tag every entry of the cache carries. */
  readonly cacheTag: string
  /** `cache:key`. */
  readonly fullKey: string
  readonly address: EntryAddress
  readonly policy: Policy
  readonly counters: ReadCounters
  readonly mode: ReadMode
  readonly load: Loader
  /** Tags known from the arguments, as table names. */
  readonly tags: readonly string[]
  /** Further tags from the result, as table names. */
  readonly tagsOf?: ((value: unknown) => readonly string[]) | undefined
  /** Fresh-for from the result, ms; `undefined` for the policy's. */
  readonly ttlOf?: ((value: unknown) => number | undefined) | undefined
  /** False keeps this result out of the cache. */
  readonly storeWhen?: ((value: unknown) => boolean) | undefined
  /** Called once when the flight knows whether it will load (a batch then knows what is missing). */
  readonly onDecided?: (() => void) | undefined
}
