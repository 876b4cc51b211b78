/**
 * Rate limits for Express 4 and 5, and for connect. Nothing of Express is imported: a request is one of node:http that may have `ip`
 * and `app`.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { InvalidOptionError, ipKey, type RateLimitVerdict } from '@larder/core'
import { assertBoolean, assertKnownOptions, optionNames } from '@larder/core/store'
import type { RefusedRequest } from '../http/decision.ts'
import type { Fields } from '../http/field-lists.ts'
import { LimitGuard } from '../http/limit-guard.ts'
import type { AddressLimit, ProxyTrust, RateLimitOptions } from '../http/rate-limit-options.ts'
import { RATE_LIMIT_NAMES } from '../http/resolve-options.ts'
import { onResponseEnd } from '../http/response-end.ts'
import { tighter } from '../http/standings.ts'
import { trustsInExpress } from '../http/trust-settings.ts'
import {
  HiddenAddresses,
  readsAddresses,
  trustError,
  trustsEverybody,
} from '../http/trusted-proxies.ts'
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
      /** The verdict of the limiter with the smallest part left; `undefined` if none has decided. */
      rateLimit?: RateLimitVerdict | undefined
    }
  }
}

/** A request of Express or connect. */
export type ExpressRequest = IncomingMessage &
  Express.Request & { readonly ip?: string | undefined; readonly ips?: string[] }

/** What is asked of an application of Express. */
export interface ExpressSettings {
  get(name: string): unknown
}

/** Where the middleware stands. */
export interface ExpressPlace {
  /**
   * The application, with `trust proxy` as it will be: a limit by address under a setting that trusts every proxy is refused at once. Without
   * it, the settings are known with the first request only. @default known with a request
   */
  readonly app?: ExpressSettings | undefined
}

/** Options of `rateLimit`. */
export type ExpressRateLimitOptions<Request extends IncomingMessage = ExpressRequest> =
  RateLimitOptions<Request, AddressLimit<Request>> & ProxyTrust & ExpressPlace

/** What `rateLimit` returns. */
export type ExpressMiddleware<Request extends IncomingMessage = ExpressRequest> = (
  request: Request,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

const WHERE = 'rateLimit'
const TRUST_SETTING = "'trust proxy'"
/** What there is beside the options of all frameworks. */
const OWN_NAMES = optionNames<ProxyTrust & ExpressPlace>({ trustsAnyProxy: true, app: true })

/**
 * Limits requests. A request above its limit is answered with 429 and a problem document, and no later middleware runs.
 *
 * An application that trusts every proxy (`app.set('trust proxy', true)`) while a key is made of `req.ip` is an error, because clients
 * would choose their address; see `trustsAnyProxy`. With `app` it is one at once, without it one of each such request, and a warning of
 * the process with the first.
 *
 * @throws InvalidOptionError
 * @example app.use('/api', rateLimit({ app, limiter: caches.limiter({ name: 'api', limit: 100, per: '1m' }) }))
 */
export function rateLimit<Request extends IncomingMessage = ExpressRequest>(
  options: ExpressRateLimitOptions<Request>,
): ExpressMiddleware<Request> {
  assertKnownOptions(options, [...RATE_LIMIT_NAMES, ...OWN_NAMES], WHERE)
  const { trustsAnyProxy = false, app, ...rest } = options
  assertBoolean(trustsAnyProxy, `${WHERE}.trustsAnyProxy`)
  assertApplication(app)
  const guard = new LimitGuard<Request>(rest as RateLimitOptions<Request, AddressLimit<Request>>, {
    where: WHERE,
    addressKey,
  })
  if (!trustsAnyProxy && believesAnybody(app) && readsAddresses(rest))
    throw trustError(WHERE, TRUST_SETTING)
  const hidden = trustsAnyProxy ? undefined : new HiddenAddresses(WHERE, TRUST_SETTING)
  return (request, response, next) => {
    limit(guard, { request, response, hidden }).then(
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
  /** Undefined where every proxy may be trusted. */
  readonly hidden: HiddenAddresses | undefined
}

/** Resolves to whether the request may go on; if not, it has been answered, or its client is gone. */
async function limit<Request extends IncomingMessage>(
  guard: LimitGuard<Request>,
  { request, response, hidden }: Exchange<Request>,
): Promise<boolean> {
  const gone = new AbortController()
  let end = (_: number | undefined): void => undefined
  onResponseEnd(request, response, (how) => {
    end(how === 'finished' ? response.statusCode : undefined)
    gone.abort()
  })
  const { app } = request as { readonly app?: unknown }
  const asked = hidden !== undefined && believesAnybody(app) ? hidden.of(request) : request
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

/** The settings of an application may change while it runs, and a part of it may have others. */
function believesAnybody(app: unknown): boolean {
  return trustsInExpress(app).some(trustsEverybody)
}

/** @throws InvalidOptionError for what has no settings, such as an application of connect */
function assertApplication(app: unknown): void {
  if (app === undefined || typeof (app as { get?: unknown } | null)?.get === 'function') return
  const expected = 'an application of Express, which has its settings'
  throw new InvalidOptionError({ option: `${WHERE}.app`, expected, received: app })
}
