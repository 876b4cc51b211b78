/** The cache for responses as a hook of a route. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { evictUri } from '../http-cache/evict-uri.ts'
import type { HttpCacheOptions } from '../http-cache/http-cache-options.ts'
import { handleNode } from '../http-cache/node-handler.ts'
import { ResponseCache } from '../http-cache/response-cache.ts'

/** What `httpCache` returns: a hook of a route, `onRequest`, `preValidation` or `preHandler`. */
export type FastifyCacheHook = (
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<FastifyReply | undefined>

/** The type of `httpCache`. */
export interface FastifyHttpCache {
  (options: HttpCacheOptions<FastifyRequest>): FastifyCacheHook
  /** Evicts all responses to requests of a path, or of several, on all nodes. */
  readonly evict: typeof evictUri
}

/**
 * Caches responses of the routes that it is a hook of: to GET for all, and what a shared cache may keep. An answer without error to
 * another method ends what is kept for its path.
 *
 * Put it behind what says who the user is. A handler behind it sees those fields of the request that `vary`, `cookies` and `pass` name, and
 * no others.
 *
 * @throws InvalidOptionError
 * @example app.get('/products/:id', { preHandler: httpCache({ caches, ttl: '1m' }) }, handler)
 */
export const httpCache: FastifyHttpCache = /* @__PURE__ */ Object.assign(cacheFor, {
  evict: evictUri,
})

function cacheFor(options: HttpCacheOptions<FastifyRequest>): FastifyCacheHook {
  const cache = new ResponseCache<FastifyRequest>(options, 'httpCache')
  return (request, reply) =>
    new Promise((resolve, reject) => {
      const { raw: response } = reply
      // Fastify keeps fields until it writes the head. What was set before belongs to this request alone.
      const outer = Object.entries(reply.getHeaders())
      for (const [name, value] of outer) if (value !== undefined) response.setHeader(name, value)
      handleNode(cache, {
        request,
        raw: request.raw,
        response,
        // By it, the router may have chosen between routes of one path.
        route: String(request.raw.headers['accept-version'] ?? ''),
        proceed: () => {
          // Fastify writes them itself, and the handler may take one away.
          for (const [name] of outer) response.removeHeader(name)
          resolve(undefined)
        },
        onAnswer: () => {
          reply.hijack()
          resolve(reply)
        },
      }).catch(reject)
    })
}
