/** A page in several languages, the same for everybody: kept until an editor changes a text. */

import type { CacheManager } from '@larder/core'
import { httpCache } from '@larder/plugins/hono'
import { Hono } from 'hono'

export function makePages(caches: CacheManager): Hono {
  const texts = new Map([
    ['en', 'Quince jam'],
    ['de', 'Quittenmarmelade'],
  ])
  let rendered = 0
  const app = new Hono()

  // The handler sees the language and nothing else of the request, because responses are told apart by that alone.
  const pages = httpCache({ caches, ttl: '5m', vary: ['accept-language'], tags: ['pages'] })
  app.get('/page', pages, (c) => {
    rendered += 1
    const language = c.req.header('accept-language') ?? 'en'
    c.header('Vary', 'Accept-Language')
    return c.text(`${texts.get(language) ?? texts.get('en')}, rendered ${rendered}`)
  })
  app.put('/texts/:language', async (c) => {
    texts.set(c.req.param('language'), await c.req.text())
    await caches.evictTags(['pages'])
    return c.body(null, 204)
  })
  return app
}
