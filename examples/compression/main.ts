/** How many bytes an entry has in the shared tier without compression and with each algorithm, and that all of them are read. */

import { createCacheManager } from '@larder/core'
import { partitionOf } from '@larder/core/store'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { type CompressionOptions, compression } from '@larder/plugins/compression'

/** Stands in for Redis, so that nothing has to be installed. */
const server = new MemoryServer()
const catalogue = Array.from({ length: 200 }, (_, i) => ({
  id: i,
  name: `Product ${i}`,
  price: 10,
}))

function startNode(algorithm: CompressionOptions['algorithm']) {
  const store = server.store()
  const caches = createCacheManager({
    namespace: 'shop',
    remote: store,
    codec: structuredCodec,
    plugins: algorithm === undefined ? [] : [compression({ algorithm, threshold: '1kb' })],
    default: false,
    defaults: { ttl: '1h' },
  })
  return { store, caches, pages: caches.cache<typeof catalogue>('pages') }
}

const reader = startNode('brotli')
for (const algorithm of [undefined, 'deflate', 'gzip', 'brotli'] as const) {
  const { store, caches, pages } = startNode(algorithm)
  await pages.set('1', catalogue)
  const key = pages.key('1')
  const [bytes] = await store.read([{ key, partition: partitionOf(key) }])
  // Each entry says how it was written, so any node with the plugin reads it.
  const isRead = (await reader.pages.get('1'))?.length === catalogue.length
  console.log(`${algorithm ?? 'none'}: ${bytes?.length} bytes, ${isRead ? 'read' : 'not read'}`)
  await caches.close()
}
await reader.caches.close()
