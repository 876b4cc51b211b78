/**
 * Rate limits for Express 4 and 5, and for connect. Nothing of Express is imported: a request is one of node:http that may have `ip`
 * and `app`.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { InvalidOptionError, ipKey, type RateLimitVerdict } from '@larder/core'
import { assertBoolean, assertKnownOptions } from '@larder/core/store'
import type { RefusedRequest } from '../http/decision.ts'
import type { Fields } from '../http/field-lists.ts'
import { LimitGuard } from '../http/limit-guard.ts'
import type { AddressLimit, ProxyTrust, RateLimitOptions } from '../http/rate-limit-options.ts'
import { RATE_LIMIT_NAMES } from '../http/resolve-options.ts'
import { onResponseEnd } from '../http/response-end.ts'
import { tighter } from '../http/standings.ts'
import { trustsInExpress } from '../http/trust-settings.ts'
import { trustError, trustsEverybody, withoutAddress } from '../http/trusted-proxies.ts'
import { evictUri } from '../http-cache/evict-uri.ts'
import type { HttpCacheOptions } from '../http-cache/http-cache-options.ts'
import { handleNode } from '../http-cache/node-handler.ts'
import { ResponseCache } from '../http-cache/response-cache.ts'

export type {
  AddressLimit,
  HttpProblem,
  LimitCost,
  LimitKey,
  ProxyTrust,
  RateLimitSettings,
} from '../http/rate-limit-options.ts'
export type {
  HttpCacheOptions,
  HttpCacheSettings,
  UncachedReason,
  UncachedResponse,
} from '../http-cache/http-cache-options.ts'

declare global {
  // Express declares this namespace for its users to add to.
  namespace Express {
    interface Request {
      /** Of the limiter with the smallest part left; `undefined` where none has decided. */
      rateLimit?: RateLimitVerdict | undefined
    }
  }
}

/** A request of Express or connect. */
export type ExpressRequest = IncomingMessage &
  Express.Request & { readonly ip?: string | undefined; readonly ips?: string[] }

/** Options of `rateLimit`. */
export type ExpressRateLimitOptions<Request extends IncomingMessage = ExpressRequest> =
  RateLimitOptions<Request, AddressLimit<Request>> & ProxyTrust

