/** The second node: a process with caches of its own, whose database is the first process's. */

import { redisStore } from '@larder/redis-store'
import { createCaches } from './caches.ts'
import type { Database } from './database.ts'
import { nodeMethods } from './node-methods.ts'
import { connectPeer, type Peer } from './peer.ts'
import { ProductService } from './product-service.ts'

const caches = createCaches(redisStore({ url: process.env['CATALOGUE_REDIS'] }))
const database: Database = {
  query: (sql, params = []) => parent.ask('query', sql, params),
}
const methods = nodeMethods({
  caches,
  products: new ProductService(database),
  onWatched: (watched) => void parent.ask('watched', watched),
})
const parent: Peer = connectPeer(process, {
  ...methods,
  close: async () => {
    await caches.close()
    setImmediate(() => process.disconnect())
  },
})
await parent.ask('ready')
