/** Starts the application, and shows what it answers to a user with three devices. */

import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { tour } from '../express-sessions/tour.ts'
import { makeApp } from './app.ts'

const redisUrl = process.env['REDIS_URL']
const caches = createCacheManager({
  namespace: `hono-sessions-${Date.now()}`,
  local: lruStore(),
  ...(redisUrl === undefined ? {} : { remote: redisStore({ url: redisUrl }) }),
})
const { fetch: handle } = makeApp(caches, randomBytes(32).toString('hex'))
const server = serve({ fetch: handle, port: 0, hostname: '127.0.0.1' })
await new Promise((resolve) => server.once('listening', resolve))

await tour(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, console.log)

server.close()
await caches.close()
