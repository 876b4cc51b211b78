/** The options of rate limits in Fastify: a limiter that exists, or the options of one. */

import type { LimiterOptions, OnStoreError } from '@larder/core'
import type { FastifyRequest } from 'fastify'
import type {
  AddressLimit,
  LimitCost,
  LimitKey,
  RateLimitOptions,
  RateLimitSettings,
} from '../http/rate-limit-options.ts'

/** When the limit is asked. */
export interface FastifyHookOption {
  /**
   * `onRequest`: before anything else is done for the request. `preHandler`: after the body is parsed and validated and other plugins have
   * said who the user is. @default 'onRequest'
   */
  readonly hook?: 'onRequest' | 'preHandler' | undefined
}

/** For a route. */
export interface FastifyRouteOption {
  /** False: the limit of the plugin does not count this route. @default true */
  readonly global?: boolean | undefined
}

/** A limit with limiters of `caches.limiter`. */
export type FastifyGivenLimit = RateLimitOptions<FastifyRequest, AddressLimit<FastifyRequest>> &
  FastifyHookOption

/** A limit whose limiter the plugin makes. The options of a limiter, and how it applies. */
export type FastifyMadeLimit = LimiterOptions &
  Omit<RateLimitSettings<FastifyRequest>, 'onStoreError'> &
  FastifyHookOption & {
    /** Whom a request counts for; `'address'`: the address of the client. @default 'address' */
    readonly key?: 'address' | LimitKey<FastifyRequest> | undefined
    /** What a request costs. @default 1 */
    readonly cost?: LimitCost<FastifyRequest> | undefined
    /** What happens when the store cannot decide. @default 'local' where the manager has a local store with limits, else 'closed' */
    readonly onStoreError?: OnStoreError | undefined
    readonly limiter?: undefined
    readonly limits?: undefined
  }

/** A limit of requests. */
export type FastifyRateLimit = FastifyGivenLimit | FastifyMadeLimit

/** The limit of a route, beside that of the plugin. */
export type FastifyRouteLimit = FastifyRateLimit & FastifyRouteOption
