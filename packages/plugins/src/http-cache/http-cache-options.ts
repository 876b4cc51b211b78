/** Options of the cache for responses, the same for all frameworks. */

import type { CacheManager, Duration, Size } from '@larder/core'

/** Why a response was not kept, or a request not served from the cache. */
export type UncachedReason =
  /** Its status is not one that is kept: 200, 203, 301, 308, 404, 410. */
  | 'status'
  /** `no-store`, `private` or `no-cache`. */
  | 'no-store'
  /** It sets a cookie that `ignoreSetCookie` does not name. */
  | 'set-cookie'
  /** It varies on a field that `vary` does not name. */
  | 'vary'
  /** It answers a request with Authorization, and does not say that it may be shared. */
  | 'authorization'
  /** Neither it nor the route says for how long. */
  | 'no-lifetime'
  /** It is an event stream, a part, or its length is not what it says. */
  | 'partial'
  /** A nonce of its Content-Security-Policy is in it: each response needs one of its own. */
  | 'nonce'
  /** It is larger than `maxBody`. */
  | 'size'
  /** One of its tags is too long, empty, or no text in Unicode. */
  | 'tags'
  /** It has a field that could not be written again as it is. */
  | 'malformed'

/** A response that was not kept. */
export interface UncachedResponse {
  readonly reason: UncachedReason
  readonly path: string
  readonly status: number
}

/** Fields of requests and parts of targets on which responses may depend, and what is kept for how long. */
export interface HttpCacheSettings<Request> {
  /** Name of the cache: entries of one name are shared. @default 'http' */
  readonly cache?: string | undefined
  /** How long a response is fresh that says nothing about it. @default such a response is not kept */
  readonly ttl?: Duration | undefined
  /** Then served while one request has it made anew; for responses that say nothing about their freshness. @default 0 */
  readonly staleWhileRevalidate?: Duration | undefined
  /** Then served where the handler answers with 500 or above; for responses that say nothing about their freshness. @default 0 */
  readonly staleIfError?: Duration | undefined
  /**
   * How long a response with `ETag` or `Last-Modified` of the handler's own is kept after it may be served, to ask the handler whether it still
   * holds: it gets `If-None-Match` and `If-Modified-Since`, and may answer 304. @default 0
   */
  readonly revalidate?: Duration | undefined
  /** Fields of the request that the handler may read, and by which responses are told apart. @default [] */
  readonly vary?: readonly string[] | undefined
  /** Names of query parameters that are part of the key. A request with another one is not cached. @default [] */
  readonly query?: readonly string[] | undefined
  /** Names of cookies that are part of the key; the handler sees no others. Without any, a request with cookies is not cached. @default [] */
  readonly cookies?: readonly string[] | undefined
  /** Fields of the request that the handler may read although they are not part of the key, such as `traceparent`. @default [] */
  readonly pass?: readonly string[] | undefined
  /** Tags of the response; a function computes them from the request. @default [] */
  readonly tags?: readonly string[] | ((request: Request) => readonly string[]) | undefined
  /** The largest body that is kept. Up to 16 MB. @default '1mb' */
  readonly maxBody?: Size | undefined
  /** Say in `Cache-Status` what became of a request. @default true */
  readonly cacheStatus?: boolean | undefined
  /** Send the tags of a response as `Cache-Groups` (RFC 9875). @default false */
  readonly advertiseTags?: boolean | undefined
  /** Cache responses to requests with Authorization, where they say `public`, `s-maxage` or `must-revalidate`. @default false */
  readonly authorized?: boolean | undefined
  /** Obey `Cache-Control` of requests. Then anybody can have a response made anew. @default false */
  readonly honourRequest?: boolean | undefined
  /** Names of cookies that do not matter: a response that sets these is kept, without them. @default [] */
  readonly ignoreSetCookie?: readonly string[] | undefined
  /** Targeted fields (RFC 9213) that are obeyed, first wins. @default ['Larder-Cache-Control', 'CDN-Cache-Control'] */
  readonly targets?: readonly string[] | undefined
  /** True lets a request go to the handler as if there were no cache. */
  readonly skip?: ((request: Request) => boolean) | undefined
  /** Is told of responses that were not kept. What it throws is dropped. */
  readonly onUncached?: ((response: UncachedResponse) => void) | undefined
}

export interface HttpCacheOptions<Request> extends HttpCacheSettings<Request> {
  readonly caches: CacheManager
}
