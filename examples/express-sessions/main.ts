/** Starts the application, and shows what it answers to a user with three devices. */

import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { makeApp } from './app.ts'
import { tour } from './tour.ts'

const redisUrl = process.env['REDIS_URL']
const caches = createCacheManager({
  namespace: `express-sessions-${Date.now()}`,
  local: lruStore(),
  ...(redisUrl === undefined ? {} : { remote: redisStore({ url: redisUrl }) }),
})
const server = makeApp(caches, randomBytes(32).toString('hex')).listen(0)
await new Promise((resolve) => server.once('listening', resolve))

await tour(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, console.log)

server.closeAllConnections()
server.close()
await caches.close()
