/** The cache for responses as a middleware of Hono. */

import type { Context, Env, MiddlewareHandler } from 'hono'
import { evictUri } from '../http-cache/evict-uri.ts'
import type { HttpCacheOptions } from '../http-cache/http-cache-options.ts'
import { ResponseCache } from '../http-cache/response-cache.ts'
import { FetchExchange } from './fetch-exchange.ts'

/** The type of `httpCache`. */
export interface HonoHttpCache {
  <E extends Env = Env>(options: HttpCacheOptions<Context<E>>): MiddlewareHandler<E>
  /** Evicts all responses to requests of a path, or of several, on all nodes. */
  readonly evict: typeof evictUri
}

/**
 * Caches responses of the routes that it stands in front of: to GET for all, and what a shared cache may keep. An answer without
 * error to another method ends what is kept for its path.
 *
 * A handler behind it has a request with those fields that `vary`, `cookies` and `pass` name, and no others; without `host` among
 * them it is one to `localhost`.
 *
 * @throws InvalidOptionError
 * @example app.get('/products/:id', httpCache({ caches, ttl: '1m', tags: (c) => [`product:${c.req.param('id')}`] }), handler)
 */
export const httpCache: HonoHttpCache = /* @__PURE__ */ Object.assign(cacheFor, {
  evict: evictUri,
})

function cacheFor<E extends Env = Env>(
  options: HttpCacheOptions<Context<E>>,
): MiddlewareHandler<E> {
  const cache = new ResponseCache<Context<E>>(options, 'httpCache')
  return async (c, next) => {
    const exchange = new FetchExchange(c as unknown as Context, next)
    await cache.handle(exchange, c as unknown as Context<E>)
  }
}
