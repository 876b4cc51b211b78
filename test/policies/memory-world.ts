/** Nodes on one store in memory, on a manual clock: no sleeps, nothing to wait for. A test makes a world of its own. */

import type { CacheEventName, CacheManagerOptions, CacheOptions } from '@larder/core'
import { ManualClock, MemoryServer } from '@larder/core/testing'
import { onTestFinished, vi } from 'vitest'
import { closeNodes, memoryNode } from '../support/memory-node.ts'

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
    const { store, caches } = memoryNode(this, {
      defaults: { ttl: '10s', jitter: 0, ...this.#defaults, ...policy },
      ...options,
    })
    onTestFinished(() => closeNodes(this.clock, [caches]))
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
