/** An API on Fastify: a limit of all requests, and of routes by their config. */

import type { CacheManager } from '@larder/core'
import { larder } from '@larder/plugins/fastify'
import fastify, { type FastifyInstance } from 'fastify'

export async function makeApp(caches: CacheManager): Promise<FastifyInstance> {
  const app = fastify()
  await app.register(larder, {
    caches,
    rateLimit: { name: 'all', limit: 100, per: '1m' },
  })

  const search = { limit: 3, per: '10s', refundIf: (status: number) => status >= 500 } as const
  app.get('/search', { config: { larder: { rateLimit: search } } }, async (request) => {
    return { found: 0, left: request.rateLimit?.remaining }
  })

  const exports = { name: 'exports', algorithm: 'concurrency', limit: 2 } as const
  app.get('/export', { config: { larder: { rateLimit: exports } } }, async () => ({ rows: 3 }))
  app.get('/health', { config: { larder: { rateLimit: false } } }, async () => 'ok')
  return app
}
