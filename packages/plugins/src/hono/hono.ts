/** Rate limits for Hono 4. Nothing of Hono is imported but types. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RateLimitVerdict } from '@larder/core'
import type { Context, Env, MiddlewareHandler } from 'hono'
import type { PassedRequest, RefusedRequest } from '../http/decision.ts'
import { LimitGuard } from '../http/limit-guard.ts'
import type { RateLimitOptions } from '../http/rate-limit-options.ts'
import { onResponseEnd } from '../http/response-end.ts'
import { tighter } from '../http/standings.ts'
import { onBodyEnd } from './body-end.ts'

export type {
  HttpProblem,
  LimitCost,
  LimitedBy,
  LimitKey,
  RateLimitSettings,
} from '../http/rate-limit-options.ts'
export type {
  HttpCacheOptions,
  HttpCacheSettings,
  UncachedReason,
  UncachedResponse,
} from '../http-cache/http-cache-options.ts'
export { type HonoHttpCache, httpCache } from './http-cache-middleware.ts'

/** What the middleware leaves in the context. */
export interface LimitedEnv {
  Variables: {
    /** The verdict of the limiter with the smallest part left; `undefined` if none has decided. */
    rateLimit: RateLimitVerdict | undefined
  }
}

/** Options of `rateLimit`. `key` is needed, because Hono does not know the addresses of clients. */
export type HonoRateLimitOptions<E extends Env = Env> = RateLimitOptions<Context<E>>

/** What the server of Node hands over beside a request. */
interface NodeBindings {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
}

/** For a client that is gone, which does not read it. */
const CLIENT_CLOSED_REQUEST = 499

/**
 * Limits requests. A request above its limit is answered with 429 and a problem document, and no later middleware runs.
 *
 * @throws InvalidOptionError
 * @example app.use('/api/*', rateLimit({ limiter, key: (c) => c.get('userId') }))
 */
export function rateLimit<E extends Env = Env>(
  options: HonoRateLimitOptions<E>,
): MiddlewareHandler<E & LimitedEnv> {
  const guard = new LimitGuard<Context<E>>(options, { where: 'rateLimit' })
  return async (context, next) => {
    const c = context as unknown as Context<LimitedEnv>
    const { signal } = c.req.raw
    const decision = await guard
      .decide(context as unknown as Context<E>, signal)
      .catch((error: unknown) => {
        if (signal.aborted) return undefined
        throw error
      })
    if (decision === undefined) return new Response(null, { status: CLIENT_CLOSED_REQUEST })
    c.set('rateLimit', tighter(c.get('rateLimit'), decision.verdict))
    if (decision.kind === 'refused') return answer(decision)
    if (signal.aborted) {
      await decision.giveBack()
      return new Response(null, { status: CLIENT_CLOSED_REQUEST })
    }
    await serve(c, next, decision)
    return undefined
  }
}

/** Runs what follows. Fields are set after it, because a handler that returns a `Response` of its own would lose them otherwise. */
async function serve(
  c: Context<LimitedEnv>,
  next: () => Promise<void>,
  decision: PassedRequest,
): Promise<void> {
  const node = nodeOf(c)
  if (node !== undefined) {
    onResponseEnd(node.incoming, node.outgoing, (how) =>
      decision.end(how === 'finished' ? node.outgoing.statusCode : undefined),
    )
  }
  try {
    await next()
  } catch (error) {
    decision.end(undefined)
    throw error
  }
  const { headers } = c.res
  for (const [name, value] of Object.entries(
    decision.fields((name) => headers.get(name) ?? undefined),
  ))
    c.header(name, value)
  if (node !== undefined) return
  if (decision.hasPermits) onBodyEnd(c, decision)
  else decision.end(c.res.status)
}

function answer(decision: RefusedRequest): Response {
  const { fields, body } = decision.answer(() => undefined)
  const headers = { ...fields, 'Content-Type': 'application/problem+json' }
  return new Response(body, { status: decision.status, headers })
}

function nodeOf({ env }: Context<LimitedEnv>): NodeBindings | undefined {
  const { incoming, outgoing } = (env ?? {}) as Partial<NodeBindings>
  if (incoming === undefined || typeof outgoing?.once !== 'function') return undefined
  return { incoming, outgoing }
}
