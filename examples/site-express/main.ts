/** Starts the site, and shows pages from the cache, a page of one user, and a user who logs out everywhere. */

import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { makeApp } from './app.ts'
import { showDevices } from './devices.ts'
import { showEdits } from './edits.ts'
import { showOwnPage } from './own-page.ts'

const redisUrl = process.env['REDIS_URL']
const caches = createCacheManager({
  namespace: `site-express-${Date.now()}`,
  local: lruStore(),
  ...(redisUrl === undefined ? {} : { remote: redisStore({ url: redisUrl }) }),
})
const server = makeApp(caches, randomBytes(32).toString('hex')).listen(0)
await new Promise((resolve) => server.once('listening', resolve))

const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

await showEdits(url, console.log)
await showOwnPage(url, console.log)
await showDevices(url, console.log)

server.closeAllConnections()
server.close()
await caches.close()
