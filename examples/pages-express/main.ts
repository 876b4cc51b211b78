/** Starts the shop, reads its pages, edits a product, and shows what was rendered. */

import type { AddressInfo } from 'node:net'
import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { makeApp } from './app.ts'

const redisUrl = process.env['REDIS_URL']
const caches = createCacheManager({
  namespace: `pages-express-${Date.now()}`,
  local: lruStore(),
  ...(redisUrl === undefined ? {} : { remote: redisStore({ url: redisUrl }) }),
})
const server = makeApp(caches).listen(0)
await new Promise((resolve) => server.once('listening', resolve))
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

async function show(path: string): Promise<void> {
  const response = await fetch(url + path)
  const status = response.headers.get('Cache-Status')?.replace(/; ttl=\d+/, '')
  console.log(`${path}: ${await response.text()} (${status})`)
}

async function send(method: string, path: string, body: object): Promise<void> {
  const headers = { 'Content-Type': 'application/json' }
  await fetch(url + path, { method, headers, body: JSON.stringify(body) })
  console.log(`${method} ${path}`)
}

await Promise.all(['/products/42', '/products/42', '/products/42'].map(show))
await send('PUT', '/products/42', { name: 'Quince jam', price: 520 })
await show('/products/42')
await send('POST', '/import', { id: '42', name: 'Quince jam', price: 550 })
await show('/products/42')
await show('/products/42')
await show('/me')
await show('/me')

server.close()
server.closeAllConnections()
await caches.close()
