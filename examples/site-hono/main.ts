/** Starts the site, and shows a page from the cache, a page of one user, and a user who logs out everywhere. */

import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { showDevices } from '../site-express/devices.ts'
import { showOwnPage } from '../site-express/own-page.ts'
import { makeApp } from './app.ts'
import { showEdits } from './edits.ts'

const redisUrl = process.env['REDIS_URL']
const caches = createCacheManager({
  namespace: `site-hono-${Date.now()}`,
  local: lruStore(),
  ...(redisUrl === undefined ? {} : { remote: redisStore({ url: redisUrl }) }),
})
const { fetch: handle } = makeApp(caches, randomBytes(32).toString('hex'))
const server = serve({ fetch: handle, port: 0, hostname: '127.0.0.1' })
await new Promise((resolve) => server.once('listening', resolve))

const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

await showEdits(url, console.log)
await showOwnPage(url, console.log)
await showDevices(url, console.log)

server.close()
await caches.close()