/** What `rateLimit` returns. */
export type ExpressMiddleware<Request extends IncomingMessage = ExpressRequest> = (
  request: Request,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

const WHERE = 'rateLimit'

/**
 * Limits requests. A request above its limit is answered with 429 and a problem document, and no later middleware runs.
 *
 * An application that trusts every proxy (`app.set('trust proxy', true)`) while a key is made of `req.ip` is an error of each such
 * request, because clients would choose their address; see `trustsAnyProxy`.
 *
 * @throws InvalidOptionError
 * @example app.use('/api', rateLimit({ limiter: caches.limiter({ name: 'api', limit: 100, per: '1m' }) }))
 */
export function rateLimit<Request extends IncomingMessage = ExpressRequest>(
  options: ExpressRateLimitOptions<Request>,
): ExpressMiddleware<Request> {
  assertKnownOptions(options, [...RATE_LIMIT_NAMES, 'trustsAnyProxy'], WHERE)
  const { trustsAnyProxy = false, ...rest } = options
  assertBoolean(trustsAnyProxy, `${WHERE}.trustsAnyProxy`)
  const guard = new LimitGuard<Request>(rest as RateLimitOptions<Request, AddressLimit<Request>>, {
    where: WHERE,
    addressKey,
  })
  const believes = trustsAnyProxy ? () => false : believesAnybody
  return (request, response, next) => {
    limit(guard, { request, response, believes }).then(
      (mayPass) => (mayPass ? next() : undefined),
      next,
    )
  }
}

/** The type of `httpCache`. */
export interface ExpressHttpCache {
  <Request extends IncomingMessage = ExpressRequest>(
    options: HttpCacheOptions<Request>,
  ): ExpressMiddleware<Request>
  /** Evicts all responses to requests of a path, or of several, on all nodes. */
  readonly evict: typeof evictUri
}

/**
 * Caches responses of the routes that it stands in front of: to GET for all, and what a shared cache may keep. An answer without
 * error to another method ends what is kept for its path.
 *
 * A handler behind it sees those fields of the request that `vary`, `cookies` and `pass` name, and no others.
 *
 * @throws InvalidOptionError
 * @example app.get('/products/:id', httpCache({ caches, ttl: '1m', tags: (req) => [`product:${req.params.id}`] }), handler)
 */
export const httpCache: ExpressHttpCache = /* @__PURE__ */ Object.assign(cacheFor, {
  evict: evictUri,
})

function cacheFor<Request extends IncomingMessage = ExpressRequest>(
  options: HttpCacheOptions<Request>,
): ExpressMiddleware<Request> {
  const cache = new ResponseCache<Request>(options, 'httpCache')
  return (request, response, next) => {
    handleNode(cache, { request, raw: request, response, proceed: () => next() }).catch(next)
  }
}

interface Exchange<Request> {
  readonly request: Request
  readonly response: ServerResponse
  believes(request: Request): boolean
}

/** Resolves to whether the request may go on; if not, it has been answered, or nobody waits for an answer. */
async function limit<Request extends IncomingMessage>(
  guard: LimitGuard<Request>,
  { request, response, believes }: Exchange<Request>,
): Promise<boolean> {
  const gone = new AbortController()
  let end = (_: number | undefined): void => undefined
  onResponseEnd(request, response, (how) => {
    end(how === 'finished' ? response.statusCode : undefined)
    gone.abort()
  })
  const asked = believes(request)
    ? withoutAddress(request, trustError(WHERE, "'trust proxy'"))
    : request
  const decision = await guard.decide(asked, gone.signal).catch((error: unknown) => {
    if (gone.signal.aborted) return undefined
    throw error
  })
  if (decision === undefined) return false
  if (decision.kind === 'refused') {
    setVerdict(request, decision.verdict)
    if (!gone.signal.aborted) answer(response, decision)
    return false
  }
  if (gone.signal.aborted) {
    await decision.giveBack()
    return false
  }
  end = decision.end
  setVerdict(request, decision.verdict)
  // Another middleware has answered meanwhile, such as one for timeouts.
  if (response.headersSent) return false
  setFields(response, decision.fields(readFrom(response)))
  return true
}

function answer(response: ServerResponse, decision: RefusedRequest): void {
  if (response.headersSent) return
  const { fields, body } = decision.answer(readFrom(response))
  setFields(response, fields)
  response.statusCode = decision.status
  response.setHeader('Content-Type', 'application/problem+json')
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.end(body)
}

function readFrom(response: ServerResponse): (name: string) => string | undefined {
  return (name) => {
    const value = response.getHeader(name)
    if (value === undefined) return undefined
    return Array.isArray(value) ? value.join(', ') : String(value)
  }
}

function setFields(response: ServerResponse, fields: Fields): void {
  for (const [name, value] of Object.entries(fields)) response.setHeader(name, value)
}

function setVerdict(request: IncomingMessage, verdict: RateLimitVerdict | undefined): void {
  const limited = request as ExpressRequest
  limited.rateLimit = tighter(limited.rateLimit, verdict)
}

function addressKey(request: IncomingMessage): string {
  if ('ip' in request) return ipKey((request as ExpressRequest).ip)
  throw new InvalidOptionError({
    option: `${WHERE}.key`,
    expected:
      'a function that says whom a request counts for, because a request of connect has no ip',
    received: undefined,
  })
}

/** Express keeps its settings in the application, which the middleware sees with the first request only, and which may change. */
function believesAnybody(request: object): boolean {
  return trustsInExpress((request as { readonly app?: unknown }).app).some(trustsEverybody)
}
