/**
 * The cache for responses without a framework: what a request is asked, what may be kept, what a response says. The subpaths for
 * frameworks are made of it; use it for one that has none.
 */

export { evictUri } from './evict-uri.ts'
export type {
  AddedFields,
  Exchange,
  Rendering,
  RenderOptions,
  ResponseHead,
  WholeResponse,
} from './exchange.ts'
export type { FieldLines } from './fields.ts'
export type {
  HttpCacheOptions,
  HttpCacheSettings,
  UncachedReason,
  UncachedResponse,
} from './http-cache-options.ts'
export { handleNode, type NodeHandling } from './node-handler.ts'
export type { Place } from './place.ts'
export { HTTP_CACHE_DEFAULTS, HTTP_CACHE_NAMES, resolveHttpCache } from './resolve-http-cache.ts'
export { ResponseCache } from './response-cache.ts'
export { uriTag } from './uri.ts'
