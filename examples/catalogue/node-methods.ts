/** What a node can be asked for, whether it is in another process or in this one. */

import type { CacheManager } from '@larder/core'
import type { Product } from './database.ts'
import type { Methods } from './peer.ts'
import type { ProductService } from './product-service.ts'
import { type Watched, watchProduct } from './watch.ts'

export interface NodeParts {
  readonly caches: CacheManager
  readonly products: ProductService
  /** Is told what was seen when watching ends. */
  readonly onWatched: (watched: Watched) => void
}

export function nodeMethods({ caches, products, onWatched }: NodeParts): Methods {
  let stopWatching: (() => void) | undefined
  return {
    find: (id: number) => products.find(id),
    /** Resolves when the product no longer reads as it did, with the time that took, ms. */
    untilChanged: async (id: number, changed: number) => {
      const from = performance.now()
      let found: Product | undefined
      do {
        found = await products.find(id)
        await new Promise((resolve) => setImmediate(resolve))
      } while (found?.changed === changed)
      return performance.now() - from
    },
    watch: async (id: number) => {
      const watch = watchProduct(products, id)
      stopWatching = watch.stop
      void watch.done.then(onWatched)
    },
    stopWatching: async () => stopWatching?.(),
    close: () => caches.close(),
  }
}
