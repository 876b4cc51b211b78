/** The second node: a process with caches of its own, whose database is the first process's. */

import { createCaches } from './caches.ts'
import type { Database, Product } from './database.ts'
import { connectPeer } from './peer.ts'
import { ProductService } from './product-service.ts'
import { watchProduct } from './watch.ts'

const caches = createCaches(process.env['CATALOGUE_REDIS'])
let stopWatching: (() => void) | undefined

const parent = connectPeer(process, {
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
    void watch.done.then((seen) => parent.ask('watched', seen))
  },
  stopWatching: async () => stopWatching?.(),
  stats: async () => caches.stats(),
  close: async () => {
    await caches.close()
    setImmediate(() => process.disconnect())
  },
})

const database: Database = {
  query: (sql, params = []) => parent.ask('query', sql, params),
}
const products = new ProductService(database)
await parent.ask('ready')
