/** Starts the API, asks it more often than it allows, and shows what it answers. */

import type { AddressInfo } from 'node:net'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { makeApp } from './app.ts'

const redisUrl = process.env['REDIS_URL']
const caches = createCacheManager({
  namespace: `express-example-${Date.now()}`,
  local: lruStore(),
  ...(redisUrl === undefined ? {} : { remote: redisStore({ url: redisUrl }) }),
})
const server = makeApp(caches).listen(0)
await new Promise((resolve) => server.once('listening', resolve))
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

for (const path of ['/api/hello', '/api/export', '/api/hello', '/api/nothing']) {
  const response = await fetch(url + path)
  console.log(path, response.status, response.headers.get('RateLimit'))
  if (response.status === 429) console.log(await response.json())
}

server.close()
server.closeAllConnections()
await caches.close()
