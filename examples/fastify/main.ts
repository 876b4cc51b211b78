/** Starts the API, asks it more often than it allows, and shows what it answers. */

import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { makeApp } from './app.ts'

const redisUrl = process.env['REDIS_URL']
const caches = createCacheManager({
  namespace: `fastify-example-${Date.now()}`,
  local: lruStore(),
  ...(redisUrl === undefined ? {} : { remote: redisStore({ url: redisUrl }) }),
})
const app = await makeApp(caches)
const url = await app.listen({ port: 0, host: '127.0.0.1' })

for (const path of ['/search', '/search', '/export', '/nothing', '/health', '/search', '/search']) {
  const response = await fetch(url + path)
  console.log(path, response.status, response.headers.get('RateLimit'))
  if (response.status === 429) console.log(await response.json())
}

await app.close()
await caches.close()
