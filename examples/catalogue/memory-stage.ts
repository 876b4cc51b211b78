/**
 * No Redis on this machine: both nodes are in this process, each with a manager of its own, over a server in memory.
 *
 * It is the server that tests use. It speaks the same contract as Redis, with messages that can be lost and connections that
 * can be cut.
 */

import { CacheConfig } from '@larder/core'
import { MemoryServer } from '@larder/core/testing'
import { createCaches } from './caches.ts'
import type { Database } from './database.ts'
import { nodeMethods } from './node-methods.ts'
import type { Peer } from './peer.ts'
import { ProductService } from './product-service.ts'
import type { Stage } from './stage.ts'
import type { Watched } from './watch.ts'

export function startMemoryStage(database: Database): Stage {
  const server = new MemoryServer()
  const storeOfA = server.store()
  const storeOfB = server.store()
  const caches = createCaches(storeOfA)
  const cachesOfB = createCaches(storeOfB, false)

  // Decorated methods use the manager that their class names; in a process of its own, node B would need no class of its own.
  @CacheConfig({ cache: 'products', manager: () => cachesOfB, shareWithSubclasses: true })
  class ProductServiceOfB extends ProductService {}

  let report!: (watched: Watched) => void
  const watchedByB = new Promise<Watched>((resolve) => {
    report = resolve
  })
  const products = new ProductServiceOfB(database)
  const methods = nodeMethods({ caches: cachesOfB, products, onWatched: report })
  const nodeB: Peer = {
    ask: async <Answer>(method: string, ...args: readonly unknown[]) =>
      (await methods[method]?.(...(args as never[]))) as Answer,
  }
  return {
    about: 'No Redis found: both nodes are in this process, over a server in memory',
    caches,
    nodeB,
    watchedByB,
    shared: {
      stop: async () => {
        for (const store of server.nodes) store.disconnect()
      },
      start: async () => {
        for (const store of server.nodes) store.reconnect()
      },
    },
    loseMessages: () => {
      storeOfB.disconnect({ only: 'messages', silently: true })
      return () => storeOfB.reconnect()
    },
    close: async () => {
      await cachesOfB.close()
      await caches.close()
    },
  }
}
