/** Reads a page in two languages, edits a text, and shows what was rendered. */

import { createCacheManager } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { makeApp } from './app.ts'

const redisUrl = process.env['REDIS_URL']
const caches = createCacheManager({
  namespace: `pages-hono-${Date.now()}`,
  local: lruStore(),
  ...(redisUrl === undefined ? {} : { remote: redisStore({ url: redisUrl }) }),
})
const app = makeApp(caches)

async function show(language: string): Promise<void> {
  const response = await app.request('/page', { headers: { 'Accept-Language': language } })
  const status = response.headers.get('Cache-Status')?.replace(/; ttl=\d+/, '')
  console.log(`${language}: ${await response.text()} (${status})`)
}

for (const language of ['en', 'de', 'en', 'de']) await show(language)
await app.request('/texts/de', { method: 'PUT', body: 'Quittenkonfitüre' })
console.log('edited')
for (const language of ['de', 'de', 'en']) await show(language)

await caches.close()
