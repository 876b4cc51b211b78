/** Serves the numbers of a cache for Prometheus, reads them as a scraper does, and shows some. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCacheManager } from '@larder/core'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { prometheus } from '@larder/plugins/metrics'
import { register } from 'prom-client'

const caches = createCacheManager({
  namespace: 'shop',
  local: lruStore(),
  // Stands in for Redis, so that nothing has to be installed.
  remote: new MemoryServer().store(),
  codec: structuredCodec,
  plugins: [prometheus({ registry: register })],
})

const server = createServer(async (_request, response) => {
  response.setHeader('content-type', register.contentType)
  response.end(await register.metrics())
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

const products = caches.cache<string>('products', { ttl: '1m' })
for (const id of ['1', '2', '1', '1']) await products.getOrLoad(id, () => `product ${id}`)
await products.evict('2')

const { port } = server.address() as AddressInfo
const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
const SHOWN =
  /^larder_(cache_(requests|evictions)_total|cache_entries|coherence_verified|cache_load_duration_seconds_count)\b/
console.log(
  text
    .split('\n')
    .filter((line) => SHOWN.test(line))
    .join('\n'),
)

server.close()
await caches.close()
