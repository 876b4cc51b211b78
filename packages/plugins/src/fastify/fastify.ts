/** Rate limits for Fastify 5, as a plugin: of all requests, those that no route answers included, and of routes by their `config`. */

import type { CacheManager, RateLimitVerdict } from '@larder/core'
import { InvalidOptionError } from '@larder/core'
import { assertBoolean, assertKnownOptions, INTERNALS } from '@larder/core/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { PassedRequest, RefusedRequest } from '../http/decision.ts'
import type { Fields } from '../http/field-lists.ts'
import type { LimitGuard } from '../http/limit-guard.ts'
import type { ProxyTrust } from '../http/rate-limit-options.ts'
import { onResponseEnd } from '../http/response-end.ts'
import { tighter } from '../http/standings.ts'
import { trustInFastify, trustsEverybody } from '../http/trusted-proxies.ts'
import type { FastifyRateLimit, FastifyRouteLimit } from './limit-options.ts'
import { type HookedGuard, RouteLimits } from './route-limits.ts'

export type {
  AddressLimit,
  HttpProblem,
  LimitCost,
  LimitKey,
  ProxyTrust,
  RateLimitSettings,
} from '../http/rate-limit-options.ts'
export type {
  FastifyGivenLimit,
  FastifyHookOption,
  FastifyMadeLimit,
  FastifyRateLimit,
  FastifyRouteLimit,
  FastifyRouteOption,
} from './limit-options.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What Larder does for this route. */
    larder?:
      | {
          /** Its limit, beside that of the plugin. `false`: no limit at all. */
          readonly rateLimit?: FastifyRouteLimit | false | undefined
        }
      | undefined
  }
  interface FastifyRequest {
    /** Of the limiter with the smallest part left; `null` where none has decided. */
    rateLimit: RateLimitVerdict | null
  }
}

/** Options of the plugin. */
export interface LarderFastifyOptions extends ProxyTrust {
  /** Makes the limiters of limits that are given by their options. @default only limits with a `limiter` are possible */
  readonly caches?: CacheManager | undefined
  /** The limit of all requests. @default none: only routes with a limit of their own are limited */
  readonly rateLimit?: FastifyRateLimit | undefined
}

const NAMES = ['caches', 'rateLimit', 'trustsAnyProxy']
const NAME = '@larder/fastify'
const CLIENT_CLOSED_REQUEST = 499
const INSTALLED = Symbol.for(NAME)

/**
 * The plugin. Routes that are registered after it are checked at once; those before it with their first request.
 *
 * @example
 * await app.register(larder, { caches, rateLimit: { limit: 100, per: '1m' } })
 * app.get('/search', { config: { larder: { rateLimit: { limit: 10, per: '1s' } } } }, handler)
 */
export const larder = fastifyPlugin<LarderFastifyOptions>(install, { name: NAME, fastify: '5.x' })

async function install(app: FastifyInstance, options: LarderFastifyOptions): Promise<void> {
  assertKnownOptions(options, NAMES, NAME)
  const { caches, rateLimit, trustsAnyProxy = false } = options
  assertBoolean(trustsAnyProxy, `${NAME}.trustsAnyProxy`)
  if (caches !== undefined && typeof caches?.[INTERNALS] !== 'object') {
    const expected = 'a manager of createCacheManager'
    throw new InvalidOptionError({ option: `${NAME}.caches`, expected, received: caches })
  }
  const believesAnybody = !trustsAnyProxy && trustsEverybody(trustInFastify(app))
  const limits = new RouteLimits({ caches, believesAnybody })
  const global = rateLimit === undefined ? undefined : limits.guard(rateLimit, `${NAME}.rateLimit`)
  // Registered again, as in a part of the application, it adds the limit of all requests: routes are seen to already.
  const isFirst = !app.hasDecorator(INSTALLED)
  if (isFirst) {
    app.decorate(INSTALLED, true)
    app.decorateRequest('rateLimit', null)
    app.addHook('onRoute', ({ config, method, url }) => {
      limits.of(config?.larder?.rateLimit, { method, url })
    })
  }
  const guardsOf = (
    request: FastifyRequest,
    hook: HookedGuard['hook'],
  ): LimitGuard<FastifyRequest>[] => {
    const { config, method, url = '' } = request.routeOptions
    const { own, isGlobal } = limits.of(config?.larder?.rateLimit, { method, url })
    return [isGlobal ? global : undefined, isFirst ? own : undefined]
      .filter((each) => each?.hook === hook)
      .map((each) => (each as HookedGuard).guard)
  }
  for (const hook of ['onRequest', 'preHandler'] as const) {
    app.addHook(hook, async (request, reply) => {
      const guards = guardsOf(request, hook)
      if (guards.length === 0) return undefined
      if (await limit(guards, request, reply)) return undefined
      // Fastify goes on with the request unless it is answered, also where nobody reads the answer.
      return reply.sent ? reply : reply.code(CLIENT_CLOSED_REQUEST).send()
    })
  }
}

/** Resolves to whether the request may go on; if not, it has been answered, or nobody waits for an answer. */
async function limit(
  guards: readonly LimitGuard<FastifyRequest>[],
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  const gone = new AbortController()
  const passed: PassedRequest[] = []
  let mayEnd = false
  let status: number | undefined
  const end = (): void => {
    if (mayEnd && gone.signal.aborted) for (const each of passed) each.end(status)
  }
  onResponseEnd(request.raw, reply.raw, (how) => {
    status = how === 'finished' ? reply.raw.statusCode : undefined
    gone.abort()
    end()
  })
  const giveBack = (): Promise<unknown> => Promise.all(passed.map((each) => each.giveBack()))
  try {
    for (const guard of guards) {
      const decision = await guard.decide(request, gone.signal)
      if (decision.kind === 'refused') {
        await giveBack()
        request.rateLimit = tighter(request.rateLimit, decision.verdict) ?? null
        if (!gone.signal.aborted) answer(reply, decision)
        return false
      }
      passed.push(decision)
    }
  } catch (error) {
    await giveBack()
    if (gone.signal.aborted) return false
    throw error
  }
  if (gone.signal.aborted) {
    await giveBack()
    return false
  }
  mayEnd = true
  for (const decision of passed) {
    request.rateLimit = tighter(request.rateLimit, decision.verdict) ?? null
    setFields(reply, decision.fields(readFrom(reply)))
  }
  return true
}

function answer(reply: FastifyReply, decision: RefusedRequest): void {
  const { fields, body } = decision.answer(readFrom(reply))
  setFields(reply, fields)
  // A text, so that no schema of the route leaves parts of it out.
  reply.code(decision.status).header('content-type', 'application/problem+json').send(body)
}

function readFrom(reply: FastifyReply): (name: string) => string | undefined {
  return (name) => {
    const value = reply.getHeader(name)
    if (value === undefined) return undefined
    return Array.isArray(value) ? value.join(', ') : String(value)
  }
}

function setFields(reply: FastifyReply, fields: Fields): void {
  for (const [name, value] of Object.entries(fields)) reply.header(name, value)
}
