/** A few nodes on one server in memory, on a manual clock, for histories that are written down rather than drawn. */

import type { CacheManager, CacheOptions } from '@larder/core'
import { INTERNALS, partitionOf, type SyncReply } from '@larder/core/store'
import {
  type Deliver,
  type Delivery,
  ManualClock,
  type MemoryRemoteStore,
  MemoryServer,
} from '@larder/core/testing'
import { vi } from 'vitest'
import { closeNodes, memoryNode } from '../../support/memory-node.ts'

export const MAX_STALENESS_MS = 2_000

export class Fleet {
  readonly namespace = 'found'
  readonly clock = new ManualClock()
  readonly server: MemoryServer
  /** What was held back, in its order. */
  readonly held: (() => void)[] = []
  readonly #managers: CacheManager[] = []
  /** Tells what is held back. */
  isHeld: (delivery: Delivery) => boolean = () => false

  constructor() {
    const deliver: Deliver = (task, delivery) => {
      if (this.isHeld(delivery)) this.held.push(task)
      else queueMicrotask(task)
    }
    this.server = new MemoryServer({ clock: this.clock, deliver })
  }

  startNode(policy: CacheOptions = {}) {
    const { store, caches: manager } = memoryNode(this, {
      logger: false,
      defaults: { ttl: '1h', jitter: 0, maxStaleness: MAX_STALENESS_MS, ...policy },
    })
    const cache = manager.cache<string>('c')
    const readBy = (key: string, load: () => Promise<string>): Promise<string> =>
      cache.getOrLoad(key, load, { tags: ['t'] })
    this.#managers.push(manager)
    return {
      store,
      manager,
      cache,
      method: manager[INTERNALS].methodCache({
        method: 'c',
        cacheName: 'c',
        options: policy,
        where: 'c',
      }),
      readBy,
      /** Reads a key, loading `value` if need be; its entry has the tag `t`. */
      read: (key: string, value: string) => readBy(key, async () => value),
      find: (key: string) => cache.get(key),
    }
  }

  /** What comes of something that needs the event loop, but no time. */
  async after<Result>(work: Promise<Result>): Promise<Result> {
    work.catch(() => undefined)
    await this.clock.advanceAsync(0)
    return work
  }

  /** Has a node learn less from its syncs, as when a shard cannot be reached. */
  tamperWithSync(store: MemoryRemoteStore, change: (reply: SyncReply) => SyncReply) {
    const { sync } = store
    return vi
      .spyOn(store, 'sync')
      .mockImplementation(async (partitions) => change(await sync.call(store, partitions)))
  }

  async close(): Promise<void> {
    this.isHeld = () => false
    await closeNodes(this.clock, this.#managers)
  }
}

/** Keys of the cache `c` whose changes follow on each other in one log. */
export function keysOfOnePartition(): readonly [string, string, string] {
  const all = Array.from({ length: 2_000 }, (_, n) => `k${n}`)
  const [first = '', second = '', third = ''] = all.filter(
    (key) => partitionOf(`c:${key}`) === partitionOf('c:k0'),
  )
  return [first, second, third]
}
