/** Starts the API, asks it more often than it allows, and shows what it answers. */

import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { makeApp } from './app.ts'

const redisUrl = process.env['REDIS_URL']
const caches = createCacheManager({
  namespace: `hono-example-${Date.now()}`,
  local: lruStore(),
  ...(redisUrl === undefined ? {} : { remote: redisStore({ url: redisUrl }) }),
})
const { fetch: handle } = makeApp(caches)
const server = serve({ fetch: handle, port: 0, hostname: '127.0.0.1' })
await new Promise((resolve) => server.once('listening', resolve))
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

for (const user of ['ada', 'ada', 'ada', 'grace', 'ada']) {
  const response = await fetch(`${url}/api/hello`, { headers: { 'x-user': user } })
  console.log(user, response.status, response.headers.get('RateLimit'))
  if (response.status === 429) console.log(await response.json())
}

server.close()
await caches.close()
