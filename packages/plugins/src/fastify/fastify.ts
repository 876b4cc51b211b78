/** Rate limits for Fastify 5, as a plugin: of all requests, those that no route answers included, and of routes by their `config`. */

import type { CacheManager, RateLimitVerdict } from '@larder/core'
import { InvalidOptionError } from '@larder/core'
import { assertBoolean, assertKnownOptions, INTERNALS, optionNames } from '@larder/core/store'
import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { ProxyTrust } from '../http/rate-limit-options.ts'
import { trustInFastify } from '../http/trust-settings.ts'
import { trustsEverybody } from '../http/trusted-proxies.ts'
import type { FastifyRateLimit, FastifyRouteLimit } from './limit-options.ts'
import { type GuardsOf, type Hook, makeHook } from './limit-request.ts'
import { RouteHooks } from './route-hooks.ts'
import { isCountedByAll, RouteLimits } from './route-limits.ts'

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
export { type FastifyCacheHook, type FastifyHttpCache, httpCache } from './http-cache-hook.ts'
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
    /** The verdict of the limiter with the smallest part left; `null` if none has decided. */
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

const NAMES = optionNames<LarderFastifyOptions>({
  caches: true,
  rateLimit: true,
  trustsAnyProxy: true,
})
const NAME = '@larder/fastify'
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
  // Registered again, such as in a part of the application, it adds only a limit of all requests: limits of routes are there already.
  const isFirst = !app.hasDecorator(INSTALLED)
  const hookOf = (guardsOf: GuardsOf): Hook => makeHook(guardsOf, believesAnybody)
  const routes = isFirst ? new RouteHooks(limits, hookOf) : undefined
  if (routes !== undefined) {
    app.decorate(INSTALLED, true)
    app.decorateRequest('rateLimit', null)
    app.addHook('onRoute', (route) => routes.add(route))
  }
  for (const hook of ['onRequest', 'preHandler'] as const) {
    const guardsOf: GuardsOf = ({ routeOptions }) => {
      const isCounted = isCountedByAll(routeOptions.config?.larder?.rateLimit)
      const all = isCounted && global?.hook === hook ? [global.guard] : []
      return [...all, ...(routes?.guardsOf(routeOptions, hook) ?? [])]
    }
    app.addHook(hook, hookOf(guardsOf))
  }
}
