/** An API on Express: a limit for each address, and few exports at a time for each user. */

import type { CacheManager } from '@larder/core'
import { rateLimit } from '@larder/plugins/express'
import express, { type Express, type Request } from 'express'

export function makeApp(caches: CacheManager): Express {
  const app = express()
  // One proxy of our own in front: the address is the one that it appended.
  app.set('trust proxy', 1)

  const perAddress = caches.limiter({
    name: 'api',
    policies: [
      { name: 'burst', limit: 3, per: '10s' },
      { name: 'daily', limit: 10_000, per: 'day' },
    ],
  })
  app.use('/api', rateLimit({ app, limiter: perAddress, refundIf: (status) => status >= 500 }))

  const exports = caches.limiter({ name: 'exports', algorithm: 'concurrency', limit: 2 })
  const userOf = (request: Request): string => `user:${request.get('x-user') ?? 'nobody'}`
  app.get('/api/export', rateLimit({ limiter: exports, key: userOf }), (_, response) => {
    response.json({ rows: 3 })
  })

  app.get('/api/hello', (request, response) => {
    response.json({ hello: 'world', left: request.rateLimit?.remaining })
  })
  return app
}
