/** The interceptor: answers requests of handlers from the cache, and keeps what they answer. */

import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from 'node:http'
import type { CacheManager } from '@larder/core'
import { type HttpCacheSettings, handleNode, ResponseCache } from '@larder/plugins/http-cache'
import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  type NestInterceptor,
} from '@nestjs/common'
import { HTTP_CACHE } from './http-cache.ts'
import { CACHES } from './tokens.ts'

/** Under which `@Version` and the options of a controller leave the version. */
const VERSION = '__version__'

/** What both platforms hand over: Fastify wraps what Express extends. */
interface Wrapped<Raw> {
  readonly raw?: Raw | undefined
}

interface FastifyReply extends Wrapped<ServerResponse> {
  getHeaders?(): Readonly<Record<string, OutgoingHttpHeader | undefined>>
  hijack?(): void
}

/**
 * Keeps the responses of handlers with `@HttpCache`. Others pass, and so do calls that are no HTTP requests.
 *
 * Nest runs guards before it, so who may not see a response is not given it; interceptors that stand before it see no response that
 * comes from the cache. It stands outermost, therefore, and after guards.
 *
 * @example
 * @UseInterceptors(LarderHttpCache)
 * @HttpCache({ ttl: '1m' })
 */
export class LarderHttpCache implements NestInterceptor {
  static {
    Inject(CACHES)(LarderHttpCache, undefined, 0)
  }

  readonly #caches: CacheManager
  /** By handler; undefined where it says nothing. */
  readonly #made = new WeakMap<object, WeakMap<object, ResponseCache<unknown> | false>>()

  constructor(caches: CacheManager) {
    this.#caches = caches
  }

  /** @throws InvalidOptionError; what functions among the options throw */
  intercept(
    context: ExecutionContext,
    next: CallHandler,
  ): Promise<ReturnType<CallHandler['handle']>> | ReturnType<CallHandler['handle']> {
    const cache = context.getType() === 'http' ? this.#cacheOf(context) : false
    if (cache === false) return next.handle()
    const http = context.switchToHttp()
    const request = http.getRequest<IncomingMessage & Wrapped<IncomingMessage>>()
    const reply = http.getResponse<ServerResponse & FastifyReply>()
    const response = reply.raw ?? reply
    // Fastify keeps fields until it writes the head. What was set before belongs to this request alone.
    const outer = reply.raw === undefined ? [] : Object.entries(reply.getHeaders?.() ?? {})
    for (const [name, value] of outer) if (value !== undefined) response.setHeader(name, value)
    // Where the cache answers, this never resolves: Nest would answer once more.
    return new Promise((resolve, reject) => {
      handleNode(cache, {
        request: request as unknown,
        raw: request.raw ?? request,
        response,
        route: routeOf(context),
        proceed: () => {
          // Fastify writes them itself, and the handler may take one away.
          for (const [name] of outer) response.removeHeader(name)
          resolve(next.handle())
        },
        onAnswer: () => reply.hijack?.(),
      }).catch(reject)
    })
  }

  #cacheOf(context: ExecutionContext): ResponseCache<unknown> | false {
    const [owner, method] = [context.getClass(), context.getHandler()]
    const ofOwner = this.#made.get(owner) ?? new WeakMap()
    this.#made.set(owner, ofOwner)
    const known = ofOwner.get(method)
    if (known !== undefined) return known
    const said = (Reflect.getMetadata(HTTP_CACHE, method) ??
      Reflect.getMetadata(HTTP_CACHE, owner) ??
      false) as HttpCacheSettings<unknown> | false
    const where = `@HttpCache of ${owner.name}.${method.name}`
    const made = said !== false && new ResponseCache({ ...said, caches: this.#caches }, where)
    ofOwner.set(method, made)
    return made
  }
}

/** By its version, Nest may have chosen between handlers of one path. */
function routeOf(context: ExecutionContext): string {
  const [owner, method] = [context.getClass(), context.getHandler()]
  const version: unknown =
    Reflect.getMetadata(VERSION, method) ?? Reflect.getMetadata(VERSION, owner) ?? ''
  return [owner.name, method.name, ...[version].flat()].map(String).join(' ')
}
