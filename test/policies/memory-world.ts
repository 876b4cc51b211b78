/** Nodes on one store in memory, on a manual clock: no sleeps, nothing to wait for. A test makes a world of its own. */

import {
  type CacheEventName,
  type CacheManagerOptions,
  type CacheOptions,
  createCacheManager,
} from '@larder/core'
import { ManualClock, MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { onTestFinished, vi } from 'vitest'

/** Long enough for a manager to close, whatever it waits for, ms. */
const CLOSING_MS = 5_000

export class MemoryWorld {
  readonly clock = new ManualClock()
  readonly server = new MemoryServer({ clock: this.clock })
  readonly namespace: string
  readonly #defaults: CacheOptions

  constructor(namespace: string, defaults: CacheOptions = {}) {
    this.namespace = namespace
    this.#defaults = defaults
  }

  /** Starts a node with a cache `c`; it ends with the test. */
  startNode(policy: CacheOptions = {}, options: Partial<CacheManagerOptions> = {}) {
    const store = this.server.store()
    const caches = createCacheManager({
      namespace: this.namespace,
      local: lruStore(),
      remote: store,
      codec: structuredCodec,
      clock: this.clock,
      default: false,
      defaults: { ttl: '10s', jitter: 0, ...this.#defaults, ...policy },
      ...options,
    })
    onTestFinished(async () => {
      const closing = caches.close()
      await this.clock.advanceAsync(CLOSING_MS)
      await closing
    })
    /** What is emitted from now on under a name. */
    const seen = (name: CacheEventName): readonly unknown[] => {
      const events: unknown[] = []
      caches.on(name, (event) => events.push(event))
      return events
    }
    return { caches, store, seen, cache: caches.cache<unknown>('c') }
  }
}

/** A loader that counts and returns `v1`, `v2`, …. */
export function counting() {
  const load = vi.fn(async () => `v${load.mock.calls.length}`)
  return load
}

/** A loader whose source is down. */
export const down = (): Promise<never> => Promise.reject(new Error('down'))

/** A loader that nobody should call. */
export const never = (): Promise<never> => Promise.reject(new Error('must not load'))
